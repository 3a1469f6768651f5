"""Metrics that a task is asked for, their names and directions."""

import keras
import numpy as np
import pytest

from keras_s4t import metrics
from keras_s4t import tasks

ARGUMENTS = {"semseg": {"num_classes": 3}, "saliency": {}, "height": {}}
MAKE = {**tasks.TASKS, "saliency": tasks.binary, "height": tasks.regression}
# All metrics of every task: is higher better, the class, values of its config.
ALL = {
    "semseg": {
        "miou": (True, metrics.MeanIoU, {"absent": "zero"}),
        "per_image_miou": (True, metrics.PerImageMeanIoU, {"absent": "skip"}),
        "pixel_accuracy": (True, metrics.PixelAccuracy, {}),
        "mean_accuracy": (True, metrics.MeanAccuracy, {}),
        "iou": (True, metrics.ClassIoU, {"num_classes": 3}),
    },
    "depth": {
        "rmse": (False, metrics.RootMeanSquaredError, {"alignment": "none"}),
        "mae": (False, metrics.MeanAbsoluteError, {}),
        "abs_rel": (False, metrics.AbsoluteRelativeError, {}),
        "sq_rel": (False, metrics.SquaredRelativeError, {}),
        "rmse_log": (False, metrics.RootMeanSquaredLogError, {}),
        "delta1": (True, metrics.ShareWithinFactor, {"factor": 1.25}),
        "delta2": (True, metrics.ShareWithinFactor, {"factor": 1.5625}),
        "delta3": (True, metrics.ShareWithinFactor, {"factor": 1.953125}),
    },
    "normals": {
        "merr": (False, metrics.MeanAngularError, {}),
        "median": (False, metrics.MedianAngularError, {}),
        "within_5": (True, metrics.ShareWithinAngle, {"degrees": 5}),
        "within_7.5": (True, metrics.ShareWithinAngle, {"degrees": 7.5}),
        "within_11.25": (True, metrics.ShareWithinAngle, {"degrees": 11.25}),
        "within_22.5": (True, metrics.ShareWithinAngle, {"degrees": 22.5}),
        "within_30": (True, metrics.ShareWithinAngle, {"degrees": 30}),
    },
    "edge": {
        "rmse": (False, metrics.RootMeanSquaredError, {"alignment": "none"}),
        "odsf": (True, metrics.OptimalThresholdF1, {"tolerance": 0.0075}),
        "ap": (True, metrics.AveragePrecision, {"tolerance": 0.0075}),
    },
    "saliency": {
        "iou": (True, metrics.BinaryIoU, {}),
        "accuracy": (True, metrics.BinaryAccuracy, {}),
        "f1": (True, metrics.BinaryF1, {}),
        "ap": (True, metrics.AveragePrecision, {"tolerance": 0}),
    },
    "height": {
        "rmse": (False, metrics.RootMeanSquaredError, {"alignment": "none"}),
        "mae": (False, metrics.MeanAbsoluteError, {}),
    },
}
every_task = pytest.mark.parametrize("name", ALL)


def make(name, **kwargs):
    if name not in tasks.TASKS:
        kwargs["name"] = name
    return MAKE[name](**{**ARGUMENTS.get(name, {}), **kwargs})


@every_task
def test_all_metrics(name):
    task = make(name, metrics=tuple(ALL[name]))
    assert task.metric_keys == tuple(f"{name}_{key}" for key in ALL[name])
    made = task.make_metrics()
    assert [metric.name for metric in made] == list(task.metric_keys)
    for measure, metric in zip(task.measures, made, strict=True):
        higher_is_better, cls, values = ALL[name][measure.name]
        assert measure.higher_is_better is higher_is_better
        assert type(metric) is cls and measure.title
        config = metric.get_config()
        assert {key: config[key] for key in values} == values


