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


def apply_statelessly(optimizer, gradients, updated):
    """Applies gradients without branches that assign."""
    variables = [*updated, *optimizer.variables]
    values = optimizer.stateless_apply(
        [v.value for v in optimizer.variables],
        gradients,
        [v.value for v in updated],
    )
    for variable, value in zip(
        variables, [*values[0], *values[1]], strict=True
    ):
        variable.assign(value)
