"""What a task is measured by: metrics with their names for logs and people."""

import dataclasses
import functools
from collections.abc import Callable

from keras_s4t import metrics


@dataclasses.dataclass(frozen=True)
class Measure:
    """One metric of a task.

    Attributes:
        name: Its name within the task. The key in logs and curves is
            `"<name of the task>_<name of the measure>"`.
        title: Its name for people.
        unit: Its unit, empty if it has none.
        higher_is_better: Its direction.
        make: `make(name=...)`, a new Keras metric on postprocessed values.
        is_dict: Whether the result is a dict of scalars, such as one per class,
            instead of one scalar. Such a measure cannot be the first of a task.

    Example:

    ```python
    Measure("mae", "MAE", "m", False, keras_s4t.metrics.MeanAbsoluteError)
    ```
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    make: Callable
    is_dict: bool = False


def choose(names, measures):
    """The measures of these names, in their order.

    Args:
        names: list or tuple of str, the argument `metrics` of a task.
        measures: dict from name to `Measure`.

    Raises:
        ValueError: If there is no name, or one is unknown.
    """
    if isinstance(names, str) or not names or not set(names) <= set(measures):
        raise ValueError(
            "`metrics` must be a list of at least one of "
            f"{list(measures)}. Received: metrics={names!r}"
        )
    return tuple(measures[name] for name in names)


def rmse(unit, alignment="none"):
    """The RMSE of values after an alignment, see `RootMeanSquaredError`.

    Aligned errors have another name and title, since they compare with no
    others. An unknown alignment is a `ValueError`.
    """
    name, title = "rmse", "RMSE"
    if alignment != "none":
        name = f"{alignment}_rmse"
        title = f"RMSE, {alignment.replace('_', ' ')}"
    make = functools.partial(metrics.RootMeanSquaredError, alignment=alignment)
    # Raises an error for an unknown alignment.
    make()
    return Measure(name, title, unit, False, make)


def mae(unit):
    """The mean absolute error."""
    return Measure("mae", "MAE", unit, False, metrics.MeanAbsoluteError)
