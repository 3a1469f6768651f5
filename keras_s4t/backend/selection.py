from keras import ops


def write_selected(condition, write, variables):
    """Calls `write()` and takes back what it assigned where a condition fails.

    Args:
        condition: Bool scalar. The host does not wait for it.
        write: Function without arguments that assigns to the variables.
        variables: list of `keras.Variable`.
    """
    # Copies: on PyTorch, `assign` changes tensors in place.
    before = [ops.copy(variable.value) for variable in variables]
    write()
    for variable, value in zip(variables, before, strict=True):
        variable.assign(ops.where(condition, variable.value, value))
