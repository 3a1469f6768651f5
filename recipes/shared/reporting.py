"""What tables and figures call methods and tasks."""

import keras_s4t

CONTROL = "BatchNormOnly"


def method_title(name):
    """What tables and figures call a method.

    Args:
        name: Name of a contender or of a method's class.

    Returns:
        string, the `title` of the method, or its name if it has none.
    """
    method = keras_s4t.methods.METHODS.get(name)
    return (method.title if method else "") or name


def by_title(values):
    """The same dict, with the titles of methods instead of their names."""
    return {method_title(name): value for name, value in values.items()}


def task_header(task):
    """Name, metric, its direction and its unit, one below the other."""
    arrow = "↑" if task.higher_is_better else "↓"
    metric = task.metric_key.removeprefix(f"{task.name}_")
    return f"{task.name}\n{metric} {arrow}\n{task.metric_unit or ''}"
