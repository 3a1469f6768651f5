"""Physical values as colors: classes, scalars and surface normals.

Missing values (ignored classes, NaN, zero vectors) are white everywhere.
Matplotlib is imported where a color map is needed, so that importing this
module costs nothing.
"""

import numpy as np

# The first ten are those of Petroff ("Accessible Color Sequences for Data
# Visualization", arXiv:2107.02270), which stay apart under the usual color
# vision deficiencies; gray and khaki come first because the first classes
# (background or wall, floor) fill most of a picture. The rest were chosen one
# by one, neither very dark nor nearly white, each the farthest in OKLab from
# all before it.
_HEX = """
94A4A2 B9AC70 3F90DA FFA90E BD1F01 832DB6 92DADD A96B59 717581 E76300
FF66FF 00FF00 005500 0000FF 009900 004488 662233 DD0099 FFBBFF DDEE55
9966FF 00CC77 FF8899 FFDDBB 00FFBB BB99EE CC00EE 775500 990066 4400BB
0066FF FF1155 006666 6611FF AA66AA 55BBFF 552277 998800 009988 AACC00
3366AA FF55AA 447733 444433 774466 DDBBBB 00BBBB CC8877
"""

#: One color per class: NumPy array of shape `(48, 3)`, uint8.
CLASS_COLORS = np.array([list(bytes.fromhex(h)) for h in _HEX.split()], "uint8")
CLASS_COLORS.setflags(write=False)

#: Evenly bright, in gray print and for color-blind readers too.
SCALAR_COLORMAP = "viridis"


def common_range(arrays):
    """The range of values that pictures to be compared should share.

    Args:
        arrays: list of float arrays of any shape, depth in meters, say.
            Zeros (missing depth) and values that are not finite do not count.

    Returns:
        Pair of floats `(low, high)`; `(0.0, 1.0)` if nothing counts.
    """
    values = np.concatenate([np.ravel(array) for array in arrays])
    values = values[np.isfinite(values) & (values != 0)]
    if not values.size:
        return (0.0, 1.0)
    return (float(values.min()), float(values.max()))


def color_classes(ids, ignore_class=255):
    """Paints class ids with `CLASS_COLORS`.

    Args:
        ids: int array of shape `(height, width)` or `(height, width, 1)`. Ids
            beyond the last color start again with the first.
        ignore_class: int. Pixels with this id become white, and so do those
            with -1, the prediction of logits that are NaN.

    Returns:
        uint8 array of shape `(height, width, 3)`.
    """
    ids = _without_channel(ids)
    ignored = (ids == ignore_class) | (ids == -1)
    known = np.where(ignored, 0, ids).astype("int64")
    if (known < 0).any():
        raise ValueError(
            "`ids` must not be negative, except for `ignore_class` and -1. "
            f"Received: ids from {known.min()}, ignore_class={ignore_class}"
        )
    return _white_where(ignored, CLASS_COLORS[known % len(CLASS_COLORS)])


def color_scalar(values, low, high, colormap=SCALAR_COLORMAP, missing=None):
    """Paints scalars with a Matplotlib color map.

    Args:
        values: float array of shape `(height, width)` or
            `(height, width, 1)`. NaN is white.
        low: float. The value at the low end of the color map, in the unit of
            `values`. Smaller values get the same color.
        high: float. The value at the high end.
        colormap: string. The name of a Matplotlib color map.
        missing: float or None. Pixels with this value are white too: 0 for
            depth.

    Returns:
        uint8 array of shape `(height, width, 3)`.
    """
    from matplotlib import colormaps

    if not low <= high:
        raise ValueError(
            f"`low` must not exceed `high`. Received: low={low}, high={high}"
        )
    values = _without_channel(np.asarray(values, "float64"))
    hidden = np.isnan(values) | (values == missing)
    span = (high - low) or 1.0
    shares = np.clip((np.where(hidden, low, values) - low) / span, 0.0, 1.0)
    return _white_where(
        hidden, colormaps[colormap](shares, bytes=True)[..., :3]
    )


def color_normals(normals):
    """Paints unit normals as `(n + 1) / 2 * 255`, one channel per axis.

    Args:
        normals: float array of shape `(height, width, 3)`, unit vectors in
            camera axes: x right (red), y up (green), z towards the camera
            (blue). A zero vector marks a missing value: white.

    Returns:
        uint8 array of shape `(height, width, 3)`.
    """
    normals = np.asarray(normals, "float64")
    if normals.ndim != 3 or normals.shape[-1] != 3:
        raise ValueError(
            "`normals` must have shape `(height, width, 3)`. "
            f"Received: normals of shape {normals.shape}"
        )
    rgb = np.rint(np.clip((normals + 1.0) / 2.0, 0.0, 1.0) * 255.0)
    return _white_where(~normals.any(axis=-1), rgb.astype("uint8"))


def _without_channel(values):
    values = np.asarray(values)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != 2:
        raise ValueError(
            "The values must have shape `(height, width)` or `(height, width, "
            f"1)`. Received: values of shape {values.shape}"
        )
    return values


def _white_where(missing, rgb):
    return np.where(missing[..., None], 255, rgb).astype("uint8")
