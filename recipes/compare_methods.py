"""Compare all methods: one source, several targets, several seeds.

    python recipes/compare_methods.py --tune --output runs/comparison

Trains the source models that the methods need (those that add nothing to the
source training share one per seed), adapts each of them to every target, and
keeps everything in `results.json`, from which `draw_figures.py` draws the
tables and figures again. `--tune` first chooses the learning rate and the
number of steps of every method on corrupted *source* images, with the same
budget for all; without it, methods take their authors' learning rates and
`--steps`. Source models are in `runs/sources`, where the ablations find them.

With `--method-epochs 3`, methods that are trained on the source join the
trained plain network for three epochs; without it, each of them is trained with
a network of its own from the first step on, and the luck of that network moves
its gain.

`--protocol continual` takes the targets, in their order, as one stream, and
`--return-to-source` ends it with the source, to measure what was forgotten.

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
import pathlib

from comparison.command_line import begin
from comparison.command_line import make_parser
from comparison.command_line import make_pool
from comparison.command_line import parse
from comparison.command_line import run
from comparison.contenders import BATCH_CONTROL
from comparison.contenders import default_methods
from draw_figures import draw

import keras_s4t


def compare_methods(
    methods=None, costs=None, fresh=False, jobs=1, cluster=None, **settings
):
    """Compares methods, and writes results, tables and figures.

    Args:
        methods: Names of methods, by default of all, or a dict from a name to
            the name of a method, a pair of this and a dict of its arguments,
            or a function without arguments that makes a `Method`, such as its
            class. `SourceOnly` and `BatchNormOnly` are always there.
        costs: Optional path of a `results.json` of `benchmark.py`.
        fresh: bool. Whether to forget the results in `output`, source models
            included unless they are in a folder of their own.
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
    pool = make_pool(jobs, cluster)
    comparison = begin(methods or default_methods(), costs, fresh, **settings)
    comparison.run(pool)
    draw_comparison(comparison)
    return comparison.results.content


def draw_comparison(comparison):
    """Writes the tables and figures of a finished `Comparison`."""
    draw(comparison.results.content, comparison.settings.output)


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/comparison"))
    known = sorted((*keras_s4t.methods.METHODS, BATCH_CONTROL))
    parser.add_argument("--methods", nargs="+", choices=known)
    parser.add_argument("--costs", type=pathlib.Path)
    arguments, workers = parse(parser)
    arguments = {"methods": default_methods(), **arguments}
    run(parser, arguments, workers, draw_comparison)


if __name__ == "__main__":
    main()
