"""Image and labels of one example, without masks and id."""

import numpy as np

from keras_s4t.data.synth_rooms.rendering.edges import soften_edges
from keras_s4t.data.synth_rooms.sample import render_scene


def compact_specs(size):
    """Returns the shape and dtype of each array of a compact example."""
    return {
        "image": ((size, size, 3), np.uint8),
        "semseg": ((size, size), np.uint8),
        "depth": ((size, size, 1), np.float16),
        "normals": ((size, size, 3), np.float16),
        "edge": ((size, size, 1), np.float16),
    }


def render_example(domain, split, index, size, seed, edge_sigma):
    """Renders image and labels at full precision.

    The arguments are those of `SynthRooms`. The arrays have the keys and shapes
    of `compact_specs`; `image` is uint8, `semseg` int, the others are float32.
    """
    sample = render_scene(domain, split, index, size, seed)
    return example_of(sample, edge_sigma)


def example_of(sample, edge_sigma):
    """Image and labels of a `Sample`, as `render_example` returns them."""
    edges = sample.edges.astype(np.float32)[..., None]
    return {
        "image": sample.image,
        "semseg": sample.rendering.class_id,
        "depth": sample.rendering.depth[..., None],
        "normals": sample.rendering.normals,
        "edge": soften_edges(edges, edge_sigma),
    }
