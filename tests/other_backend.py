"""Runs a script under another backend, in a process of its own."""

import os
import subprocess
import sys

import keras
import pytest

OTHER = {"tensorflow": "jax", "jax": "torch", "torch": "tensorflow"}


def run_under_other_backend(script, *arguments, folders=()):
    """Runs a script, which must succeed; skips the test without a backend.

    Args:
        script: string, the program.
        *arguments: Its command line.
        folders: Folders that its modules are imported from, too.
    """
    other = OTHER[keras.backend.backend()]
    pytest.importorskip(other)
    path = os.pathsep.join([*map(str, folders), *filter(None, sys.path)])
    result = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": other, "PYTHONPATH": path},
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
