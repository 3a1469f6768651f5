"""Measure S4T's steps against the composition of the paper's authors.

    python recipes/benchmark.py --output runs/benchmark

Both forms have the same weights and give the same results; see
`literal_composition.py`. The forms of an operation take turns, so that a ratio
comes from the same minutes of a noisy machine, and a large matrix product
between the turns tells how fast the machine is: the floor is the time that the
arithmetic of the operation would take at that speed. The main table is followed
by the adaptation step over the resolution, the batch, the tasks and the steps
of a fit. `--methods` measures the adaptation steps of methods instead, and
`--forms unguarded fast` what it costs that a step which is not finite changes
nothing: the same at every size of images, so that `--size 64 --batch-size 1`
shows it best. `--forms convolved fast` measures what it gains on JAX that
convolutions are matrix products where those are faster.

On two cores at 256x256, eight images, TensorFlow with oneDNN, an adaptation
step took 0.50 of the literal form's time and 0.52 of its memory. An hour for
everything; two minutes for `--operations adapt --sweeps --repeats 5`.

Writes `results.json` after every finished point, which the same command does
not measure again, and `scaling.png`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import itertools
import pathlib
import sys
import time

import keras
from benchmarking.growth import growth_table
from benchmarking.points import BATCH_SIZES
from benchmarking.points import FORMS
from benchmarking.points import SWEEPS
from benchmarking.points import VARIANTS
from benchmarking.points import Point
from benchmarking.points import main_points
from benchmarking.points import method_points
from benchmarking.points import sweep_points
from benchmarking.report import benchmark_table
from benchmarking.report import beside_table
from benchmarking.results import BenchmarkResults
from benchmarking.scaling_plot import scaling_plot
from benchmarking.turns import WorkerError
from benchmarking.turns import measure
from rich.console import Console

import keras_s4t

OPERATIONS = ("adapt", "predict", "source")


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--size", type=int, nargs="+", help="height and width, or a side"
    )
    parser.add_argument("--batch-size", type=int)
    parser.add_argument(
        "--batch-sizes",
        type=int,
        nargs="+",
        default=BATCH_SIZES,
        help="of the sweep over the batch",
    )
    parser.add_argument(
        "--operations", nargs="+", default=OPERATIONS, choices=OPERATIONS
    )
    parser.add_argument(
        "--forms", nargs="+", default=FORMS, choices=(*VARIANTS, *FORMS)
    )
    parser.add_argument("--sweeps", nargs="*", choices=SWEEPS)
    parser.add_argument(
        "--dtypes",
        nargs="+",
        default=["float32"],
        choices=("float32", "mixed_bfloat16"),
        help="of the main table; the first one is that of the sweeps",
    )
    parser.add_argument(
        "--methods", nargs="+", choices=sorted(keras_s4t.methods.METHODS)
    )
    parser.add_argument("--repeats", type=int, help="rounds of turns")
    parser.add_argument("--output", type=pathlib.Path, default="runs/benchmark")
    parser.add_argument(
        "--fresh", action="store_true", help="measure everything again"
    )
    parser.add_argument("--quick", action="store_true", help="a minute")
    arguments = parser.parse_args()
    quick_or_not = {
        "size": ([64], [256]),
        "batch_size": (2, 8),
        "repeats": (2, 7),
        "sweeps": (("steps",), SWEEPS),
    }
    for name, (quick, default) in quick_or_not.items():
        if getattr(arguments, name) is None:
            value = quick if arguments.quick else default
            setattr(arguments, name, value)
    check(arguments, parser)
    return arguments


def check(arguments, parser):
    """Leaves the recipe with a message unless the arguments make sense."""
    size = arguments.size
    if len(size) > 2 or any(n < 32 or n % 32 for n in size):
        parser.error(f"--size must be multiples of 32, one or two, not {size}")
    arguments.size = (size[0], size[-1])
    arguments.forms = [
        form for form in (*VARIANTS, *FORMS) if form in arguments.forms
    ]
    for name in ("batch_size", "batch_sizes", "repeats"):
        value = getattr(arguments, name)
        smallest = min(value) if name == "batch_sizes" else value
        if smallest < 1:
            flag = f"--{name.replace('_', '-')}"
            parser.error(f"{flag} must be at least 1, not {smallest}")


def make_parts(arguments):
    """Dict from the name of a table to its points."""
    base = Point(
        operation="adapt",
        contenders=tuple(arguments.forms),
        size=arguments.size,
        batch_size=arguments.batch_size,
        num_tasks=4,
        dtype=arguments.dtypes[0],
        quick=arguments.quick,
        repeats=arguments.repeats,
    )
    if arguments.methods:
        return {"methods": method_points(base, arguments.methods)}
    parts = {
        "operation": main_points(
            base, arguments.operations, arguments.forms, arguments.dtypes
        )
    }
    for sweep in arguments.sweeps:
        parts[sweep] = sweep_points(base, sweep, arguments.batch_sizes)
    return parts


def measure_all(points, results):
    """Measures the points that have no result yet.

    Args:
        points: list of `Point`.
        results: `BenchmarkResults`.

    Returns:
        list of messages, one per group of points that could not be measured.
    """
    points = {point.key: point for point in points}.values()
    points = [point for point in points if point.key not in results.points]
    groups = {}
    for point in points:
        groups.setdefault(point.setting, []).append(point)
    if not groups:
        return []
    rounds = sum(point.repeats for point in points)
    progress = keras.utils.Progbar(rounds, unit_name="round")
    failures = []
    for group in groups.values():
        try:
            measured = measure(group, on_round=lambda: progress.add(1))
        except WorkerError as error:
            failures.append(str(error))
            print(f"\n{error}", file=sys.stderr)
            continue
        for point, result in zip(group, measured, strict=True):
            results.add(point.key, result)
    return failures


def show(parts, results, output):
    """Prints the tables and draws the sweeps, of what has been measured."""
    measured = {
        name: [results.points[p.key] for p in points if p.key in results.points]
        for name, points in parts.items()
    }
    measured = {name: points for name, points in measured.items() if points}
    console = Console()
    for name, points in measured.items():
        quantity = "operation" if name == "methods" else name
        console.print(benchmark_table(f"By {name}", quantity, points))
    if "operation" in measured:
        console.print(beside_table(measured["operation"]))
    sweeps = {name: measured[name] for name in SWEEPS if name in measured}
    if sweeps:
        console.print(growth_table(sweeps))
        scaling_plot(sweeps, output / "scaling.png")


def main():
    """Runs the recipe."""
    arguments = parse_arguments()
    start = time.time()
    try:
        results = BenchmarkResults(
            arguments.output / "results.json", arguments.fresh
        )
    except ValueError as error:
        sys.exit(f"benchmark.py: error: {error}")
    parts = make_parts(arguments)
    points = list(itertools.chain.from_iterable(parts.values()))
    failures = measure_all(points, results)
    show(parts, results, arguments.output)
    print(f"Done in {time.time() - start:.0f} s: see {arguments.output}")
    if failures:
        sys.exit(f"{len(failures)} of the settings could not be measured.")


if __name__ == "__main__":
    main()
