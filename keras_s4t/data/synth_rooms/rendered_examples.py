"""Examples that are rendered when they are asked for."""

import hashlib
import json
import operator

import numpy as np

from keras_s4t.data.synth_rooms.arguments import check_integer
from keras_s4t.data.synth_rooms.classes import CLASS_NAMES
from keras_s4t.data.synth_rooms.classes import IGNORE_CLASS
from keras_s4t.data.synth_rooms.example import compact_specs
from keras_s4t.data.synth_rooms.storage.array_cache import ArrayCache
from keras_s4t.data.synth_rooms.storage.render_arrays import render_arrays


class RenderedExamples:
    """A sequence of rendered examples, one by one or as arrays.

    A subclass has the attributes `split`, `size` and `num_examples`, a
    `fingerprint` of all parameters of the arrays and a `variant`, the part of
    ids and file names that people read. Its `_render(index)` returns image and
    labels as `render_example` does.
    """

    class_names = CLASS_NAMES
    num_classes = len(CLASS_NAMES)
    ignore_class = IGNORE_CLASS

    def __len__(self):
        return self.num_examples

    def __getitem__(self, index):
        index = operator.index(index)
        if not 0 <= index < len(self):
            raise IndexError(
                f"Index must be from 0 to {len(self) - 1}. "
                f"Received: index={index}"
            )
        example = self._render(index)
        valid = np.ones((self.size, self.size, 1), np.float32)
        counted = example["semseg"][..., None] != self.ignore_class
        return {
            "image": example["image"].astype(np.float32),
            "semseg": example["semseg"].astype(np.int32),
            "depth": example["depth"],
            "normals": example["normals"],
            "edge": example["edge"],
            "semseg_mask": counted.astype(np.float32),
            "depth_mask": valid,
            "normals_mask": valid.copy(),
            "edge_mask": valid.copy(),
            "id": f"synth_rooms/{self.variant}/{self.split}/{index:06d}",
        }

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    def arrays(self, cache_dir=None, workers=1, verbose="auto"):
        """Renders all examples into stacked, compact arrays.

        The arrays have no masks and no ids. Labels are valid except where
        `semseg` is 255, and row `i` is example `i`.

        Cached files are checked when they are read. Damaged files are reported
        with a warning and rendered again. An interrupted rendering continues
        after the last finished part.

        Args:
            cache_dir: str or path of a folder in which the arrays are cached
                in one `.npz` file. If `None`, they are not cached.
            workers: int, number of processes. With more than one, the calling
                script must start its work below
                `if __name__ == "__main__":`.
            verbose: `"auto"`, 0 or 1. `"auto"` and 1 show a progress bar, 0 is
                silent.

        Returns:
            dict of arrays with a leading axis of `num_examples`: `image`
            uint8, `semseg` uint8, `depth` float16, `normals` float16, `edge`
            float16, with shapes and units as in an example.

        Raises:
            ValueError: if `workers` is not an int of at least 1, or `verbose`
                is none of its options.
            RuntimeError: if a worker process stopped unexpectedly.
        """
        workers = check_integer("workers", workers, 1)
        if verbose not in ("auto", 0, 1):
            raise ValueError(
                "`verbose` must be 'auto', 0 or 1. "
                f"Received: verbose={verbose!r}"
            )
        specs = compact_specs(self.size)
        cache = None
        if cache_dir is not None:
            name = (
                f"synth_rooms_{self.variant}_{self.split}_{self.size}_"
                f"{self.fingerprint}"
            )
            cache = ArrayCache(
                cache_dir, name, self.fingerprint, specs, len(self)
            )
        return render_arrays(
            self._render_compact, specs, len(self), cache, workers, verbose
        )

    def _render_compact(self, index):
        example, specs = self._render(index), compact_specs(self.size)
        return {name: example[name].astype(d) for name, (_, d) in specs.items()}


def fingerprint_of(description):
    """Hash of a list of parameters in types of JSON."""
    # NumPy numbers in a custom domain become plain floats.
    text = json.dumps(description, default=float)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
