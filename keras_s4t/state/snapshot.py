from keras import ops


class Snapshot:
    """Copies of variables' values, and their exact restoration.

    Args:
        variables: list of `keras.Variable`.
    """

    def __init__(self, variables):
        self._variables = list(variables)
        self._values = [ops.copy(variable.value) for variable in variables]

    def restore(self):
        """Puts every value back, bit for bit."""
        # A copy each time: JAX donates what a variable holds to the next step.
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(ops.copy(value))
