"""How time and memory grow with what a step is given."""

import math

import numpy as np
from shared.reporting import method_title
from shared.tables import make_table

from benchmarking.report import step_seconds

# What a sweep changes: for people, and from a measured point.
QUANTITIES = {
    "resolution": ("Pixels of an image", lambda p: math.prod(p["size"])),
    "batch": ("Images of a batch", lambda p: p["batch_size"]),
    "tasks": ("Tasks", lambda p: p["num_tasks"]),
    "steps": ("Steps of a fit", lambda p: p["steps"]),
}
HEADERS = ("form", "from", "to", "exponent\nof time", "exponent\nof memory")


def total_seconds(point, name, sweep):
    """Seconds of a step, or of all steps where their number changes."""
    return step_seconds(point, name) * (
        point["steps"] if sweep == "steps" else 1
    )


def exponent(x, y):
    """The exponent `p` of `y = c * x**p`, by least squares of logarithms.

    Args:
        x: Sequence of floats above 0, at least two different ones.
        y: Sequence of floats above 0.

    Returns:
        float. With 1, twice as much takes twice as long; below, less.
    """
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def growth_table(sweeps):
    """One row per sweep and form.

    Args:
        sweeps: dict from the name of a sweep to a list of measured points.

    Returns:
        A `rich.table.Table`.
    """
    table = make_table("Growth", ("quantity", *HEADERS), num_names=2)
    for sweep, points in sweeps.items():
        title, quantity = QUANTITIES[sweep]
        x = [quantity(point) for point in points]
        if len(set(x)) < 2:
            continue
        for name in points[0]["contenders"]:
            measured = [point["contenders"][name] for point in points]
            seconds = [total_seconds(point, name, sweep) for point in points]
            memory = [found["peak_memory"] for found in measured]
            table.add_row(
                title,
                method_title(name),
                f"{min(x):,}",
                f"{max(x):,}",
                f"{exponent(x, seconds):.2f}",
                f"{exponent(x, memory):.2f}",
            )
    return table
