import keras


class ResetToSource(keras.callbacks.Callback):
    """Returns to the source model before every batch: the episodic protocol.

    Args:
        every: int. Steps between two resets; those that `online_stream` spends
            on a batch.

    Raises:
        ValueError: If `every` is less than 1.
    """

    def __init__(self, every):
        super().__init__()
        if every < 1:
            raise ValueError(
                f"`every` must be at least 1. Received: every={every}"
            )
        self.every = every

    def on_train_batch_begin(self, batch, logs=None):
        # A dataset of unknown size makes `fit` begin one batch too many.
        num_steps = self.params.get("steps")
        is_in_stream = num_steps is None or batch < num_steps
        if batch % self.every == 0 and is_in_stream:
            self.model.reset()
