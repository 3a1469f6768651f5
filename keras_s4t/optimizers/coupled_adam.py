import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class CoupledAdam(keras.optimizers.Adam):
    """Adam whose weight decay is part of the gradient.

    `weight_decay` of Keras's optimizers shrinks the weights by itself, as
    AdamW. The paper's optimizer adds the gradient of the squared norm to that
    of the loss before Adam takes its moments, so that weights with small
    gradients decay much faster (appendix A). The two are the same for SGD
    without momentum.

    Args:
        learning_rate: float or schedule.
        l2: float, not negative. What the weights are multiplied by before
            they are added to the gradient.
        **kwargs: Those of `keras.optimizers.Adam`, such as `epsilon`.

    Raises:
        ValueError: If `l2` is negative.

    Example:

    ```python
    trainer.compile(keras_s4t.optimizers.CoupledAdam(2e-5, l2=1e-6))
    ```
    """

    def __init__(
        self, learning_rate=0.001, l2=1e-6, name="coupled_adam", **kwargs
    ):
        super().__init__(learning_rate, name=name, **kwargs)
        if l2 < 0:
            raise ValueError(f"`l2` must not be negative. Received: l2={l2}")
        self.l2 = l2

    def update_step(self, gradient, variable, learning_rate):
        decay = self.l2 * ops.cast(variable, gradient.dtype)
        super().update_step(gradient + decay, variable, learning_rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2}
