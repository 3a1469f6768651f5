"""The results of the benchmark, which an interrupted one finds again."""

import datetime
import importlib.metadata
import json
import os
import pathlib
import shlex
import sys

import keras

import keras_s4t
from benchmarking.hardware import processor_name
from benchmarking.turns import worker_environment
from keras_s4t.files import atomic_path

PACKAGES = ("keras", "keras-hub", "tensorflow", "jax", "torch")


def describe_environment():
    """What must be the same for results to be comparable."""
    versions = {"keras_s4t": keras_s4t.__version__}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "backend": keras.backend.backend(),
        "versions": versions,
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "TF_ENABLE_ONEDNN_OPTS": worker_environment()["TF_ENABLE_ONEDNN_OPTS"],
    }


class Results:
    """A JSON file with everything that has been measured.

    Args:
        path: Path of the file.
        fresh: bool. Whether to forget what the file holds.

    Raises:
        ValueError: If the file comes from another environment.
    """

    def __init__(self, path, fresh=False):
        self.path = pathlib.Path(path)
        self.points = {}
        self.environment = describe_environment()
        if fresh or not self.path.exists():
            return
        stored = json.loads(self.path.read_text())
        for name, value in self.environment.items():
            if stored["environment"].get(name) != value:
                raise ValueError(
                    f"{self.path} was measured elsewhere; use `--fresh` or "
                    f"another `--output`. Received: {name}={value}, not "
                    f"{stored['environment'].get(name)}"
                )
        self.points = stored["points"]

    def add(self, key, point):
        """Keeps a measured point, and writes the file.

        Args:
            key: `Point.key`.
            point: dict, what `turns.measure` returned for it.
        """
        now = datetime.datetime.now(datetime.UTC)
        self.points[key] = {**point, "date": now.isoformat(timespec="seconds")}
        results = {
            "environment": self.environment,
            "command": shlex.join(
                ["python", "recipes/benchmark.py", *sys.argv[1:]]
            ),
            "points": self.points,
        }
        with atomic_path(self.path) as path:
            path.write_text(json.dumps(results, indent=2) + "\n")
