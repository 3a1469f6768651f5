import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class MovingAverage(keras.layers.Layer):
    """The exponential moving average of variables.

    Args:
        momentum: float in [0, 1]. What is kept in a step.
    """

    def __init__(self, momentum, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.averages = []

    def build(self, variables):
        """Creates the averages, of the shapes of variables."""
        self.num_steps = self.add_weight(
            name="num_steps",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )
        self.averages = [
            self.add_weight(
                name=f"average_{i}",
                shape=variable.shape,
                dtype=variable.dtype,
                initializer="zeros",
                trainable=False,
            )
            for i, variable in enumerate(variables)
        ]
        self.built = True

    def follow(self, variables):
        """Takes the present values into the averages.

        The first ones are taken as they are.

        Args:
            variables: list of the variables that it was built for.

        Returns:
            list of tensors, the averages.
        """
        is_first = ops.cast(self.num_steps, "float32") == 0
        momentum = ops.where(is_first, 0.0, self.momentum)
        for average, variable in zip(self.averages, variables, strict=True):
            share = ops.cast(momentum, average.dtype)
            value = ops.stop_gradient(ops.convert_to_tensor(variable.value))
            average.assign(share * average + (1 - share) * value)
        self.num_steps.assign(self.num_steps + 1)
        return [average.value for average in self.averages]

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}
