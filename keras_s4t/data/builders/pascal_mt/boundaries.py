"""Boundaries between labeled regions."""

from keras_s4t.data.archives.decoding import required


def find_boundaries(label_map):
    """Finds the boundaries of regions, one pixel thick.

    They are where the Laplacian of the labels, taken as numbers, is not zero,
    thinned. This is how the edges of PASCAL-MT are defined; numbers of labels
    that balance, such as 1, 2 and 3 in a row, leave a gap.

    Args:
        label_map: integer array of shape `(height, width)`.

    Returns:
        bool array of that shape.

    Raises:
        ImportError: If SciPy or scikit-image is not installed.
    """
    laplace = required("scipy.ndimage", "scipy").laplace
    thin = required("skimage.morphology", "scikit-image").thin
    # OpenCV's default border, too, does not repeat the outermost pixel.
    return thin(laplace(label_map.astype("int64"), mode="mirror") != 0)