@every_task
def test_they_measure_values_of_the_task(name):
    task = make(name, metrics=list(ALL[name]))
    rng = np.random.default_rng(0)
    outputs, others = rng.normal(size=(2, 2, 6, 8, task.num_outputs))
    labels, values = (
        np.array(keras.ops.convert_to_numpy(task.postprocess(x.astype("f"))))
        for x in (outputs, others)
    )
    labels[:, ::3] = np.round(labels[:, ::3])
    mask = np.array(task.label.is_known(labels), "float32")
    for measure, perfect, other in zip(
        task.measures, task.make_metrics(), task.make_metrics(), strict=True
    ):
        perfect.update_state(labels, labels, mask)
        other.update_state(labels, values, mask)
        results = []
        for metric in (perfect, other):
            result = metric.result()
            if isinstance(result, dict):
                result = np.mean([float(x) for x in result.values()])
            results.append(float(result))
        best = float(measure.higher_is_better)
        assert results[0] == pytest.approx(best, abs=0.006), measure.name
        assert abs(results[1] - best) > 0.006, measure.name


@every_task
def test_the_first_one_is_the_metric_of_the_task(name):
    for key, (higher_is_better, cls, _) in ALL[name].items():
        if cls is metrics.ClassIoU:
            continue
        others = [other for other in ALL[name] if other != key]
        task = make(name, metrics=[key, *others])
        assert task.metric_key == f"{name}_{key}" == task.make_metric().name
        assert type(task.make_metric()) is cls
        assert tasks.directions([task]) == {task.metric_key: higher_is_better}
        assert task.metric_title == task.measures[0].title
        assert task.metric_unit == task.measures[0].unit


def test_units():
    task = make("depth", metrics=list(ALL["depth"]))
    units = [measure.unit for measure in task.measures]
    assert units == ["m", "m", "", "m", "", "", "", ""]
    task = make("height", unit="km", metrics=("mae", "rmse"))
    assert [measure.unit for measure in task.measures] == ["km", "km"]


@every_task
def test_unknown_names_list_the_valid_ones(name):
    valid = ", ".join(repr(key) for key in ALL[name])
    for wrong in (("psnr",), ("psnr", next(iter(ALL[name]))), (), "rmse"):
        with pytest.raises(ValueError, match="`metrics` must be") as error:
            make(name, metrics=wrong)
        received = str(error.value)
        assert received.endswith(f"Received: metrics={wrong!r}")
        assert all(repr(key) in received for key in ALL[name]), valid


def test_no_metric_twice():
    with pytest.raises(ValueError, match="each of another name.*rmse"):
        tasks.depth(metrics=("rmse", "rmse"))
    with pytest.raises(ValueError, match="each of another name"):
        tasks.semseg(3, average="images", metrics=("miou", "per_image_miou"))


def test_one_number_per_class_is_not_the_first():
    with pytest.raises(ValueError, match="a single number.*'iou'"):
        tasks.semseg(3, metrics=("iou", "miou"))


def test_average_and_alignment_still_count():
    task = tasks.semseg(3, average="images", metrics=("pixel_accuracy", "miou"))
    assert task.metric_keys == (
        "semseg_pixel_accuracy",
        "semseg_per_image_miou",
    )
    for task in (
        tasks.depth(alignment="image_scale", metrics=("abs_rel", "rmse")),
        tasks.edge(alignment="image_scale", metrics=("ap", "rmse")),
    ):
        assert task.metric_keys[1] == f"{task.name}_image_scale_rmse"
        assert task.make_metrics()[1].alignment == "image_scale"


def test_classes_by_their_names():
    task = tasks.semseg(2, ["wall", "floor"], metrics=("miou", "iou"))
    metric = task.make_metrics()[1]
    assert list(metric.result()) == ["semseg_iou/wall", "semseg_iou/floor"]


@every_task
def test_survives(name):
    task = make(name, metrics=list(ALL[name]))
    again = tasks.Task.from_config(task.get_config())
    assert again.metric_keys == task.metric_keys
    for first, second in zip(
        task.make_metrics(), again.make_metrics(), strict=True
    ):
        assert type(first) is type(second)
        assert first.get_config() == second.get_config()
