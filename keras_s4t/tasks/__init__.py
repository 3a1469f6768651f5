"""The table of tasks: everything that differs between dense tasks.

Nothing outside this package tests the name of a task.
"""

from keras_s4t.tasks.depth import depth
from keras_s4t.tasks.edge import edge
from keras_s4t.tasks.normals import normals
from keras_s4t.tasks.semseg import semseg
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup

TASKS = {"semseg": semseg, "depth": depth, "normals": normals, "edge": edge}

__all__ = ["TASKS", "Task", "get", *TASKS]


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
