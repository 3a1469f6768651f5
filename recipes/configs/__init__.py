"""What recipes share: tasks, networks and methods per source dataset.

Every module of this folder holds a `Configuration`, `CONFIG`.
"""

import dataclasses
import importlib
import pkgutil

NAMES = sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name, **options):
    """The configuration of that name.

    Args:
        name: string, one of `NAMES`.
        **options: Arguments of its class. Those that are `None` are left
            alone.

    Returns:
        A `Configuration`.

    Raises:
        ValueError: If the configuration has no such option.
    """
    config = importlib.import_module(f"{__name__}.{name}").CONFIG
    options = {k: v for k, v in options.items() if v is not None}
    known = [field.name for field in dataclasses.fields(config)]
    if not set(options) <= set(known):
        raise ValueError(
            f"Options of the configuration '{name}' must be of {known}. "
            f"Received: {options}"
        )
    return dataclasses.replace(config, **options)
