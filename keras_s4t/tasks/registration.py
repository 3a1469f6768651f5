"""Functions that make tasks, so that models of them can be saved and loaded."""

import dataclasses
import functools
import inspect

import keras
import numpy as np

from keras_s4t.tasks.task import CHANGED
from keras_s4t.tasks.task import FUNCTION
from keras_s4t.tasks.task import Origin
from keras_s4t.tasks.task import Task

# Arguments of the tasks of this package that configurations have only where
# they are not the default: those saved before have none of them.
OPTIONAL = ("metrics", "name", "title")


def register(package="Custom", name=None):
    """Decorator of a function that makes a task of your own.

    A saved model holds the name of the function and its arguments. Loading it
    calls the function again, so the module that registers it must be imported
    before.

    The name, title and weight of a task may also be replaced by
    `dataclasses.replace` without a function of your own.

    Args:
        package: str. Package that the function is registered under, as in
            `keras.saving.register_keras_serializable`.
        name: Optional str, by default the name of the function.

    Returns:
        A decorator. The function must return a `Task`, and its arguments must
        be numbers, strings, bools, `None`, or lists or dicts of them. Tuples
        come back as lists.

    Raises:
        ValueError: If the function takes `*args`, positional-only arguments, or
            one called `task` or `changed`.

    Example:

    ```python
    @keras_s4t.tasks.register("my_project")
    def saliency(weight=1.0):
        task = keras_s4t.tasks.edge("balanced_bce", weight, name="saliency")
        return dataclasses.replace(task, loss=my_loss)
    ```
    """

    def decorate(function):
        _check_signature(function)
        key = f"{package}>{name or function.__name__}"
        make = _recording(function, key)
        return keras.saving.register_keras_serializable(package, name)(make)

    return decorate


def of_this_package(function):
    """As `register`, for the functions of this package, by their names."""
    return _recording(function, function.__name__, OPTIONAL)


def _recording(function, key, optional=()):
    """The function, whose tasks know what made them."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def make(*args, **kwargs):
        task = function(*args, **kwargs)
        if not isinstance(task, Task):
            raise ValueError(
                f"`{function.__name__}` must return a `Task`. Received: {task}"
            )
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        config = {}
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if parameter.kind is parameter.VAR_KEYWORD:
                config |= _plain(value)
            elif name not in optional or _plain(value) != _plain(
                parameter.default
            ):
                config[name] = _plain(value)
        task = dataclasses.replace(task, config=config, origin=None)
        return dataclasses.replace(task, origin=Origin(key, task))

    return make


def _plain(value):
    """The value as JSON gives it back: lists for tuples, plain numbers."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _check_signature(function):
    parameters = inspect.signature(function).parameters.values()
    kinds = {parameter.kind for parameter in parameters}
    names = {parameter.name for parameter in parameters}
    forbidden = {
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.POSITIONAL_ONLY,
    }
    if kinds & forbidden or names & {FUNCTION, CHANGED}:
        raise ValueError(
            "A function that makes a task must take arguments by name, none of "
            f"them called '{FUNCTION}' or '{CHANGED}'. Received: "
            f"{function.__name__}{inspect.signature(function)}"
        )
