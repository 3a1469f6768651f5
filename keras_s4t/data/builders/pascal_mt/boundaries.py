"""Boundaries between labeled regions."""

from keras_s4t.data.archives.decoding import required


def find_boundaries(label_map):
    """Finds the boundaries of regions, one pixel thick.

    A pixel is on a boundary if the Laplacian of the label ids is not zero. The
    boundaries are then thinned. This is the definition of edges in PASCAL-MT.
    Ids with zero Laplacian, such as 1, 2 and 3 in a row, leave a gap.
    """
    laplace = required("scipy.ndimage", "scipy").laplace
    thin = required("skimage.morphology", "scikit-image").thin
    # As the default border of OpenCV, "mirror" does not repeat the edge pixel.
    return thin(laplace(label_map.astype("int64"), mode="mirror") != 0)
