"""What recipes share: tasks, networks and methods per source dataset."""

import importlib
import pkgutil

NAMES = sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name):
    """The configuration of that name, a module of this folder.

    Args:
        name: string, one of `NAMES`.

    Returns:
        A module with `SOURCE`, `TARGETS`, `LOAD_OPTIONS`, `LEARNING_RATE`,
        `make_tasks`, `make_network`, `make_method`, `make_trainer` and
        `make_optimizer`, as those of `synth_rooms.py`.
    """
    return importlib.import_module(f"{__name__}.{name}")
