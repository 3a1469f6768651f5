"""The results of the benchmark, which an interrupted one finds again."""

import datetime
import importlib.metadata
import os

import keras
from shared.results_file import ResultsFile
from shared.results_file import given_command

import keras_s4t
from benchmarking.hardware import processor_name
from benchmarking.turns import worker_environment

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


class BenchmarkResults(ResultsFile):
    """A JSON file with everything that has been measured.

    Args:
        path: Path of the file.
        fresh: bool. Whether to ignore what the file holds.

    Raises:
        ValueError: If the file comes from another environment, or is not one
            of these.
    """

    kind = "the benchmark"
    parts = ("points",)

    def __init__(self, path, fresh=False):
        self.environment = describe_environment()
        super().__init__(path, fresh)
        self.content.setdefault("points", {})

    @property
    def points(self):
        """Dict from the key of a point to what was measured."""
        return self.content["points"]

    def check(self, content):
        environment = content.get("environment")
        points = content.get("points")
        if environment is None or points is None:
            raise self.refusal("without environment or points")
        for name, value in self.environment.items():
            if environment.get(name) != value:
                raise ValueError(
                    f"{self.path} was measured elsewhere; use `--fresh` or "
                    f"another `--output`. Received: {name}={value}, not "
                    f"{environment.get(name)}"
                )
        if any("contenders" not in point for point in points.values()):
            raise self.refusal("points of an older version; use `--fresh`")

    def add(self, key, point):
        """Keeps a measured point, and writes the file.

        Args:
            key: `Point.key`.
            point: dict, what `turns.measure` returned for it.
        """
        now = datetime.datetime.now(datetime.UTC)
        self.points[key] = {**point, "date": now.isoformat(timespec="seconds")}
        self.content = {
            "environment": self.environment,
            "command": given_command(),
            "points": self.points,
        }
        self.save()
