import keras
from keras import ops

LOSS_BALANCES = ("fixed", "awl")


@keras.saving.register_keras_serializable("keras_s4t")
class LossBalance(keras.layers.Layer):
    """Weighted sum of the losses of several tasks.

    - `"fixed"`: `sum_k w_k L_k` with constant weights.
    - `"awl"`: automatic weighting, `sum_k L_k / (2 s_k^2) + log(1 + s_k^2)`
      with a trainable `s_k` per task, initially 1.

    Args:
        weights: dict from task name to its weight, used by `"fixed"`.
        strategy: `"fixed"` or `"awl"`.

    Call arguments:
        losses: dict from task name to a scalar.

    Returns:
        A scalar.

    Raises:
        ValueError: If `strategy` is unknown.

    References:
    - [Kendall et al., 2018](https://arxiv.org/abs/1705.07115)
    - [Liebel and Koerner, 2018](https://arxiv.org/abs/1805.06334)
    """

    def __init__(self, weights, strategy="fixed", **kwargs):
        # Losses are float32 with every dtype policy of the network.
        super().__init__(**{**kwargs, "dtype": "float32"})
        if strategy not in LOSS_BALANCES:
            raise ValueError(
                f"The loss balance must be one of {LOSS_BALANCES}. "
                f"Received: loss_balance={strategy!r}"
            )
        self.weights_by_task = dict(sorted(weights.items()))
        self.strategy = strategy
        self.scales = {}
        if strategy == "awl":
            self.scales = {
                name: self.add_weight(
                    name=f"{name}_scale", shape=(), initializer="ones"
                )
                for name in self.weights_by_task
            }
        self.built = True

    def call(self, losses):
        return sum(self._balanced(name, loss) for name, loss in losses.items())

    def _balanced(self, name, loss):
        if self.strategy == "fixed":
            return self.weights_by_task[name] * loss
        squared_scale = ops.square(self.scales[name])
        return loss / (2 * squared_scale) + ops.log1p(squared_scale)

    def get_config(self):
        return {
            **super().get_config(),
            "weights": self.weights_by_task,
            "strategy": self.strategy,
        }
