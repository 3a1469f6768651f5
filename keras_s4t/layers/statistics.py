import keras


class Statistics(keras.layers.Layer):
    """Base class of layers that hold statistics of the source or target.

    The statistics are weights, so that they are saved with the model and
    their collection can be resumed. They are float32 with every dtype policy.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})

    def add_statistic(self, name, shape, dtype="float32"):
        """Adds a weight that starts at zero and is not trainable."""
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
        )
