"""Compare all methods: one source, several targets, several seeds.

    python recipes/compare_methods.py --tune --output runs/comparison

Trains the source models that the methods need (those that add nothing to the
source training share one per seed), adapts each of them to every target, and
keeps everything in `results.json`, from which `draw_figures.py` draws the
tables and figures again. `--tune` first chooses the learning rate and the
number of steps of every method on corrupted *source* images, with the same
budget for all; without it, methods take their authors' learning rates and
`--steps`.

An interrupted comparison goes on where it was when the same command is given
again. Another setting finds no old result, but leaves it in the file.

`--jobs 2` trains and adapts in two processes, `--cluster` in those of a Ray or
Dask cluster. A worker that dies is replaced. The results are those of one
process, up to the last digits, which depend on the number of threads. Costs are
measured afterwards, alone.

`--costs` takes the `results.json` of `benchmark.py --methods`, where every
method has a process, and so a peak memory, of its own.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import logging
import pathlib
import time

import configs
from benchmarking.results import describe_environment
from comparison.comparison import Comparison
from comparison.contenders import BATCH_CONTROL
from comparison.contenders import default_methods
from comparison.contenders import make_contenders
from comparison.costs import read_benchmark
from comparison.jobs import Pool
from comparison.results import ComparisonResults
from comparison.settings import QUICK
from comparison.settings import Settings
from configs.config_arguments import add_config_arguments
from draw_figures import draw
from shared.protocols import PROTOCOLS

from keras_s4t.data.corruptions import CORRUPTIONS


def compare_methods(
    methods=None, costs=None, fresh=False, jobs=1, cluster=None, **settings
):
    """Compares methods, and writes results, tables and figures.

    Args:
        methods: Names of methods, by default of all, or a dict from a name to
            the name of a method or a function without arguments that makes a
            `Method`, such as its class. `SourceOnly` and `BatchNormOnly` are
            always there.
        costs: Optional path of a `results.json` of `benchmark.py`.
        fresh: bool. Whether to forget the results in `output`, source models
            included.
        jobs: int. Number of processes. More than one needs the package
            `joblib`, and a `__main__` guard in the calling script.
        cluster: Optional address of a cluster of Ray (`"ray://host:port"`), or
            of the scheduler of a Dask cluster (`"tcp://host:port"`), to work
            there, in `jobs` processes or, with one, in all that it has.
            Recipes and `output` must have the same paths there.
        **settings: Those of `Settings`.

    Returns:
        dict, what `results.json` holds.

    Raises:
        ValueError: If a name is unknown, a setting is out of its range, a
            file is not what it should be, or a cluster does not answer.
        RuntimeError: If worker processes die again and again.

    Example:

    ```python
    compare_methods({"Mine": Mine, "Tent": "Tent"}, output="runs/mine")
    ```
    """
    pool = _make_pool(jobs, cluster)
    return _finish(_begin(methods, costs, fresh, **settings), pool)


def _make_pool(jobs, cluster):
    """Workers for more than this process, or `None`."""
    if cluster is not None:
        return Pool(jobs if jobs > 1 else None, cluster)
    return None if jobs == 1 else Pool(jobs)


def _begin(methods=None, costs=None, fresh=False, **settings):
    """A `Comparison` that is ready to run, all names and files being good."""
    settings = Settings(**settings)
    contenders = make_contenders(methods or default_methods(), settings)
    names = [contender.name for contender in contenders]
    benchmark = read_benchmark(costs, names) if costs else {}
    results = ComparisonResults(settings.output / "results.json", fresh)
    comparison = Comparison(contenders, settings, results)
    results.update(
        settings=settings.get_config(),
        environment=describe_environment(),
        tasks=[task.get_config() for task in comparison.tasks],
        benchmark=benchmark,
        budget=_budget(settings),
    )
    return comparison


def _finish(comparison, pool=None):
    """Runs a comparison and draws it; returns the results."""
    comparison.run(pool)
    content = comparison.results.content
    draw(content, comparison.settings.output)
    return content


def _budget(settings):
    """What the choice of learning rates and steps may cost each method."""
    if not settings.tune:
        return None
    return {
        "learning_rates": len(settings.factors),
        "steps": settings.steps,
        "corruptions": [
            f"{corruption} {severity}"
            for corruption in CORRUPTIONS
            for severity in settings.severities
        ],
        "images": settings.num_tuning,
        "seed": settings.seeds[0],
    }


def parse_arguments():
    """The command line, as keyword arguments of `compare_methods`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    known = sorted((*default_methods(), BATCH_CONTROL))
    add_config_arguments(parser)
    parser.add_argument("--source", help="a dataset's name")
    parser.add_argument("--targets", nargs="+", help="datasets' names")
    parser.add_argument("--methods", nargs="+", choices=known)
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--protocol", choices=PROTOCOLS)
    parser.add_argument("--steps", type=int, help="of the adaptation, at most")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--severities", type=int, nargs="+", metavar="1..5")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--epochs", type=int, help="of the source training")
    parser.add_argument("--source-batch-size", type=int)
    parser.add_argument("--num-source", type=int, help="images to train on")
    parser.add_argument("--num-target", type=int, help="images of each target")
    parser.add_argument("--costs", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--cluster", help="ray://host:port or tcp://host:port")
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--fresh", action="store_true", help="start anew")
    parser.add_argument("--quick", action="store_true", help="minutes")
    given = {
        name: value
        for name, value in vars(parser.parse_args()).items()
        if value is not None
    }
    defaults = {"workers": 2}
    if given.pop("quick"):
        config = configs.get(given["config"])
        defaults = {**QUICK, "targets": config.targets[:1]}
    return parser, {**defaults, **given}


def main():
    """Runs the recipe."""
    parser, arguments = parse_arguments()
    # TensorFlow warns of functions that it compiles for every adapter anew.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    start = time.time()
    jobs, cluster = arguments.pop("jobs"), arguments.pop("cluster", None)
    try:
        pool = _make_pool(jobs, cluster)
        comparison = _begin(**arguments)
    except ValueError as error:
        parser.error(str(error))
    _finish(comparison, pool)
    output = comparison.settings.output
    print(f"Done in {time.time() - start:.0f} s: see {output}")


if __name__ == "__main__":
    main()
