"""The table of tasks: everything that differs between dense tasks.

No other package tests the name of a task.
"""

from keras_s4t.tasks.binary import binary
from keras_s4t.tasks.depth import depth
from keras_s4t.tasks.edge import edge
from keras_s4t.tasks.label import CLASSES
from keras_s4t.tasks.label import DIRECTION
from keras_s4t.tasks.label import DISTANCE
from keras_s4t.tasks.label import STRENGTH
from keras_s4t.tasks.label import Label
from keras_s4t.tasks.measure import Measure
from keras_s4t.tasks.normals import normals
from keras_s4t.tasks.registration import register
from keras_s4t.tasks.regression import regression
from keras_s4t.tasks.semseg import semseg
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup

TASKS = {"semseg": semseg, "depth": depth, "normals": normals, "edge": edge}
# All functions of this package that make tasks.
FUNCTIONS = {**TASKS, "binary": binary, "regression": regression}
# The labels of `TASKS`, for loaders that know a task by its name alone.
LABELS = {
    "semseg": CLASSES,
    "depth": DISTANCE,
    "normals": DIRECTION,
    "edge": STRENGTH,
}

__all__ = [
    "LABELS",
    "Label",
    "Measure",
    "TASKS",
    "Task",
    "directions",
    "get",
    "get_labels",
    "register",
    *FUNCTIONS,
]


def get(name, **kwargs):
    """Makes a task by its name.

    Args:
        name: `"semseg"`, `"depth"`, `"normals"` or `"edge"`.
        **kwargs: Arguments of the function of that name.

    Returns:
        A `Task`.

    Raises:
        ValueError: If the name is unknown.
    """
    return lookup("task", name, TASKS)(**kwargs)


def directions(tasks):
    """Which way the first metrics of tasks get better.

    Delta_TTT counts one metric of every task.

    Args:
        tasks: list of `Task`.

    Returns:
        dict from the key of a task's first metric to whether higher is better.
    """
    return {task.metric_key: task.higher_is_better for task in tasks}


def get_labels(tasks):
    """The kinds of labels of tasks.

    Args:
        tasks: list of `Task`, or of names of tasks in the table.

    Returns:
        dict from task name to a `Label`, in the order of the tasks.

    Raises:
        ValueError: If a name is unknown.
    """
    return {
        getattr(task, "name", task): (
            task.label
            if isinstance(task, Task)
            else lookup("task", task, LABELS)
        )
        for task in tasks
    }
