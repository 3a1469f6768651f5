"""What predicts while something else adapts."""

import threading

from keras import ops

from keras_s4t.live.controls import ADAPTED
from keras_s4t.methods import BatchNormOnly
from keras_s4t.methods import SourceOnly
from keras_s4t.training import TargetAdapter


class Serving:
    """A copy of a network for predictions, whose weights are replaced whole.

    Args:
        adapter: The `TargetAdapter` that adapts.
    """

    def __init__(self, adapter):
        self._plain = adapter.source_copy(SourceOnly())
        self._plain.compile(metrics=None)
        self._batch = None
        if adapter.method.bn_mode == "batch":
            method = BatchNormOnly("batch", prior=adapter.method.prior)
            self._batch = TargetAdapter(self._plain.network, method)
            self._batch.compile(metrics=None)
        self._lock = threading.Lock()
        self._offered = None
        self.name = ADAPTED
        self.publish(ADAPTED, adapter.network)
        self.predictor()

    def publish(self, name, network):
        """Offers the weights of a model, from any thread.

        Args:
            name: Name of the model.
            network: Its `MultiTaskModel`, which nobody changes meanwhile.
        """
        values = [ops.copy(variable.value) for variable in network.variables]
        with self._lock:
            self._offered = name, values

    def predictor(self):
        """The `TargetAdapter` that predicts, with the last weights offered."""
        with self._lock:
            offered, self._offered = self._offered, None
        if offered is not None:
            self.name, values = offered
            variables = self._plain.network.variables
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        if self._batch is not None and self.name == ADAPTED:
            return self._batch
        return self._plain
