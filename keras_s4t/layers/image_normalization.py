import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class ImageNormalization(keras.layers.Layer):
    """Normalizes RGB images in 0 ... 255 by mean and standard deviation.

    Keras's `Rescaling` would do, but asks for TensorFlow on every backend.

    Args:
        mean: Triple of floats, of images scaled to [0, 1].
        std: Triple of floats, of images scaled to [0, 1].

    Call arguments:
        images: Tensor of shape `(batch_size, height, width, 3)`, float or
            uint8 RGB in 0 ... 255.

    Returns:
        A tensor of the same shape: `(images / 255 - mean) / std`.
    """

    def __init__(self, mean, std, **kwargs):
        super().__init__(**kwargs)
        self.mean = tuple(mean)
        self.std = tuple(std)
        self.scale = 1 / (255 * np.asarray(std, "float32"))
        self.offset = -np.asarray(mean, "float32") / np.asarray(std, "float32")
        self.built = True

    def call(self, images):
        images = ops.cast(images, self.compute_dtype)
        scale = ops.cast(self.scale, images.dtype)
        return images * scale + ops.cast(self.offset, images.dtype)

    def compute_output_shape(self, images_shape):
        return images_shape

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "std": self.std}
