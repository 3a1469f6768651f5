"""Edges of objects and their blurring."""

import numpy as np

from keras_s4t.data.synth_rooms.rendering.blur import blur
from keras_s4t.data.synth_rooms.rendering.blur import gaussian_kernel

RELATIVE_STEP = 0.03
ABSOLUTE_STEP = 0.05
MIN_SIGMA = 0.12


def find_edges(instance, depth, normals, focal_length):
    """Finds occlusion boundaries and contact lines, one pixel thick.

    A pixel is an edge if one of its four neighbors

    - is behind its tangent plane by more than 3 % of its depth, and deeper by
      more than 5 cm, which marks the nearer side of an occlusion; or
    - belongs to an instance with a lower id and neither side occludes the
      other, which marks the upper one of two touching objects.

    Args:
        instance: int array of shape `(height, width)`.
        depth: float32 array of shape `(height, width)`, meters.
        normals: float32 array of shape `(height, width, 3)`, camera frame.
        focal_length: float, pixels.

    Returns:
        bool array of shape `(height, width)`.
    """
    height, width = depth.shape
    y, x = np.meshgrid(
        -(np.arange(height) + 0.5 - height / 2) / focal_length,
        (np.arange(width) + 0.5 - width / 2) / focal_length,
        indexing="ij",
    )
    rays = np.stack([x, y, -np.ones_like(x)], -1)
    plane_offset = -(normals * rays).sum(-1) * depth

    def is_behind(there, here):
        """Mask of pixels `there` behind the tangent planes of `here`."""
        slant = -(normals[here] * rays[there]).sum(-1)
        plane = np.where(
            slant > 1e-3, plane_offset[here] / np.maximum(slant, 1e-3), np.inf
        )
        return (depth[there] - plane > RELATIVE_STEP * depth[here]) & (
            depth[there] - depth[here] > ABSOLUTE_STEP
        )

    edges = np.zeros((height, width), bool)
    for one, other in neighbors(0), neighbors(1):
        one_occludes = is_behind(other, one)
        other_occludes = is_behind(one, other)
        one_on_top = instance[one] > instance[other]
        other_on_top = instance[other] > instance[one]
        edges[one] |= one_occludes | (one_on_top & ~other_occludes)
        edges[other] |= other_occludes | (other_on_top & ~one_occludes)
    return edges


def soften_edges(edges, sigma):
    """Blurs edges with a Gaussian whose peak on a straight line is 1.

    Args:
        edges: float32 array of shape `(height, width, 1)`, 0 or 1.
        sigma: float, pixels. Edges are not blurred if it is less than 0.12.

    Returns:
        float32 array of the same shape in `[0, 1]`.
    """
    if sigma < MIN_SIGMA:
        return edges
    kernel = gaussian_kernel(sigma)
    peak = kernel[len(kernel) // 2]
    return np.minimum(blur(edges, kernel, "constant") / peak, np.float32(1))


def neighbors(axis, shift=1):
    """Indices of all pixels with a neighbor along an axis, and of those."""
    head, tail, every = slice(None, -shift), slice(shift, None), slice(None)
    if axis == 0:
        return (head, every), (tail, every)
    return (every, head), (every, tail)
