"""Four predictions of one adapted network."""

import time

import keras
import numpy as np
from keras import ops

from keras_s4t.backend import no_gradients

PLAIN, FLIP, FUSED, BOTH = "plain", "flip", "fused", "fused + flip"
PREDICTIONS = (PLAIN, FLIP, FUSED, BOTH)


class Predictor:
    """Predicts as an adapter does, and tells what each prediction takes.

    Args:
        adapter: `TargetAdapter`.
        s4t: `S4T`, whose synchronizer is fused with the decoders.
        one_by_one: bool. Whether every image is predicted alone. It matters to
            methods that normalize with statistics of the images.

    Attributes:
        seconds: dict from prediction to the seconds that it has taken.
    """

    def __init__(self, adapter, s4t, one_by_one=False):
        self.adapter = adapter
        self.s4t = s4t
        # TENT predicts with the statistics of the batch.
        self.is_batch = adapter.method.bn_mode == "batch"
        self.alone = one_by_one and self.is_batch
        self.seconds = dict.fromkeys(PREDICTIONS, 0.0)

    def values(self, images):
        """Postprocessed outputs, a dict by prediction of dicts of arrays."""
        size = 1 if self.alone else len(images)
        parts = [
            self._values(images[i : i + size])
            for i in range(0, len(images), size)
        ]
        return keras.tree.map_structure(
            lambda *arrays: np.concatenate(arrays), *parts
        )

    def _values(self, images):
        with no_gradients():
            plain, fused, first, more = self._one_way(images)
            mirror = np.ascontiguousarray(images[:, :, ::-1])
            other, other_fused, second, other_more = self._one_way(mirror)
            found = {
                PLAIN: plain,
                FLIP: self._mean(plain, other),
                FUSED: fused,
                BOTH: self._mean(fused, other_fused),
            }
        self.seconds[PLAIN] += first
        self.seconds[FLIP] += first + second
        self.seconds[FUSED] += first + more
        self.seconds[BOTH] += first + more + second + other_more
        return {
            kind: self._arrays(self.adapter.network.postprocess(outputs))
            for kind, outputs in found.items()
        }

    def _one_way(self, images):
        """Plain and fused outputs, and the seconds of each."""
        adapter = self.adapter
        start = time.perf_counter()
        features = adapter.encode(images, self.is_batch, ("P*",))
        plain = self._arrays(
            adapter.decode(features, images.shape[1:3], self.is_batch)
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
            for task in self.adapter.tasks
        }

    @staticmethod
    def _arrays(tensors):
        return keras.tree.map_structure(ops.convert_to_numpy, tensors)
