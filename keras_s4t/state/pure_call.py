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
        Pair of the result of `fn` and the `keras.StatelessScope` it ran in,
        which has the values that `fn` assigned.
    """
    scope = keras.StatelessScope(list(zip(variables, values, strict=True)))
    with scope:
        result = fn()
    return result, scope


def written_variables(variables, values, scope):
    """The variables that a call of `run_on` in a scope assigned to."""
    return [
        variable
        for variable, value in zip(variables, values, strict=True)
        if scope.get_current_value(variable) is not value
    ]


def without_writing(fn, variables):
    """The result of `fn()`, whose assignments to variables are discarded."""
    values = [variable.value for variable in variables]
    return run_on(fn, variables, values)[0]
