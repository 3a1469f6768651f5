import math
import warnings

import keras

from keras_s4t.backend import all_reduce
from keras_s4t.backend import any_batch_size
from keras_s4t.backend import copy_from_first
from keras_s4t.backend import gather
from keras_s4t.backend import no_gradients
from keras_s4t.backend import num_processes
from keras_s4t.backend import num_replicas


class SharedBatches:
    """What several devices and processes need around a step.

    Devices of `keras.distribution.DataParallel` (JAX): batches that do not
    divide are computed by each of them as a whole.

    Processes of `torch.distributed` (PyTorch): each gives `fit` its share of
    every batch. They begin with the weights of the first one and stay equal.
    The metrics of `fit` at the end of an epoch are those of all shares.
    `evaluate` and `predict` are of one process alone.
    """

    # Whether metrics are those of steps that processes made together.
    _sums_metrics = False

    def fit(self, x=None, y=None, *args, **kwargs):
        """As Keras's, after a comparison of the processes."""
        if num_processes() > 1:
            self._compare_processes(x, kwargs)
            copy_from_first([*self.variables, *self.optimizer.variables])
        self._sums_metrics = True
        sizes = batch_sizes(x, kwargs.get("batch_size"))
        try:
            with any_batch_size(sizes) as shares:
                if not shares:
                    self._warn_of_whole_batches(sizes)
                return super().fit(x, y, *args, **kwargs)
        finally:
            self._sums_metrics = False

    def _warn_of_whole_batches(self, sizes):
        if "devices" in self.warned:
            return
        self.warned.add("devices")
        known = "unknown ones" if sizes is None else sorted(sizes)
        warnings.warn(
            "Every device computes whole batches: devices share only batches "
            "whose sizes are known beforehand and divide by their number, as "
            "with `drop_remainder=True`. The result is the same. Received: "
            f"batches of sizes {known}",
            stacklevel=4,
        )

    def _compare_processes(self, x, options):
        """Raises a `ValueError` if processes would not step together.

        They would wait for each other.
        """
        count = num_batches(x, options)
        facts = {
            "batches": count,
            "epochs": options.get("epochs", 1),
            "initial_epoch": options.get("initial_epoch", 0),
            "variables": [tuple(v.shape) for v in self.updated_variables],
        }
        every = gather(facts)
        for name in facts:
            received = [facts[name] for facts in every]
            if any(value != received[0] for value in received):
                raise ValueError(
                    f"All processes must have the same {name}, since they "
                    f"make every step together. Received: {received}"
                )
        if any(facts["batches"] is None for facts in every):
            raise ValueError(
                "The number of batches must be known where several processes "
                "train: pass `steps_per_epoch`, or data that know their "
                f"length. Received: {type(x).__name__} without"
            )

    def check_shares(self):
        """Raises a `ValueError` if replicas cannot share a batch."""
        if num_replicas() > 1 and not self.method.shares_batch:
            raise ValueError(
                "The losses of a method must be means over images or pixels "
                "where several replicas or processes share a batch. Received: "
                f"{type(self.method).__name__}, whose loss is of a whole batch"
            )

    def get_metrics_result(self):
        """As Keras's; after an epoch of `fit`, of all processes."""
        if not self._sums_metrics or num_processes() == 1:
            return super().get_metrics_result()
        own = [
            variable
            for metric in self.metrics
            # Counted by every process alike.
            if metric is not self.skipped_steps
            for variable in metric.variables
            if "float" in keras.backend.standardize_dtype(variable.dtype)
        ]
        before = [keras.ops.copy(variable.value) for variable in own]
        with no_gradients():
            for variable, value in zip(own, all_reduce(before), strict=True):
                variable.assign(value)
            result = super().get_metrics_result()
            for variable, value in zip(own, before, strict=True):
                variable.assign(value)
        return result

    def evaluate(self, x=None, *args, **kwargs):
        """As Keras's."""
        sums_metrics, self._sums_metrics = self._sums_metrics, False
        try:
            with any_batch_size(batch_sizes(x, kwargs.get("batch_size"))):
                return super().evaluate(x, *args, **kwargs)
        finally:
            self._sums_metrics = sums_metrics

    def predict(self, x, *args, **kwargs):
        """As Keras's."""
        with any_batch_size(batch_sizes(x, kwargs.get("batch_size"))):
            return super().predict(x, *args, **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        """As Keras's."""
        with any_batch_size({len(x)}):
            return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        """As Keras's."""
        with any_batch_size({len(x)}):
            return super().test_on_batch(x, *args, **kwargs)

    def predict_on_batch(self, x):
        """As Keras's."""
        with any_batch_size({len(x)}):
            return super().predict_on_batch(x)


def batch_sizes(x, batch_size):
    """The sizes of batches, a set, or `None` if they are unknown.

    Args:
        x: What `fit`, `evaluate` and `predict` take.
        batch_size: That of `x`, if it is an array.
    """
    if hasattr(x, "element_spec"):
        size = keras.tree.flatten(x.element_spec)[0].shape[0]
        return None if size is None else {size}
    # Repeated batches are of an inner one.
    x = getattr(x, "batches", x)
    if hasattr(x, "num_images"):
        num_images, batch_size = x.num_images, x.batch_size
    elif hasattr(x, "shape"):
        num_images, batch_size = len(x), batch_size or 32
    else:
        return None
    sizes = {min(batch_size, num_images), num_images % batch_size}
    return sizes - {0}


def num_batches(x, options):
    """Batches of an epoch of `fit`, `None` if unknown.

    Args:
        x: What `fit` takes.
        options: dict of further arguments of `fit`.
    """
    if options.get("steps_per_epoch") is not None:
        return options["steps_per_epoch"]
    if hasattr(x, "element_spec"):
        count = int(x.cardinality())
        return count if count >= 0 else None
    if isinstance(x, keras.utils.PyDataset):
        return x.num_batches
    if hasattr(x, "shape"):
        return math.ceil(len(x) / (options.get("batch_size") or 32))
    return None
