from keras import ops


class Snapshot:
    """Copies the values of variables and restores them."""

    def __init__(self, variables):
        self._variables = list(variables)
        self._values = [ops.copy(variable.value) for variable in variables]

    def restore(self):
        """Assigns the copied values, bit for bit."""
        # JAX donates the buffers of variables to the next step, so every
        # `restore` needs copies of its own.
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(ops.copy(value))
