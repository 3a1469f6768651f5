"""Where the time of an adaptation step goes, part by part.

    KERAS_BACKEND=torch python recipes/profile_step.py

Runs a step of S4T on ResNet50, and each of its parts alone at the shapes of the
step: the convolutions of the encoder by the size of their kernels, its batch
norms, decoders, projections, the synchronizer, the distances that are the loss,
the check that gradients are finite, and the optimizer. What is left of the step
is activations, additions, padding and pooling of the encoder, and what the
parts lack alone: data that are in no cache. A backward pass is the difference
of a part with its gradients and without. Parts and step take turns, so that
their shares come from the same minutes of a noisy machine.

A minute to five for a backend. Writes `results.json` and `tables.md`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import pathlib
import statistics
import sys
import time

import keras
import numpy as np
from benchmarking import hardware
from benchmarking.step_parts import make_parts
from benchmarking.worker import make_model
from rich.console import Console
from shared.results_file import given_command
from shared.results_file import write_json
from shared.tables import Table

from keras_s4t import tasks
from keras_s4t.files import atomic_path

STEP, REST = "whole step", "all else"
BACKENDS = {"jax": "JAX", "tensorflow": "TensorFlow", "torch": "PyTorch"}


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, help="height and width, in pixels")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--repeats", type=int, help="rounds of turns")
    parser.add_argument(
        "--dtype", choices=("float32", "mixed_bfloat16"), default="float32"
    )
    parser.add_argument("--output", type=pathlib.Path, default="runs/profile")
    parser.add_argument("--quick", action="store_true", help="a tiny network")
    arguments = parser.parse_args()
    for name, quick, default in (
        ("size", 32, 256),
        ("batch_size", 2, 8),
        ("repeats", 2, 5),
    ):
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else default)
        if getattr(arguments, name) < 1:
            flag = f"--{name.replace('_', '-')}"
            parser.error(
                f"{flag} must be at least 1, not {getattr(arguments, name)}"
            )
    if arguments.size % 32:
        parser.error(f"--size must be a multiple of 32, not {arguments.size}")
    arguments.form, arguments.method = "fast", "S4T"
    arguments.operation = "adapt"
    return arguments


def seconds_of(function):
    """Seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(step, parts, repeats, dtype):
    """Measures the step and its parts in turns.

    Args:
        step: Function without arguments.
        parts: list of `Part`.
        repeats: int.
        dtype: dtype of the matrix product that the parts are compared with.

    Returns:
        Pair of a list of dicts, one per round, from a name to a pair of
        seconds, forward and backward, and a list of the speeds of a matrix
        product in floating point operations per second.
    """
    runs = [step]
    for part in parts:
        runs += [part.forward, *([part.backward] if part.backward else [])]
    # The first call compiles.
    for run in runs:
        run()
    progress = keras.utils.Progbar(repeats, unit_name="round")
    rounds, rates = [], []
    for _ in range(repeats):
        row = {STEP: [seconds_of(step), 0.0]}
        for part in parts:
            forward = seconds_of(part.forward)
            whole = seconds_of(part.backward) if part.backward else forward
            sums = row.setdefault(part.name, [0.0, 0.0])
            sums[0] += part.count * forward
            sums[1] += part.count * max(0.0, whole - forward)
        found = sum(map(sum, list(row.values())[1:]))
        row[REST] = [row[STEP][0] - found, 0.0]
        rounds.append(row)
        rates.append(hardware.product_rate(dtype))
        progress.add(1)
    return rounds, rates


def summarize(rounds, rates, parts):
    """Medians over rounds.

    Returns:
        list of dicts with `"name"`, `"forward"` and `"backward"` in seconds,
        `"share"` of the step, and `"speed"`: the speed of its products, both
        passes together, relative to that of a large matrix product, or
        `None`.
    """
    flops, passes = {}, {}
    for part in parts:
        flops[part.name] = flops.get(part.name, 0) + part.count * part.flops
        # That of the inputs, and that of the kernel.
        passes[part.name] = 3 if part.backward else 1
    rows = []
    for name in rounds[0]:
        forward, backward = (
            statistics.median(row[name][i] for row in rounds) for i in (0, 1)
        )
        speed = None
        if flops.get(name):
            speed = statistics.median(
                passes[name] * flops[name] / sum(row[name]) / rate
                for row, rate in zip(rounds, rates, strict=True)
            )
        share = statistics.median(
            sum(row[name]) / row[STEP][0] for row in rounds
        )
        rows.append(
            {
                "name": name,
                "forward": forward,
                "backward": backward,
                "share": share,
                "speed": speed,
            }
        )
    return rows


def parts_table(rows, title):
    """The table of the parts.

    Args:
        rows: What `summarize` returned.
        title: Heading.

    Returns:
        A `Table`.
    """
    headers = [
        "part",
        "forward\ns",
        "backward\ns",
        "share\n%",
        "of a product\n%",
    ]
    cells = [
        [
            row["name"],
            f"{row['forward']:.3f}",
            f"{row['backward']:.3f}" if row["backward"] else "",
            f"{100 * row['share']:.0f}",
            "" if row["speed"] is None else f"{100 * row['speed']:.0f}",
        ]
        for row in rows
    ]
    return Table(title, headers, cells)


def main():
    """Runs the recipe."""
    arguments = parse_arguments()
    start = time.time()
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(arguments.dtype)
    side, batch_size = arguments.size, arguments.batch_size
    task_list = [tasks.semseg(7), tasks.depth(), tasks.normals(), tasks.edge()]
    adapter = make_model(arguments, task_list)
    adapter.method.mark_done("training")
    shape = (batch_size, side, side, 3)
    images = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")

    def step():
        adapter.train_on_batch(images)
        hardware.wait_for(adapter.variables)

    # Makes the optimizer's variables.
    step()
    parts = make_parts(adapter, (side, side), batch_size)
    rounds, rates = measure(
        step, parts, arguments.repeats, adapter.network.compute_dtype
    )
    rows = summarize(rounds, rates, parts)
    backend = keras.backend.backend()
    title = (
        f"A step on {batch_size} images of {side}x{side}, {BACKENDS[backend]}, "
        f"{hardware.device_name()}"
    )
    table = parts_table(rows, title)
    Console().print(table.rich())
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_json(
        arguments.output / "results.json",
        {
            "command": given_command(),
            "backend": backend,
            "device": hardware.device_name(),
            "dtype": arguments.dtype,
            "size": side,
            "batch_size": batch_size,
            "parts": rows,
            "rounds": rounds,
            "product_rates": rates,
        },
    )
    with atomic_path(arguments.output / "tables.md") as temporary:
        temporary.write_text(table.markdown())
    print(f"Done in {time.time() - start:.0f} s: see {arguments.output}")


if __name__ == "__main__":
    sys.exit(main())
