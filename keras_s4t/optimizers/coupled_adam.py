import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class CoupledAdam(keras.optimizers.Adam):
    """Adam with L2 regularization in the gradient.

    `weight_decay` of Keras optimizers is decoupled from the gradient, as in
    AdamW. This optimizer adds `l2 * weight` to the gradient before Adam
    computes its moments, as in the S4T paper (Appendix A). Weights with small
    gradients then decay much faster. Both are equivalent for SGD without
    momentum.

    Args:
        learning_rate: float or schedule.
        l2: float, not negative. Factor of the weights that are added to the
            gradient.
        **kwargs: Arguments of `keras.optimizers.Adam`, such as `epsilon`.

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
