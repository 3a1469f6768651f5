import numpy as np
import pytest

from keras_s4t.curves import relative_curve
from keras_s4t.curves import ttt_gain

CURVES = {
    "semseg_miou": [30, 36, 42, 45, 43],
    "depth_rmse": [1.20, 1.14, 1.08, 1.05, 1.02],
    "normals_merr": [60, 54, 48, 51, 57],
}
DIRECTIONS = {"semseg_miou": True, "depth_rmse": False, "normals_merr": False}


def at(step):
    return {key: values[step] for key, values in CURVES.items()}


def test_golden_relative_curves():
    expected = {
        "semseg_miou": [0, 20, 40, 50, 43.3333],
        "depth_rmse": [0, 5, 10, 12.5, 15],
        "normals_merr": [0, 10, 20, 15, 5],
    }
    for key, values in CURVES.items():
        np.testing.assert_allclose(
            relative_curve(values, DIRECTIONS[key]), expected[key], atol=1e-4
        )


def test_golden_gains():
    gains = [ttt_gain(at(0), at(step), DIRECTIONS) for step in range(5)]
    expected = [0, 11.6667, 23.3333, 25.8333, 21.1111]
    np.testing.assert_allclose(gains, expected, atol=1e-4)


def test_tasks_are_matched_by_name():
    after = dict(reversed(at(3).items()))
    assert ttt_gain(at(0), after, DIRECTIONS) == pytest.approx(
        25.8333, abs=1e-4
    )


def test_rows_of_one_table():
    # The base row of Taskonomy to NYUD and invented results per task.
    base = {"miou": 29.31, "depth": 1.179, "normals": 61.32, "edge": 0.1443}
    directions = {
        "miou": True,
        "depth": False,
        "normals": False,
        "edge": False,
    }
    after = {"miou": 40.0, "depth": 1.2, "normals": 30.66, "edge": 0.1443}
    expected = ((40.0 - 29.31) / 29.31 - (1.2 - 1.179) / 1.179 + 0.5 + 0) * 25
    assert ttt_gain(base, after, directions) == pytest.approx(expected)


def test_diverged_metrics_show():
    after = {**at(1), "depth_rmse": float("nan")}
    assert np.isnan(ttt_gain(at(0), after, DIRECTIONS))


def test_different_keys():
    missing = at(1)
    del missing["depth_rmse"]
    with pytest.raises(ValueError, match="same keys"):
        ttt_gain(at(0), missing, DIRECTIONS)
    with pytest.raises(ValueError, match="same keys"):
        ttt_gain(missing, at(0), DIRECTIONS)
    with pytest.raises(ValueError, match="same keys"):
        ttt_gain(missing, missing, DIRECTIONS)
    with pytest.raises(ValueError, match="at least one"):
        ttt_gain({}, {}, {})


@pytest.mark.parametrize("base", [0, -1.0, float("nan"), float("inf")])
def test_base_that_nothing_is_relative_to(base):
    with pytest.raises(ValueError, match="must be positive and finite"):
        relative_curve([base, 1.0], True)
    with pytest.raises(ValueError, match="must be positive and finite"):
        ttt_gain({"depth": base}, {"depth": 1.0}, {"depth": False})


@pytest.mark.parametrize("values", [[], 3.0, [[1.0, 2.0]]])
def test_wrong_values(values):
    with pytest.raises(ValueError, match="Received: values of shape"):
        relative_curve(values, True)
