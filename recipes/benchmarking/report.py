"""What the benchmark's measurements say, as numbers and as tables."""

import statistics

from shared.reporting import method_title
from shared.tables import make_table

HEADERS = (
    "form",
    "time\nratio",
    "memory\nratio",
    "floor\n%",
    "seconds\nper step",
    "images\nper s",
    "memory\nGB",
)


def time_ratio(point, name):
    """Seconds relative to the first contender: the median of all rounds.

    Args:
        point: dict, a measured point.
        name: Name of a contender.

    Returns:
        float; below 1 where `name` is faster.
    """
    seconds = _measured(point, name)["seconds"]
    reference = _measured(point, _first(point))["seconds"]
    return statistics.median(
        ours / theirs for ours, theirs in zip(seconds, reference, strict=True)
    )


def memory_ratio(point, name):
    """Peak memory relative to the first contender."""
    reference = _measured(point, _first(point))["peak_memory"]
    return _measured(point, name)["peak_memory"] / reference


def floor_share(point, name):
    """Which part of its seconds the arithmetic alone would have taken.

    The floor is set by the best matrix product that any contender made in
    the same round.

    Args:
        point: dict, a measured point.
        name: Name of a contender.

    Returns:
        float, the median of all rounds, or `None` where the arithmetic of the
        method is not known.
    """
    flops = _measured(point, name)["flops"]
    if flops is None:
        return None
    rates = [measured["rates"] for measured in point["contenders"].values()]
    best = [max(rates_of_round) for rates_of_round in zip(*rates, strict=True)]
    return statistics.median(
        flops / (rate * seconds)
        for rate, seconds in zip(
            best, _measured(point, name)["seconds"], strict=True
        )
    )


def step_seconds(point, name):
    """Seconds per step: the median of all rounds."""
    return statistics.median(_measured(point, name)["seconds"])


def _measured(point, name):
    return point["contenders"][name]


def _first(point):
    return next(iter(point["contenders"]))


def benchmark_table(title, quantity, points):
    """Ratios first, one row per contender of every point.

    Args:
        title: Heading.
        quantity: What the rows differ in: `"operation"`, or a sweep.
        points: list of dicts, the measured points.

    Returns:
        A `rich.table.Table`.
    """
    table = make_table(title, (quantity, *HEADERS), num_names=2)
    for point in points:
        for name in point["contenders"]:
            cells = (method_title(name), *_cells(point, name))
            table.add_row(label(point, quantity), *cells)
    return table


def beside_table(points):
    """What is beside the steps: the first one, and the loader.

    Args:
        points: list of dicts, the measured points of the main table.

    Returns:
        A `rich.table.Table`.
    """
    headers = (
        "form",
        "first\nstep s",
        "seconds\nper step",
        "images\nper s",
        "loader's\nper s",
    )
    title = "Compilation and loader"
    table = make_table(title, ("operation", *headers), num_names=2)
    for point in points:
        for name, measured in point["contenders"].items():
            if "first_seconds" not in measured:
                # Results of an earlier version.
                continue
            seconds = step_seconds(point, name)
            table.add_row(
                label(point, "operation"),
                method_title(name),
                f"{measured['first_seconds']:#.3g}",
                f"{seconds:#.3g}",
                f"{point['batch_size'] / seconds:#.3g}",
                f"{measured['loader_rate']:.0f}",
            )
    return table


def label(point, quantity):
    """The value of what the points of a table differ in."""
    text = {
        "operation": point["operation"],
        "resolution": "x".join(map(str, point["size"])),
        "batch": str(point["batch_size"]),
        "tasks": str(point["num_tasks"]),
        "steps": str(point["steps"]),
    }[quantity]
    if point["dtype"] == "float32":
        return text
    return f"{text} {point['dtype'].removeprefix('mixed_')}"


def _cells(point, name):
    share = floor_share(point, name)
    seconds = step_seconds(point, name)
    yield f"{time_ratio(point, name):.2f}"
    yield f"{memory_ratio(point, name):.2f}"
    yield "" if share is None else f"{100 * share:.0f}"
    yield f"{seconds:#.3g}"
    yield f"{point['batch_size'] / seconds:#.3g}"
    yield f"{_measured(point, name)['peak_memory'] / 1e9:.2f}"
