"""Finds the frame of stored normals by comparison with depth."""

import itertools

import numpy as np

#: The canonical frame, as a signed permutation of axes.
CANONICAL = ("+x", "+y", "+z")
# Distance in pixels of the neighbors from which a slope is measured.
REACH = 2
# Inverse depth is linear on a plane. A larger relative second difference is a
# crease or an occlusion.
MAX_BEND = 0.01
# Shorter normals are missing, as in `readers/stored.py`.
MIN_LENGTH = 0.5


def normals_of_depth(depth, focal_length):
    """Computes normals from depth.

    Args:
        depth: Array of shape `(height, width)`, meters along the optical axis,
            0 where it is missing.
        focal_length: float, in pixels. The optical axis is at the center of
            the image.

    Returns:
        Unit vectors in the canonical frame, 0 where depth is missing or not
        planar.
    """
    height, width = depth.shape
    rows, columns = np.mgrid[:height, :width]
    x = (columns - (width - 1) / 2) / focal_length
    y = -(rows - (height - 1) / 2) / focal_length
    points = depth[..., None] * np.stack([x, y, -np.ones_like(x)], axis=-1)

    span = 2 * REACH
    middle = slice(REACH, -REACH)
    right = (points[:, span:] - points[:, :-span])[middle]
    up = (points[:-span] - points[span:])[:, middle]
    normals = np.cross(right, up)
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)

    flat = _is_flat(depth) & (lengths[..., 0] > 0)
    unit = np.where(flat[..., None], normals, 0) / np.where(
        flat[..., None], lengths, 1
    )
    result = np.zeros((height, width, 3))
    result[middle, middle] = unit
    return result


def _is_flat(depth):
    known = depth > 0
    inverse = np.where(known, 1 / np.where(known, depth, 1), np.inf)
    middle = slice(REACH, -REACH)
    center = inverse[middle, middle]
    flat = np.isfinite(center)
    for ends in (
        (inverse[middle, : -2 * REACH], inverse[middle, 2 * REACH :]),
        (inverse[: -2 * REACH, middle], inverse[2 * REACH :, middle]),
    ):
        with np.errstate(invalid="ignore"):
            bend = np.abs(ends[0] + ends[1] - 2 * center)
        flat &= bend < MAX_BEND * np.where(flat, center, 0)
    return flat


def frame_errors(stored, measured):
    """Errors of stored normals for every possible frame.

    Args:
        stored: Array of shape `(..., 3)`. Normals that are shorter than 0.5 or
            NaN are missing.
        measured: Array of the same shape, in the canonical frame, 0 where
            normals are missing.

    Returns:
        dict from frame to the median angle in degrees between measured normals
        and stored normals in that frame, in increasing order of the angle. A
        frame is a triple of canonical axes, one per stored component, such as
        `("+x", "-z", "+y")`. `CANONICAL` is the documented frame.

    Raises:
        ValueError: If no pixel has both normals.
    """
    stored = np.reshape(stored, (-1, 3))
    measured = np.reshape(measured, (-1, 3))
    lengths = np.linalg.norm(stored, axis=-1)
    both = (lengths >= MIN_LENGTH) & measured.any(-1)
    if not both.any():
        raise ValueError(
            "At least one pixel must have a stored and a measured normal. "
            f"Received: {both.size} pixels without both"
        )
    stored = stored[both] / lengths[both, None]
    measured = measured[both]
    errors = {}
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            canonical = np.zeros_like(stored)
            for i, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
                canonical[:, axis] = sign * stored[:, i]
            cosines = np.clip((canonical * measured).sum(-1), -1, 1)
            name = tuple(
                ("+" if sign > 0 else "-") + "xyz"[axis]
                for axis, sign in zip(axes, signs, strict=True)
            )
            errors[name] = float(np.degrees(np.median(np.arccos(cosines))))
    return dict(sorted(errors.items(), key=lambda item: item[1]))
