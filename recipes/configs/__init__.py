"""What recipes share: tasks, networks and methods per source dataset.

A configuration is a module with a `Configuration`, `CONFIG`.
"""

import dataclasses
import importlib

NAMES = (
    "nyud_taskonomy",
    "pascal_taskonomy",
    "synth_rooms",
    "synth_rooms_128",
    "synth_rooms_resnet50",
    "taskonomy_nyud",
    "taskonomy_pascal",
)


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
