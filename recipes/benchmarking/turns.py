"""Workers of the benchmark that take turns on one noisy machine."""

import contextlib
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

RECIPES = pathlib.Path(__file__).parent.parent
WORKER = "benchmarking.worker"
MAX_STEPS = 100
LAST_CHARACTERS = 3000

# TensorFlow leaves oneDNN off on CPUs without AVX-512, where it doubles the
# speed. On GPUs, several workers must share the memory.
ENVIRONMENT = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}


def worker_environment():
    """Environment variables of a worker; the user's choices win."""
    return {**ENVIRONMENT, **os.environ}


class WorkerError(Exception):
    """A worker ended before it was told to."""


class Worker:
    """A process of `worker.py`, to be used in a `with` statement.

    Args:
        arguments: list of strings, its command line.
    """

    def __init__(self, arguments):
        self.arguments = arguments
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", WORKER, *arguments],
            cwd=RECIPES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=worker_environment(),
            text=True,
        )

    def read(self):
        """The next answer."""
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(self._last_words())
        return json.loads(line)

    def ask(self, **command):
        """Sends a command and returns the answer."""
        # A worker that is gone is noticed by the lack of an answer.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        return self.read()

    def _last_words(self):
        code = self._process.wait()
        self._errors.seek(0)
        errors = self._errors.read().decode(errors="replace")
        command = " ".join(self.arguments)
        return (
            f"{errors[-LAST_CHARACTERS:]}\nThe worker `{command}` ended with "
            f"code {code}" + (", killed for its memory?" if code == -9 else "")
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.kill()
        self._process.wait()
        for stream in (
            self._process.stdin,
            self._process.stdout,
            self._errors,
        ):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def measure(points, on_round=None):
    """Measures points of the same setting by workers who take turns.

    Args:
        points: list of `Point` that differ in their steps at most.
        on_round: Optional function without arguments, called after every
            round.

    Returns:
        list of dicts, what the results keep of every point.

    Raises:
        WorkerError: If a worker ended early, with its last words.
    """
    first = points[0]
    with contextlib.ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(first.worker_arguments(name)))
            for name in first.contenders
        }
        ready = {name: worker.read() for name, worker in workers.items()}
        shortest = min(answer["warm_up_seconds"] for answer in ready.values())
        most = 2 if first.quick else MAX_STEPS
        enough = min(most, math.ceil(1 / shortest))
        results = []
        for point in points:
            steps = point.steps or enough
            rounds = _take_turns(workers, steps, point.repeats, on_round)
            results.append((steps, rounds))
        memory = {
            name: worker.ask(stop=True)["peak_memory"]
            for name, worker in workers.items()
        }
    return [
        {
            "operation": first.operation,
            "size": first.size,
            "batch_size": first.batch_size,
            "num_tasks": first.num_tasks,
            "dtype": first.dtype,
            "steps": steps,
            "contenders": {
                name: {
                    "seconds": [answers["seconds"] for answers in rounds[name]],
                    "rates": [answers["rate"] for answers in rounds[name]],
                    "flops": answer["flops"],
                    "parameters": answer["parameters"],
                    "peak_memory": memory[name],
                    "device": answer["device"],
                    "first_seconds": answer["first_seconds"],
                    "loader_rate": answer["loader_rate"],
                }
                for name, answer in ready.items()
            },
        }
        for steps, rounds in results
    ]


def _take_turns(workers, steps, repeats, on_round):
    """Dict from name to the answers of all rounds."""
    answers = {name: [] for name in workers}
    order = list(workers)
    for _ in range(repeats):
        for name in order:
            answers[name].append(workers[name].ask(measure=steps))
        # Nobody is always the one who comes after the same other.
        order = order[1:] + order[:1]
        if on_round:
            on_round()
    return answers
