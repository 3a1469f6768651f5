import keras

from keras_s4t.callbacks.stream_steps import check_steps_per_batch


class ResetToSource(keras.callbacks.Callback):
    """Resets the model to the source model before every batch.

    This is the episodic protocol.

    Args:
        every: int. Number of steps between two resets, the `steps` of
            `online_stream`.

    Raises:
        ValueError: If `every` is less than 1 or the size of the stream is
            unknown. See `online_stream`.
    """

    def __init__(self, every):
        super().__init__()
        if every < 1:
            raise ValueError(
                f"`every` must be at least 1. Received: every={every}"
            )
        self.every = every

    def on_train_begin(self, logs=None):
        check_steps_per_batch(self, every=self.every)
        # With unknown size, TensorFlow begins one batch too many, and a reset
        # there would undo the adaptation.
        if self.params.get("steps") is None:
            raise ValueError(
                "The stream must be of known size, see `online_stream`. "
                "Received: a stream of unknown size"
            )

    def on_train_batch_begin(self, batch, logs=None):
        if batch % self.every == 0:
            self.model.reset()
