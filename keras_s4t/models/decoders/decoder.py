import keras


@keras.saving.register_keras_serializable("keras_s4t")
class Decoder(keras.layers.Layer):
    """Base class of decoders: predictions of all tasks from a feature pyramid.

    A subclass creates its layers in `build` and implements `call`. A decoder
    with deep supervision implements `with_auxiliaries`, too: in source
    training, the losses of the tasks are added for every auxiliary prediction.

    Args:
        num_outputs: dict from task name to the number of its output channels,
            in the order of the tasks of the network.

    Call arguments:
        features: dict from level (`"P2"`, ...) to a tensor of shape
            `(batch_size, height, width, channels)`, finest level first in
            alphabetical order.
        size: Pair of ints or int tensors, `(height, width)` of the outputs. A
            keyword argument, since Keras takes tensors alone by position.
        training: bool. Whether batch norms normalize with, and follow, the
            statistics of the batch.

    Returns:
        dict from task name to raw outputs of shape
        `(batch_size, *size, num_outputs)`.

    Example:

    ```python
    class CoarseDecoder(keras_s4t.models.Decoder):
        def build(self, features_shape):
            self.level = max(features_shape)
            self.heads = {
                name: keras.layers.Conv2D(filters, 1)
                for name, filters in self.num_outputs.items()
            }
            for head in self.heads.values():
                head.build(features_shape[self.level])

        def call(self, features, size, training=False):
            return {
                name: keras.ops.image.resize(head(features[self.level]), size)
                for name, head in self.heads.items()
            }

    decoder = CoarseDecoder({"semseg": 7, "depth": 1})
    ```
    """

    def __init__(self, num_outputs, **kwargs):
        super().__init__(**kwargs)
        self.num_outputs = dict(num_outputs)

    def build(self, features_shape):
        """Creates the layers.

        Args:
            features_shape: dict from level to
                `(batch_size, height, width, channels)`, `None` where unknown.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement `build`."
        )

    def call(self, features, size, training=False):
        raise NotImplementedError(
            f"{type(self).__name__} must implement `call`."
        )

    def with_auxiliaries(self, features, size, training=False):
        """Predictions, and auxiliary ones for deep supervision.

        Args:
            features: As in the call arguments.
            size: As in the call arguments.
            training: As in the call arguments.

        Returns:
            Pair of what a call returns and a list of dicts of the same kind,
            raw outputs at `size` by task name. Here the list is empty.
        """
        return self(features, size=size, training=training), []

    def get_config(self):
        return {**super().get_config(), "num_outputs": dict(self.num_outputs)}
