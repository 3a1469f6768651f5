"""What the programs that are comparisons have in common.

Each has contenders, tables and figures of its own. Training, tuning, adapting
and the files of the results are here.
"""

import argparse
import logging
import pathlib
import shutil
import time

import configs
from benchmarking.results import describe_environment
from configs.config_arguments import add_config_arguments
from shared.protocols import PROTOCOLS
from shared.results_file import given_command

from comparison.comparison import Comparison
from comparison.contenders import make_contenders
from comparison.costs import read_benchmark
from comparison.jobs import Pool
from comparison.results import ComparisonResults
from comparison.settings import QUICK
from comparison.settings import Settings
from keras_s4t.data.corruptions import CORRUPTIONS

SOURCES = pathlib.Path("runs/sources")


def make_parser(description, output):
    """The command line of a comparison.

    Args:
        description: string, the docstring of the program.
        output: Default of `--output`.

    Returns:
        `argparse.ArgumentParser`.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument("--source", help="a dataset's name")
    parser.add_argument("--targets", nargs="+", help="datasets' names")
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--protocol", choices=PROTOCOLS)
    parser.add_argument(
        "--return-to-source",
        action="store_true",
        help="after the targets of --protocol continual",
    )
    parser.add_argument(
        "--reset-at-change",
        action="store_true",
        help="before every target of --protocol continual",
    )
    parser.add_argument("--steps", type=int, help="of the adaptation, at most")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--severities", type=int, nargs="+", metavar="1..5")
    parser.add_argument("--factors", type=float, nargs="+", help="of --tune")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--epochs", type=int, help="of the source training")
    parser.add_argument("--steps-per-epoch", type=int)
    parser.add_argument(
        "--method-epochs",
        type=int,
        help="of methods that join the trained plain network;\n"
        "by default they have networks of their own",
    )
    parser.add_argument("--source-batch-size", type=int)
    parser.add_argument("--num-source", type=int, help="images to train on")
    parser.add_argument("--num-target", type=int, help="images of each target")
    parser.add_argument("--num-tuning", type=int, help="images of --tune")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--cluster", help="ray://host:port or tcp://host:port")
    parser.add_argument("--output", type=pathlib.Path, default=output)
    parser.add_argument(
        "--sources",
        type=pathlib.Path,
        default=SOURCES,
        help="folder of source models, which several programs share",
    )
    parser.add_argument("--fresh", action="store_true", help="start anew")
    parser.add_argument("--quick", action="store_true", help="a minute")
    return parser


def parse(parser):
    """The command line, as keyword arguments of `begin`, and the workers.

    Args:
        parser: What `make_parser` returned, perhaps with more arguments.

    Returns:
        Tuple `(arguments, workers)` of two dicts: what was given or has a
        default, and the arguments of `make_pool`.
    """
    given = {
        name: value
        for name, value in vars(parser.parse_args()).items()
        if value is not None
    }
    workers = {"jobs": given.pop("jobs"), "cluster": given.pop("cluster", None)}
    defaults = {"workers": 2}
    if given.pop("quick"):
        config = configs.get(given["config"])
        defaults = {**QUICK, "targets": config.targets[:1]}
        if given["sources"] == SOURCES:
            given["sources"] = None
    return {**defaults, **given}, workers


def is_quick(arguments):
    """Whether `--quick` was among what `parse` read."""
    # No option sets these.
    return "timing_steps" in arguments


def make_pool(jobs=1, cluster=None):
    """Workers for more than this process, or `None`."""
    if cluster is not None:
        return Pool(jobs if jobs > 1 else None, cluster)
    return None if jobs == 1 else Pool(jobs)


def begin(methods, costs=None, fresh=False, **settings):
    """A `Comparison` that is ready to run, all names and files being good.

    Args:
        methods: As `make_contenders` takes them, or a function from the
            `Configuration` to them.
        costs: Optional path of a `results.json` of `benchmark.py`.
        fresh: bool. Whether to forget the results in `output`, source models
            included unless they are in a folder of their own.
        **settings: Those of `Settings`.

    Returns:
        `Comparison`.

    Raises:
        ValueError: If a name is unknown, a setting is out of its range or a
            file is not what it should be.
    """
    settings = Settings(**settings)
    if callable(methods):
        methods = methods(settings.configuration)
    contenders = make_contenders(methods, settings)
    names = [contender.name for contender in contenders]
    benchmark = read_benchmark(costs, names) if costs else {}
    results = ComparisonResults(settings.output / "results.json", fresh)
    if fresh and settings.sources is None:
        shutil.rmtree(settings.output / "sources", ignore_errors=True)
    comparison = Comparison(contenders, settings, results)
    results.update(
        command=given_command(),
        settings=settings.get_config(),
        environment=describe_environment(),
        tasks=[task.get_config() for task in comparison.tasks],
        benchmark=benchmark,
        budget=_budget(settings),
    )
    return comparison


def run_program(parser, methods, draw):
    """Parses the command line, compares and draws.

    Args:
        parser: What `make_parser` returned.
        methods: As `begin` takes them.
        draw: Function of the `Comparison` that writes tables and figures.
    """
    arguments, workers = parse(parser)
    run(parser, {"methods": methods, **arguments}, workers, draw)


def run(parser, arguments, workers, draw):
    """As `run_program`, with what `parse` returned."""
    output = arguments["output"]

    def draw_only(comparisons):
        draw(*comparisons.values())

    run_several(parser, {None: arguments}, workers, draw_only, output)


def run_several(parser, several, workers, draw, output):
    """Compares several times, all names and files being good, and draws.

    Args:
        parser: What `make_parser` returned.
        several: dict from the title of a comparison, `None` for the only one,
            to arguments of `begin`.
        workers: dict, arguments of `make_pool`.
        draw: Function of a dict from the title to the `Comparison` that writes
            tables and figures.
        output: Folder that the user is told to look at.
    """
    # TensorFlow warns of functions that it compiles for every adapter anew.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    start = time.time()
    try:
        pool = make_pool(**workers)
        comparisons = {
            title: begin(**arguments) for title, arguments in several.items()
        }
    except ValueError as error:
        parser.error(str(error))
    for title, comparison in comparisons.items():
        if title is not None:
            print(f"\n{title}")
        comparison.run(pool)
    draw(comparisons)
    print(f"Done in {time.time() - start:.0f} s: see {output}")


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
