"""Scalings of the values of images."""

from keras_s4t import imagenet


def as_taskonomy_release(image):
    """A float32 image in 0 ... 255 that the network normalizes to [-1, 1].

    The authors' release scales Taskonomy's images to [-1, 1], and those of
    NYUD and PASCAL by ImageNet's mean and deviation. So part of the shift
    between them is a gain of about 2.2, which batch norm statistics undo.
    """
    import tensorflow as tf

    return 255.0 * (
        (image / 127.5 - 1.0) * tf.constant(imagenet.STD) + imagenet.MEAN
    )


#: Functions by the names that `load` takes.
IMAGE_SCALINGS = {
    None: lambda image: image,
    "taskonomy_release": as_taskonomy_release,
}
