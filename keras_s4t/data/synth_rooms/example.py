"""Image and labels of one example, without masks and id."""

import numpy as np

from keras_s4t.data.synth_rooms.rendering.edges import soften_edges
from keras_s4t.data.synth_rooms.sample import render_scene


def compact_specs(size):
    """Returns the shape and dtype of each array of a compact example.

    Args:
        size: int, side of the picture in pixels.
    """
    return {
        "image": ((size, size, 3), np.uint8),
        "semseg": ((size, size), np.uint8),
        "depth": ((size, size, 1), np.float16),
        "normals": ((size, size, 3), np.float16),
        "edge": ((size, size, 1), np.float16),
    }


def render_example(domain, split, index, size, seed, edge_sigma):
    """Renders image and labels at full precision.

    Args:
        domain: `Domain`.
        split: str.
        index: int.
        size: int, pixels.
        seed: int.
        edge_sigma: float, pixels.

    Returns:
        dict of arrays with the keys and shapes of `compact_specs`; `image` is
        uint8, `semseg` int, the others are float32.
    """
    sample = render_scene(domain, split, index, size, seed)
    edges = sample.edges.astype(np.float32)[..., None]
    return {
        "image": sample.image,
        "semseg": sample.rendering.class_id,
        "depth": sample.rendering.depth[..., None],
        "normals": sample.rendering.normals,
        "edge": soften_edges(edges, edge_sigma),
    }


def compacted(example):
    """Returns an example in the dtypes of `compact_specs`."""
    specs = compact_specs(len(example["image"]))
    return {name: example[name].astype(d) for name, (_, d) in specs.items()}
