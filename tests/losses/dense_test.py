import keras
import numpy as np
import pytest
from gradients import value_and_gradient
from keras import ops

from keras_s4t import losses

SHAPE = (2, 4, 5)


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def cross_entropy(labels, logits):
    logits = logits - logits.max(-1, keepdims=True)
    log_probabilities = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    ids = np.where(labels < logits.shape[-1], labels, 0)
    return -np.take_along_axis(log_probabilities, ids[..., None], -1)[..., 0]


def l1(labels, outputs):
    return np.abs(labels - outputs).sum(-1)


def l2(labels, outputs):
    return np.square(labels - outputs).sum(-1)


def cosine(labels, outputs):
    norms = [np.linalg.norm(x, axis=-1) + 1e-6 for x in (labels, outputs)]
    return 1 - (labels * outputs).sum(-1) / norms[0] / norms[1]


def unit_l1(labels, outputs):
    norm = np.linalg.norm(outputs, axis=-1, keepdims=True)
    return np.abs(labels - outputs / norm).sum(-1)


def balanced(labels, outputs):
    positive = 0.95 * labels * softplus(-outputs)
    return (positive + 0.05 * (1 - labels) * softplus(outputs)).sum(-1)


# Loss, its value per pixel in NumPy, channels of the prediction.
CASES = {
    "softmax": (losses.softmax_cross_entropy, cross_entropy, 7),
    "l1": (losses.absolute_error, l1, 3),
    "l2": (losses.squared_error, l2, 3),
    "cosine": (losses.cosine_distance, cosine, 3),
    "unit_l1": (losses.unit_absolute_error, unit_l1, 3),
    "balanced": (losses.balanced_binary_cross_entropy, balanced, 1),
}
every_loss = pytest.mark.parametrize("case", list(CASES))


def batch(case, seed=0):
    """Labels, predictions and a mask that has zeros and fractions."""
    channels = CASES[case][2]
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(*SHAPE, channels)).astype("float32")
    if case == "softmax":
        labels = rng.integers(channels, size=SHAPE)
    elif case == "balanced":
        labels = rng.uniform(size=outputs.shape).round().astype("float32")
    else:
        labels = rng.normal(size=outputs.shape).astype("float32")
    mask = rng.choice([0, 0.5, 1], size=(*SHAPE, 1)).astype("float32")
    return labels, outputs, mask


@every_loss
def test_mean_over_all_pixels(case):
    loss, per_pixel, _ = CASES[case]
    labels, outputs, _ = batch(case)
    expected = per_pixel(labels, outputs).mean()
    assert float(loss(labels, outputs)) == pytest.approx(expected, rel=1e-5)


@every_loss
def test_mean_over_valid_pixels(case):
    loss, per_pixel, _ = CASES[case]
    labels, outputs, mask = batch(case)
    values = per_pixel(labels, outputs)
    expected = (values * mask[..., 0]).sum() / mask.sum()
    labels[mask[..., 0] == 0] = 255
    value = float(loss(labels, outputs, mask))
    assert value == pytest.approx(expected, rel=1e-5)


@every_loss
def test_gradient_is_that_of_the_formula(case):
    loss, per_pixel, _ = CASES[case]
    labels, outputs, mask = batch(case)
    _, gradient = value_and_gradient(lambda x: loss(labels, x, mask), outputs)
    rng = np.random.default_rng(1)
    direction = rng.normal(size=outputs.shape)
    step = 1e-6
    ends = [
        per_pixel(labels, outputs.astype("float64") + sign * step * direction)
        for sign in (-1, 1)
    ]
    slope = ((ends[1] - ends[0]) * mask[..., 0]).sum() / mask.sum()
    assert (gradient * direction).sum() == pytest.approx(
        slope / (2 * step), rel=1e-3, abs=1e-4
    )
    np.testing.assert_array_equal(gradient[mask[..., 0] == 0], 0)


@every_loss
@pytest.mark.parametrize("outputs", [0.0, 1.0, np.nan])
def test_no_valid_pixel(case, outputs):
    loss, _, channels = CASES[case]
    labels = np.full(batch(case)[0].shape, 255)
    outputs = np.full((*SHAPE, channels), outputs, "float32")
    value, gradient = value_and_gradient(
        lambda x: loss(labels, x, np.zeros((*SHAPE, 1))), outputs
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize(
    "loss", [losses.absolute_error, losses.unit_absolute_error]
)
def test_equal_predictions_have_no_gradient(loss):
    labels = np.zeros((*SHAPE, 3), "float32")
    labels[..., 1] = 1
    value, gradient = value_and_gradient(lambda x: loss(labels, x), labels)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@every_loss
def test_zero_predictions_have_finite_gradients(case):
    loss, _, channels = CASES[case]
    labels, _, mask = batch(case)
    value, gradient = value_and_gradient(
        lambda x: loss(labels, x, mask), np.zeros((*SHAPE, channels), "float32")
    )
    assert np.isfinite(value) and value > 0
    # A hundred times that of a pixel whose prediction has length 1.
    assert np.abs(gradient).max() <= 100 / mask.sum()


@every_loss
def test_invalid_pixels_may_hold_nan(case):
    loss, _, _ = CASES[case]
    labels, outputs, mask = batch(case)
    expected, expected_gradient = value_and_gradient(
        lambda x: loss(labels, x, mask), outputs
    )
    outputs[mask[..., 0] == 0] = np.nan
    if labels.dtype == "float32":
        labels[mask[..., 0] == 0] = np.nan
    value, gradient = value_and_gradient(
        lambda x: loss(labels, x, mask), outputs
    )
    assert value == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-7)


