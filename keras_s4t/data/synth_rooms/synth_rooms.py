"""SynthRooms: procedural indoor rooms with aligned multi-task labels."""

import dataclasses
import hashlib
import json
import math
import numbers
import operator

import numpy as np

from keras_s4t.data.synth_rooms import domains
from keras_s4t.data.synth_rooms.classes import CLASS_NAMES
from keras_s4t.data.synth_rooms.classes import IGNORE_CLASS
from keras_s4t.data.synth_rooms.example import compact_specs
from keras_s4t.data.synth_rooms.example import render_example
from keras_s4t.data.synth_rooms.sample import SPLITS
from keras_s4t.data.synth_rooms.storage.array_cache import ArrayCache
from keras_s4t.data.synth_rooms.storage.render_arrays import render_arrays

# Must be raised whenever a pixel or a label may change. Cached files of other
# versions are not read.
VERSION = "1.0.0"

DEFAULT_NUM_EXAMPLES = {"train": 2000, "validation": 200, "test": 200}
MIN_SIZE = 16


class SynthRooms:
    """Procedural indoor rooms with labels for four tasks.

    Rooms are generated and rendered in NumPy, with exact geometry. They need no
    download and are equal on all Keras backends. An example depends only on the
    seed, the split, its index, the domain and the size. Index `i` of a split is
    the same room in every domain. Domains that change only light, materials or
    sensor also have the same labels.

    `rooms[i]` is a dict of NumPy arrays:

    - `image`: float32 `(size, size, 3)`, RGB, 0 to 255.
    - `semseg`: int32 `(size, size)`, index into `class_names`; 255 (lamps and
      small objects) is ignored.
    - `depth`: float32 `(size, size, 1)`, meters along the optical axis.
    - `normals`: float32 `(size, size, 3)`, unit vectors in the camera frame:
      x right, y up, z toward the camera.
    - `edge`: float32 `(size, size, 1)` in `[0, 1]`, boundaries of objects.
    - `semseg_mask`, `depth_mask`, `normals_mask`, `edge_mask`: float32
      `(size, size, 1)`, 1 where the label is valid, else 0.
    - `id`: str such as `"synth_rooms/evening/test/000012"`.

    Args:
        split: str, `"train"`, `"validation"` or `"test"`.
        domain: str, one of `DOMAINS`, or a `Domain`.
        size: int of at least 16, side of the pictures in pixels.
        num_examples: int; 2000 for training and 200 for validation and test
            if `None`.
        seed: int from 0 to `2**32 - 1`. Different seeds give different rooms.
        edge_sigma: float, pixels. Edges are one pixel thick and blurred by a
            Gaussian whose peak on a straight line is 1. They are binary if
            `edge_sigma` is 0.

    Raises:
        ValueError: if an argument is not as described.

    Example:
    ```python
    rooms = SynthRooms("test", domain="evening", size=64)
    rooms[12]["depth"].max()

    halfway = DOMAINS["source"].toward(DOMAINS["evening"], 0.5)
    arrays = SynthRooms("test", domain=halfway, size=64).arrays()
    ```
    """

    class_names = CLASS_NAMES
    num_classes = len(CLASS_NAMES)
    ignore_class = IGNORE_CLASS

    def __init__(
        self,
        split="train",
        domain="source",
        size=128,
        num_examples=None,
        seed=0,
        edge_sigma=0.8,
    ):
        if split not in SPLITS:
            raise ValueError(
                f"`split` must be one of {list(SPLITS)}. "
                f"Received: split={split!r}"
            )
        if num_examples is None:
            num_examples = DEFAULT_NUM_EXAMPLES[split]
        self.split = split
        self.domain = domains.get(domain)
        self.size = _checked_integer("size", size, MIN_SIZE)
        self.num_examples = _checked_integer("num_examples", num_examples, 1)
        self.seed = _checked_integer("seed", seed, 0, 2**32 - 1)
        self.edge_sigma = _checked_number("edge_sigma", edge_sigma, 0)

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
        counted = example["semseg"][..., None] != IGNORE_CLASS
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
            "id": f"synth_rooms/{self.domain.name}/{self.split}/{index:06d}",
        }

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    @property
    def fingerprint(self):
        """Hash of all parameters of the arrays."""
        description = [
            VERSION,
            dataclasses.asdict(self.domain),
            self.split,
            self.size,
            self.seed,
            self.num_examples,
            self.edge_sigma,
        ]
        # NumPy numbers in a custom domain become plain floats.
        text = json.dumps(description, default=float)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

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
            float16, with shapes and units as in `rooms[i]`.

        Raises:
            ValueError: if `workers` is not an int of at least 1, or `verbose`
                is none of its options.
            RuntimeError: if a worker process stopped unexpectedly.
        """
        workers = _checked_integer("workers", workers, 1)
        if verbose not in ("auto", 0, 1):
            raise ValueError(
                "`verbose` must be 'auto', 0 or 1. "
                f"Received: verbose={verbose!r}"
            )
        specs = compact_specs(self.size)
        cache = None
        if cache_dir is not None:
            name = (
                f"synth_rooms_{self.domain.name}_{self.split}_{self.size}_"
                f"{self.fingerprint}"
            )
            cache = ArrayCache(
                cache_dir, name, self.fingerprint, specs, len(self)
            )
        return render_arrays(
            self._render_compact, specs, len(self), cache, workers, verbose
        )

    def _render(self, index):
        return render_example(
            self.domain,
            self.split,
            index,
            self.size,
            self.seed,
            self.edge_sigma,
        )

    def _render_compact(self, index):
        example, specs = self._render(index), compact_specs(self.size)
        return {name: example[name].astype(d) for name, (_, d) in specs.items()}


def _checked_integer(name, value, low, high=None):
    """Returns an int from `low` to `high`, or raises a `ValueError`."""
    in_range = isinstance(value, numbers.Integral) and value >= low
    if not in_range or (high is not None and value > high):
        limit = f"of at least {low}" if high is None else f"in [{low}, {high}]"
        raise ValueError(
            f"`{name}` must be an int {limit}. Received: {name}={value!r}"
        )
    return int(value)


def _checked_number(name, value, low):
    """Returns a finite float of at least `low`, or raises a `ValueError`."""
    if not isinstance(value, numbers.Real) or not low <= value < math.inf:
        raise ValueError(
            f"`{name}` must be a number of at least {low}. "
            f"Received: {name}={value!r}"
        )
    return float(value)
