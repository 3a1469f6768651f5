"""Four predictions of one adapted network."""

import time

import keras
import numpy as np
from keras import ops

from keras_s4t.backend import no_gradients

PLAIN, FLIP, FUSED, BOTH = "plain", "flip", "fused", "fused + flip"
PREDICTIONS = (PLAIN, FLIP, FUSED, BOTH)


class Predictor:
    """Predicts with fixed statistics, and tells what each prediction takes.

    Args:
        network: `MultiTaskModel`.
        s4t: `S4T`, whose synchronizer is fused with the decoders.

    Attributes:
        seconds: dict from prediction to the seconds that it has taken.
    """

    def __init__(self, network, s4t):
        self.network = network
        self.s4t = s4t
        self.seconds = dict.fromkeys(PREDICTIONS, 0.0)

    def outputs(self, images, kinds=PREDICTIONS):
        """Raw outputs, a dict by prediction of dicts of arrays."""
        with no_gradients():
            first = self._one_way(images)
            plain, fused, seconds, more = first
            found = {PLAIN: plain, FUSED: fused}
            taken = {PLAIN: seconds, FUSED: seconds + more}
            if FLIP in kinds or BOTH in kinds:
                other = np.ascontiguousarray(images[:, :, ::-1])
                plain, fused, again, more_again = self._one_way(other)
                for kind, values in ((FLIP, plain), (BOTH, fused)):
                    alone = PLAIN if kind == FLIP else FUSED
                    found[kind] = self._mean(found[alone], values)
                taken[FLIP] = seconds + again
                taken[BOTH] = taken[FUSED] + again + more_again
        for kind in kinds:
            self.seconds[kind] += taken[kind]
        return {kind: self._arrays(found[kind]) for kind in kinds}

    def values(self, images, kinds=PREDICTIONS):
        """Postprocessed, likewise."""
        found = self.outputs(images, kinds)
        return {
            kind: self._arrays(self.network.postprocess(outputs))
            for kind, outputs in found.items()
        }

    def _one_way(self, images):
        """Plain and fused outputs, and the seconds of each."""
        start = time.perf_counter()
        features = self.network.encode(images, False)
        plain = self._arrays(
            self.network.decode(features, images.shape[1:3], False)
        )
        middle = time.perf_counter()
        fused = self._arrays(self.s4t.fuse(features, plain))
        end = time.perf_counter()
        return plain, fused, middle - start, end - middle

    def _mean(self, outputs, others):
        return {
            task.name: task.average(
                [
                    outputs[task.name],
                    task.mirrored(ops.convert_to_tensor(others[task.name])),
                ]
            )
            for task in self.network.tasks
        }

    @staticmethod
    def _arrays(tensors):
        return keras.tree.map_structure(ops.convert_to_numpy, tensors)
