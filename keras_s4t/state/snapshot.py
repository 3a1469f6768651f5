import numpy as np
from keras import ops


class Snapshot:
    """Copies the values of variables and restores them.

    Args:
        variables: list of `keras.Variable`.
        values: Optional list of arrays instead of their present values.
    """

    def __init__(self, variables, values=None):
        self._variables = list(variables)
        if values is None:
            values = [variable.value for variable in self._variables]
        self._values = [ops.copy(value) for value in values]

    def restore(self, variables=None):
        """Assigns the copied values, bit for bit.

        Args:
            variables: Optional list of variables. Defaults to all.
        """
        wanted = None if variables is None else set(map(id, variables))
        # JAX donates the buffers of variables to the next step, so every
        # `restore` needs copies of its own.
        for variable, value in zip(self._variables, self._values, strict=True):
            if wanted is None or id(variable) in wanted:
                variable.assign(ops.copy(value))

    def retake(self, variables):
        """Copies the present values of some of the variables."""
        wanted = {id(variable) for variable in variables}
        for i, variable in enumerate(self._variables):
            if id(variable) in wanted:
                self._values[i] = ops.copy(variable.value)

    def arrays(self):
        """The copied values, a list of NumPy arrays."""
        return [np.asarray(ops.convert_to_numpy(v)) for v in self._values]
