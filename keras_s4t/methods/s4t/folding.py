import numpy as np
from keras import ops


def fold_resize(x, kernel, scales):
    """Folds a bilinear enlargement into the patch convolution that follows it.

    Both are linear, and every patch of the enlarged map depends in the same
    way on a small window of `x`: for an enlargement by 4 and patches of 16
    pixels, on 6x6 pixels at stride 4. So the large map need not exist:
    `conv(enlarge(x), kernel) == conv(*fold_resize(x, kernel, scales))`.

    Args:
        x: Tensor of shape `(batch_size, height, width, channels)`.
        kernel: Tensor of shape `(patch_size, patch_size, channels, filters)`.
        scales: Pair of ints, divisors of `patch_size`, by which height and
            width are enlarged.

    Returns:
        Pair of `x` with its edges repeated where windows reach beyond them,
        and the folded kernel, for a convolution with valid padding and strides
        `patch_size / scale`.
    """
    for axis, scale in enumerate(scales):
        if scale > 1:
            weights = window_weights(kernel.shape[axis], scale)
            weights = ops.cast(weights, kernel.dtype)
            equation = ("pw,pxcf->wxcf", "pw,xpcf->xwcf")[axis]
            kernel = ops.einsum(equation, weights, kernel)
            x = _repeat_edges(x, axis + 1)
    return x, kernel


def window_weights(patch_size, scale):
    """Interpolation weights of a patch's pixels on its window.

    Args:
        patch_size: int. Pixels of the patch along one axis.
        scale: int. Enlargement; divides `patch_size`.

    Returns:
        A float32 NumPy array of shape `(patch_size, patch_size / scale + 2)`.
        The window starts one pixel before the patch.
    """
    # Half-pixel centers, in pixels of the window.
    centers = (np.arange(patch_size) + 0.5) / scale + 0.5
    positions = np.arange(patch_size // scale + 2)
    distances = np.abs(centers[:, None] - positions[None])
    return np.maximum(1 - distances, 0).astype("float32")


def _repeat_edges(x, axis):
    before = (slice(None),) * axis
    first, last = x[(*before, slice(1))], x[(*before, slice(-1, None))]
    return ops.concatenate([first, x, last], axis=axis)
