"""Scores, limits and choices, by independent formulas."""

import math

import numpy as np
import pytest
import tiny

from keras_s4t import tasks
from keras_s4t.live.choice import Choice
from keras_s4t.live.controls import ADAPTED
from keras_s4t.live.guard import Guard
from keras_s4t.live.scores import distances
from keras_s4t.live.scores import gain
from keras_s4t.live.scores import metrics_of
from keras_s4t.live.scores import spread

pytestmark = pytest.mark.eager


def make_outputs(task_list, seed=0):
    rng = np.random.default_rng(seed)
    return {
        task.name: rng.normal(size=(2, 6, 5, task.num_outputs)).astype(
            "float32"
        )
        for task in task_list
    }


def test_entropy_of_the_mean_prediction():
    task = tasks.semseg(3)
    logits = np.zeros((1, 1, 2, 3))
    # Softmax of log(p) is p.
    logits[0, 0] = np.log([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    mean = [0.4, 0.2, 0.4]
    expected = -sum(p * math.log(p) for p in mean)
    np.testing.assert_allclose(spread(task, logits), expected, rtol=1e-6)
    collapsed = np.zeros((2, 4, 4, 3))
    collapsed[..., 1] = 1000
    assert spread(task, collapsed) == pytest.approx(0, abs=1e-9)


def test_spread_of_values():
    task = tasks.depth()
    outputs = make_outputs([task])["depth"]
    values = np.asarray(task.postprocess(outputs))
    np.testing.assert_allclose(spread(task, outputs), values.std(), rtol=1e-5)


def test_distances_are_metrics_with_predictions_as_labels():
    task_list = [tasks.depth(), tasks.semseg(4)]
    rng = np.random.default_rng(0)
    one, other = (
        {
            "depth": rng.uniform(1, 3, (2, 4, 4, 1)).astype("float32"),
            "semseg": rng.integers(0, 4, (2, 4, 4)).astype("int32"),
        }
        for _ in range(2)
    )
    found = distances(task_list, one, other)
    expected = np.sqrt(np.mean((one["depth"] - other["depth"]) ** 2))
    np.testing.assert_allclose(found["depth_rmse"], expected, rtol=1e-5)
    ious = [
        np.sum((one["semseg"] == c) & (other["semseg"] == c))
        / np.sum((one["semseg"] == c) | (other["semseg"] == c))
        for c in range(4)
    ]
    np.testing.assert_allclose(found["semseg_miou"], 1 - np.mean(ious))
    assert distances(task_list, one, one) == {"depth_rmse": 0, "semseg_miou": 0}


def test_metrics_of_some_tasks():
    images, labels, masks = tiny.make_arrays(2, count=2)
    values = {
        "semseg": np.zeros_like(labels["semseg"]),
        "depth": labels["depth"] + 0.5,
    }
    found = metrics_of(
        tiny.make_tasks(2), values, {"depth": labels["depth"]}, {}
    )
    assert set(found) == {"depth_rmse"}
    np.testing.assert_allclose(found["depth_rmse"], 0.5, rtol=1e-5)


def test_gain_is_that_of_the_paper():
    task_list = [tasks.semseg(4), tasks.depth()]
    before = {"semseg_miou": 0.3, "depth_rmse": 1.2}
    after = {"semseg_miou": 0.36, "depth_rmse": 1.14}
    assert gain(task_list, before, after) == pytest.approx(12.5)
    # Nothing is relative to zero.
    before["semseg_miou"] = 0.0
    assert gain(task_list, before, after) == pytest.approx(5.0)
    assert math.isnan(gain(task_list, {"semseg_miou": 0.0}, after))


def test_limits():
    guard = Guard([tasks.depth()], tolerance=1.5)
    guard.calibrate(
        [
            {"loss": -2.0, "depth_spread": 0.9, "depth_drift": 0.1},
            {"loss": -4.0, "depth_spread": 0.6, "depth_drift": 2.0},
        ]
    )
    assert guard.limits == {
        "loss": -2.0 + 0.5 * 4.0,
        "depth_spread": pytest.approx(0.4),
        "depth_drift": 3.0,
    }
    fine = {"loss": -1.0, "depth_spread": 0.5, "depth_drift": 2.9}
    assert guard.violations(fine) == []
    for key, value, word in (
        ("loss", 0.1, "above"),
        ("depth_spread", 0.39, "below"),
        ("depth_drift", 3.1, "above"),
        ("depth_drift", math.nan, "above"),
        ("depth_spread", math.nan, "below"),
    ):
        (text,) = guard.violations({**fine, key: value})
        assert text.startswith(key) and f"is {word}" in text
    # However calm the calibration was.
    guard.calibrate([{"loss": 1.0, "depth_spread": 1.0, "depth_drift": 0.0}])
    assert guard.limits["depth_drift"] == 1.0
    assert guard.limits["depth_spread"] == 0.5


def test_scores_are_relative_to_the_control():
    task_list = tiny.make_tasks(2)
    guard = Guard(task_list)
    guard.residuals = {"semseg_miou": 0.5, "depth_rmse": 0.25}
    one, other = make_outputs(task_list, 0), make_outputs(task_list, 1)
    values, reference = (
        {t.name: np.asarray(t.postprocess(x[t.name])) for t in task_list}
        for x in (one, other)
    )
    scores = guard.scores(3.0, one, values, other, reference)
    assert scores["loss"] == 3.0
    np.testing.assert_allclose(
        scores["depth_spread"],
        values["depth"].std() / reference["depth"].std(),
        rtol=1e-5,
    )
    difference = values["depth"] - reference["depth"]
    known = reference["depth"] > 0
    rmse = np.sqrt(np.mean(difference[known] ** 2))
    np.testing.assert_allclose(scores["depth_drift"], rmse / 0.25, rtol=1e-4)


def make_choice(**kwargs):
    return Choice(np.zeros((1, 4, 4, 3)), {}, **kwargs)


def test_corrections_are_mean_errors():
    choice = make_choice()
    choice.learn("batch_norm", 10.0, 13.0)
    choice.learn("batch_norm", 10.0, 12.0)
    choice.learn("batch_norm", math.nan, 1.0)
    assert choice.correction("batch_norm") == 2.5
    assert choice.correction("source") == 0.0
    assert choice.scores({"batch_norm": 1.0, "source": 0.0}) == {
        "batch_norm": 3.5,
        "source": 0.0,
    }


@pytest.mark.parametrize(
    ("scores", "now", "expected"),
    [
        ({"source": 0.0, "batch_norm": 3.0, ADAPTED: 3.4}, "batch_norm", None),
        (
            {"source": 0.0, "batch_norm": 3.0, ADAPTED: 3.6},
            "batch_norm",
            ADAPTED,
        ),
        ({"source": 0.0, "batch_norm": -1.0, ADAPTED: -2.0}, ADAPTED, "source"),
        ({"source": 0.0, "batch_norm": math.nan}, ADAPTED, "source"),
        ({"source": math.nan}, ADAPTED, None),
    ],
)
def test_who_takes_over(scores, now, expected):
    assert make_choice(margin=0.5).pick(scores, now) == (expected or now)