@every_loss
def test_bfloat16_is_computed_in_float32(case):
    loss, per_pixel, _ = CASES[case]
    labels, outputs, mask = batch(case)
    outputs = ops.cast(outputs, "bfloat16")
    result = loss(labels, outputs, mask)
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    rounded = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    values = per_pixel(labels, rounded)
    expected = (values * mask[..., 0]).sum() / mask.sum()
    assert float(result) == pytest.approx(expected, rel=1e-5)


@every_loss
def test_shapes_that_would_broadcast(case):
    loss, _, channels = CASES[case]
    outputs = np.zeros((*SHAPE, channels), "float32")
    labels = np.zeros((*SHAPE, 1) if case == "softmax" else SHAPE, "int32")
    with pytest.raises(ValueError, match="Received: y_pred.shape"):
        loss(labels, outputs)
    labels, _, mask = batch(case)
    with pytest.raises(ValueError, match="Received: mask.shape"):
        loss(labels, outputs, mask[:, :1])


def test_golden_balanced_edges():
    labels = np.array([0, 1, 1, 255], "float32").reshape(1, 2, 2, 1)
    logits = np.array([0, 1, -1, 2], "float32").reshape(1, 2, 2, 1)
    value = losses.balanced_binary_cross_entropy(labels, logits, labels < 2)
    # (0.05 * log 2 + 0.95 * (softplus(-1) + softplus(1))) / 3
    assert float(value) == pytest.approx(0.5266182, abs=1e-6)


def test_golden_channel_sum():
    outputs = np.zeros((*SHAPE, 7), "float32")
    assert float(losses.absolute_error(outputs + 0.1, outputs)) == (
        pytest.approx(0.7, rel=1e-5)
    )
    assert float(losses.squared_error(outputs + 0.1, outputs)) == (
        pytest.approx(0.07, rel=1e-5)
    )


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_ids_that_are_no_class_are_ignored(dtype):
    labels, logits, _ = batch("softmax")
    expected = cross_entropy(labels, logits)
    ignored = np.zeros(SHAPE, bool)
    ignored[0, 0] = ignored[1, :, 2] = True
    labels[ignored] = 255
    labels[0, 0, :2] = [7, 200]
    labels = labels.astype(dtype)
    if dtype != "uint8":
        labels[0, 0, 0] = -1
    value, gradient = value_and_gradient(
        lambda x: losses.softmax_cross_entropy(labels, x), logits
    )
    assert value == pytest.approx(expected[~ignored].mean(), rel=1e-5)
    np.testing.assert_array_equal(gradient[ignored], 0)


def test_all_labels_ignored():
    value, gradient = value_and_gradient(
        lambda x: losses.softmax_cross_entropy(np.full(SHAPE, 255), x),
        batch("softmax")[1],
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_ignore_class_may_be_a_class():
    labels, logits, _ = batch("softmax")
    values = cross_entropy(labels, logits)
    value = losses.softmax_cross_entropy(labels, logits, ignore_class=3)
    assert float(value) == pytest.approx(values[labels != 3].mean(), rel=1e-5)
    value = losses.softmax_cross_entropy(labels, logits, ignore_class=None)
    assert float(value) == pytest.approx(values.mean(), rel=1e-5)


def test_unsigned_ids_of_many_classes():
    labels = np.array([[[255, 1]]], "uint8")
    logits = np.random.default_rng(0).normal(size=(1, 1, 2, 300))
    value = losses.softmax_cross_entropy(labels, logits, ignore_class=-1)
    expected = cross_entropy(labels.astype(int), logits).mean()
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_cosine_is_along_channels():
    labels = np.zeros((1, 1, 4, 3), "float32")
    labels[..., 2] = 1
    outputs = np.array([[0, 0, 2], [0, 0, -1], [0, 3, 0], [0, 0, 0]])
    distances = [
        float(losses.cosine_distance(labels[:, :, :1], o.reshape(1, 1, 1, 3)))
        for o in outputs.astype("float32")
    ]
    np.testing.assert_allclose(distances, [0, 2, 1, 1], atol=1e-5)


@pytest.mark.parametrize("length", [0, 1e-30, 1e-8, 1e-3, 0.0099])
def test_short_predictions_have_bounded_gradients(length):
    labels = np.array([1, 0, 0], "float32").reshape(1, 1, 1, 3)
    outputs = length * np.array([0.6, 0.8, 0], "float32").reshape(1, 1, 1, 3)
    value, gradient = value_and_gradient(
        lambda x: losses.cosine_distance(labels, x), outputs
    )
    assert value == pytest.approx(1 - 60 * length, abs=1e-5)
    np.testing.assert_allclose(gradient, -100 * labels, rtol=1e-4)
    value, gradient = value_and_gradient(
        lambda x: losses.unit_absolute_error(labels, x), outputs
    )
    assert value == pytest.approx(1 + 20 * length, abs=1e-5)
    expected = [-100, 100 if length else 0, 0]
    np.testing.assert_allclose(gradient.ravel(), expected, rtol=1e-4)


def test_positive_weight():
    labels = np.array([1, 0], "float32").reshape(1, 1, 2, 1)
    value = losses.balanced_binary_cross_entropy(
        labels, 0 * labels, positive_weight=0.5
    )
    assert float(value) == pytest.approx(0.5 * np.log(2))
    with pytest.raises(ValueError, match="Received: positive_weight=1.5"):
        losses.balanced_binary_cross_entropy(
            labels, labels, positive_weight=1.5
        )
