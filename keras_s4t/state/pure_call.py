"""Running stateful code as a pure function of its variables."""

import keras


def run_on(fn, variables, values):
    """Calls `fn()` with values in place of variables, and writes nothing.

    Args:
        fn: Function without arguments. It may read and assign variables.
        variables: list of `keras.Variable`. All that `fn` reads must be among
            them, since the JAX trainer holds their real values elsewhere.
        values: list of tensors, one per variable.

    Returns:
        Pair of what `fn` returned and the `keras.StatelessScope` it ran in,
        whose `get_current_value(variable)` tells what `fn` would have left in
        a variable.
    """
    scope = keras.StatelessScope(list(zip(variables, values, strict=True)))
    with scope:
        result = fn()
    return result, scope


def written_variables(variables, values, scope):
    """The variables that something was assigned to.

    Args:
        variables: list of `keras.Variable`, as `run_on` took them.
        values: Their values, as `run_on` took them.
        scope: The scope that `run_on` returned.

    Returns:
        list of `keras.Variable`.
    """
    return [
        variable
        for variable, value in zip(variables, values, strict=True)
        if scope.get_current_value(variable) is not value
    ]


def without_writing(fn, variables):
    """Calls `fn()` and forgets what it assigned.

    Args:
        fn: Function without arguments.
        variables: list of `keras.Variable` that `fn` may read or assign.

    Returns:
        What `fn` returned.
    """
    values = [variable.value for variable in variables]
    return run_on(fn, variables, values)[0]
