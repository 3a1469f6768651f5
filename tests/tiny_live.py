"""A live adapter of a tiny network, its frames and its source."""

import numpy as np
import tiny

from keras_s4t.live import LiveAdapter

SIZE = (tiny.SIZE, tiny.SIZE)


def make_frames(count=12, seed=3, size=SIZE):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *size, 3)).astype("uint8")


def make_source(count=24):
    images, labels, masks = tiny.make_arrays(count, count=2)
    return [
        (
            images[i : i + 8],
            {k: v[i : i + 8] for k, v in labels.items()},
            {k: v[i : i + 8] for k, v in masks.items()},
        )
        for i in range(0, count, 8)
    ]


def make_live(adapter=None, **kwargs):
    options = {"window": 4, "adapt_every": 2, "multiple": 4}
    return LiveAdapter(adapter or tiny.make_adapter(), **{**options, **kwargs})


def collect(live, **kwargs):
    options = {"num_images": 16, "memory": 8, "corruptions": ("contrast",)}
    return live.collect(make_source(), **{**options, **kwargs})
