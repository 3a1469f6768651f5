"""The benchmark's form without the check that steps are finite."""

import contextlib

import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.state import minimize


@pytest.mark.parametrize("guarded", [True, False])
def test_a_step_that_is_not_finite(load_recipe, monkeypatch, guarded):
    for name in ("all_finite", "write_if"):
        monkeypatch.setattr(minimize, name, getattr(minimize, name))
    if not guarded:
        load_recipe("benchmarking.unguarded_step").install()
    adapter = tiny.make_adapter(keras_s4t.methods.BatchNormOnly())
    images, *_ = tiny.make_arrays(2)
    images[0, 0, 0, 0] = np.nan
    told = pytest.warns(UserWarning, match="1 steps were skipped")
    with told if guarded else contextlib.nullcontext():
        adapter.train_on_batch(images)
    values = tiny.numpy_values(adapter.network.moving_statistics)
    assert all(np.isfinite(value).all() for value in values) == guarded


def test_its_worker(load_recipe):
    points = load_recipe("benchmarking.points")
    point = points.Point(
        "adapt", ("unguarded",), (64, 64), 2, 4, "float32", True, 1
    )
    arguments = point.worker_arguments("unguarded")
    assert arguments[arguments.index("--form") + 1] == "unguarded"
    assert arguments[arguments.index("--method") + 1] == "S4T"
