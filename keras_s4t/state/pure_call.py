"""Running stateful code as a pure function of its variables."""

import keras


def run_on(fn, variables, values):
    """Calls `fn()` with given values of variables, without writing to them.

    Args:
        fn: Function without arguments. It may read and assign variables.
        variables: list of `keras.Variable`. It must contain all variables that
            `fn` reads, since the JAX trainer keeps their current values
            outside of them.
        values: list of tensors, one per variable.

    Returns:
        Pair of the result of `fn` and the `keras.StatelessScope` it ran in.
        `scope.get_current_value(variable)` is the value that `fn` assigned to
        the variable.
    """
    scope = keras.StatelessScope(list(zip(variables, values, strict=True)))
    with scope:
        result = fn()
    return result, scope


def written_variables(variables, values, scope):
    """Finds the variables that a pure call assigned to.

    Args:
        variables: list of `keras.Variable`, as passed to `run_on`.
        values: list of tensors, as passed to `run_on`.
        scope: The scope returned by `run_on`.

    Returns:
        list of `keras.Variable`.
    """
    return [
        variable
        for variable, value in zip(variables, values, strict=True)
        if scope.get_current_value(variable) is not value
    ]


def without_writing(fn, variables):
    """Calls `fn()` and discards its assignments.

    Args:
        fn: Function without arguments.
        variables: list of `keras.Variable` that `fn` may read or assign.

    Returns:
        The result of `fn`.
    """
    values = [variable.value for variable in variables]
    return run_on(fn, variables, values)[0]
