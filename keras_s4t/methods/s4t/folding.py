import numpy as np
from keras import ops


def fold_resize(x, kernel, scales):
    """Folds bilinear upsampling into the patch convolution that follows it.

    Both are linear, and every patch of the upsampled map depends in the same
    way on a small window of `x`: for upsampling by 4 and patches of 16 pixels,
    on 6x6 pixels at stride 4. The upsampled map is not computed:
    `conv(upsample(x), kernel) == conv(*fold_resize(x, kernel, scales))`.

    Args:
        x: Tensor of shape `(batch_size, height, width, channels)`.
        kernel: Tensor of shape `(patch_size, patch_size, channels, filters)`.
        scales: Pair of ints, the upsampling factors of height and width.
            Divisors of `patch_size`.

    Returns:
        Pair of `x`, padded by its edge values along the upsampled axes, and
        the folded kernel. The convolution of both has valid padding and strides
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
    """Interpolation weights from the window of a patch to its pixels.

    The window starts one pixel before the patch. The weights are a float32
    NumPy array of shape `(patch_size, patch_size / scale + 2)`.
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
