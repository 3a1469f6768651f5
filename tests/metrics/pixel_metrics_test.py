"""What holds for every metric of pixels."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t import metrics

SHAPE = (3, 4, 5)

# Constructor, arguments, channels of the prediction.
CASES = {
    "miou": (metrics.MeanIoU, {"num_classes": 4}, 4),
    "per_image_miou": (metrics.PerImageMeanIoU, {"num_classes": 4}, 4),
    "miou_of_present": (
        metrics.MeanIoU,
        {"num_classes": 4, "absent": "skip", "ignore_class": 1},
        4,
    ),
    "rmse": (metrics.RootMeanSquaredError, {}, 1),
    "scaled_rmse": (
        metrics.RootMeanSquaredError,
        {"alignment": "image_scale"},
        1,
    ),
    "aligned_rmse": (
        metrics.RootMeanSquaredError,
        {"alignment": "image_affine"},
        1,
    ),
    "paper_rmse": (
        metrics.RootMeanSquaredError,
        {"alignment": "batch_affine"},
        1,
    ),
    "merr": (metrics.MeanAngularError, {}, 3),
    "median": (metrics.MedianAngularError, {}, 3),
    "within_60": (metrics.ShareWithinAngle, {"degrees": 60.0}, 3),
    "mae": (metrics.MeanAbsoluteError, {}, 1),
    "abs_rel": (metrics.AbsoluteRelativeError, {}, 1),
    "sq_rel": (metrics.SquaredRelativeError, {}, 1),
    "rmse_log": (metrics.RootMeanSquaredLogError, {"smallest": 0.1}, 1),
    "delta3": (metrics.ShareWithinFactor, {"factor": 1.25**3}, 1),
    "pixel_accuracy": (metrics.PixelAccuracy, {"num_classes": 4}, 4),
    "mean_accuracy": (metrics.MeanAccuracy, {"num_classes": 4}, 4),
    "accuracy": (metrics.BinaryAccuracy, {}, 1),
    "iou": (metrics.BinaryIoU, {}, 1),
    "f1": (metrics.BinaryF1, {}, 1),
    "ap": (metrics.AveragePrecision, {}, 1),
    "odsf": (metrics.OptimalThresholdF1, {"tolerance": 0.2}, 1),
}
COMPILED = (
    "miou",
    "per_image_miou",
    "rmse",
    "aligned_rmse",
    "median",
    "ap",
    "odsf",
)
every_metric = pytest.mark.parametrize("case", list(CASES))


def make(case):
    metric, arguments, _ = CASES[case]
    return metric(**arguments, name=case)


def batch(case, shape=SHAPE):
    """Labels, predictions and a mask."""
    *_, channels = CASES[case]
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(*shape, channels)).astype("float32")
    if channels == 4:
        labels = rng.integers(channels, size=shape).astype("int32")
    else:
        labels = rng.normal(size=outputs.shape).astype("float32")
    mask = rng.integers(2, size=(*shape, 1)).astype("float32")
    return labels, outputs, mask


def value(case, *data):
    metric = make(case)
    metric.update_state(*data)
    return float(metric.result())


@pytest.mark.eager
@every_metric
def test_zero_without_valid_pixels(case):
    metric = make(case)
    assert np.isnan(float(metric.result()))
    labels, outputs, mask = batch(case)
    metric.update_state(labels, outputs, 0 * mask)
    assert np.isnan(float(metric.result()))
    metric.update_state(labels, outputs, mask)
    assert float(metric.result()) == pytest.approx(
        value(case, labels, outputs, mask)
    )


@every_metric
def test_invalid_pixels_do_not_count(case):
    labels, outputs, mask = batch(case)
    expected = value(case, labels, outputs, mask)
    assert expected > 0
    assert expected != pytest.approx(value(case, labels, outputs), rel=1e-3)
    invalid = mask[..., 0] == 0
    labels[invalid] = 255 if labels.dtype == "int32" else np.nan
    outputs[invalid] = np.nan
    assert value(case, labels, outputs, mask) == pytest.approx(expected)


@every_metric
def test_a_prediction_that_is_no_number(case):
    labels, outputs, mask = batch(case)
    mask[0, 0, 0] = 1
    labels[0, 0, 0] = 2
    outputs[0, 0, 0] = np.nan
    assert np.isnan(value(case, labels, outputs, mask))
    # Nor does it come back.
    metric = make(case)
    metric.update_state(labels, outputs, mask)
    metric.update_state(*batch(case))
    assert np.isnan(float(metric.result()))
    metric.reset_state()
    metric.update_state(*batch(case))
    assert np.isfinite(float(metric.result()))


@pytest.mark.eager
@every_metric
def test_several_updates_equal_one(case):
    data = batch(case)
    metric = make(case)
    for start, stop in ((0, 1), (1, 3)):
        metric.update_state(*(array[start:stop] for array in data))
    same = float(metric.result()) == pytest.approx(value(case, *data))
    # Only a fit per update depends on what an update holds.
    assert same == (case != "paper_rmse")


@every_metric
def test_reset_state(case):
    labels, outputs, mask = batch(case)
    metric = make(case)
    metric.update_state(labels, -outputs)
    metric.reset_state()
    assert np.isnan(float(metric.result()))
    metric.update_state(labels, outputs, mask)
    assert float(metric.result()) == pytest.approx(
        value(case, labels, outputs, mask)
    )


@every_metric
def test_serialization(case):
    metric = make(case)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(metric)
    )
    assert type(copy) is type(metric)
    assert copy.get_config() == metric.get_config()
    assert copy.name == case
    copy.update_state(*batch(case))
    assert float(copy.result()) == pytest.approx(value(case, *batch(case)))


@every_metric
def test_stateless_update(case):
    metric = make(case)
    data = [ops.convert_to_tensor(array) for array in batch(case)]
    state = metric.stateless_reset_state()
    state = metric.stateless_update_state(state, *data)
    result = float(metric.stateless_result(state))
    assert result == pytest.approx(value(case, *batch(case)))
    assert np.isnan(float(metric.result()))


@every_metric
def test_bfloat16_predictions(case):
    labels, outputs, mask = batch(case)
    outputs = ops.cast(outputs, "bfloat16")
    metric = make(case)
    metric.update_state(labels, outputs, mask)
    assert {variable.dtype for variable in metric.variables} == {"float32"}
    rounded = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    assert float(metric.result()) == pytest.approx(
        value(case, labels, rounded, mask)
    )


@every_metric
def test_accumulates_in_float32_under_a_bfloat16_floatx(case):
    floatx = keras.config.floatx()
    keras.config.set_floatx("bfloat16")
    try:
        metric = make(case)
    finally:
        keras.config.set_floatx(floatx)
    assert {variable.dtype for variable in metric.variables} == {"float32"}


@pytest.mark.parametrize(
    "case",
    [
        # One of each way to accumulate is compiled.
        pytest.param(name, marks=[] if name in COMPILED else pytest.mark.eager)
        for name in CASES
    ],
)
def test_inside_a_compiled_model(case):
    labels, outputs, mask = batch(case)
    image = keras.Input(outputs.shape[1:])
    model = keras.Model(image, keras.layers.Identity()(image))

    def no_loss(y_true, y_pred):
        return 0.0 * y_pred[..., 0]

    model.compile(loss=no_loss, weighted_metrics=[make(case)])
    # The last batch is smaller.
    logs = model.evaluate(outputs, labels, 2, 0, mask, return_dict=True)
    metric = make(case)
    for start, stop in ((0, 2), (2, 3)):
        metric.update_state(
            *(array[start:stop] for array in (labels, outputs, mask))
        )
    assert logs[case] == pytest.approx(float(metric.result()), rel=1e-5)


@every_metric
def test_shapes_that_would_broadcast(case):
    labels, outputs, mask = batch(case)
    metric = make(case)
    with pytest.raises(ValueError, match="Received: y_true.shape"):
        metric.update_state(labels[0], outputs)
    with pytest.raises(ValueError, match="Received:.*y_pred.shape"):
        metric.update_state(labels, outputs[0])
    with pytest.raises(ValueError, match="Received:.*sample_weight.shape"):
        metric.update_state(labels, outputs, mask[..., 0])
    assert np.isnan(float(metric.result()))
