import numpy as np
import pytest

from keras_s4t.metrics import RootMeanSquaredError

ALIGNMENTS = ("none", "image_scale", "image_affine", "batch_affine")
every_alignment = pytest.mark.parametrize("alignment", ALIGNMENTS)


def fit(labels, outputs, affine):
    """Squared errors after `numpy.linalg.lstsq`, of valid pixels."""
    columns = [outputs, np.ones_like(outputs)] if affine else [outputs]
    matrix = np.stack(columns, axis=-1)
    solution = np.linalg.lstsq(matrix, labels, rcond=None)[0]
    return np.square(matrix @ solution - labels)


def expected_error(labels, outputs, mask, alignment):
    labels, outputs = labels.astype("float64"), outputs.astype("float64")
    if alignment == "none":
        errors = [np.square(labels - outputs)[mask > 0]]
    elif alignment == "batch_affine":
        errors = [fit(labels[mask > 0], outputs[mask > 0], True)]
    else:
        errors = [
            fit(y[m > 0], p[m > 0], alignment == "image_affine")
            for y, p, m in zip(labels, outputs, mask, strict=True)
        ]
    return np.sqrt(np.concatenate(errors).mean())


def rmse(labels, outputs, mask=None, alignment="none"):
    metric = RootMeanSquaredError(alignment)
    metric.update_state(labels, outputs, mask)
    return float(metric.result())


@pytest.fixture
def data():
    """Depths, predictions in a wrong unit, and masks of unequal size."""
    rng = np.random.default_rng(0)
    labels = rng.uniform(1, 10, size=(3, 6, 7, 1)).astype("float32")
    outputs = 100 + 0.1 * labels + rng.normal(0, 0.1, size=labels.shape)
    mask = rng.uniform(size=labels.shape) < [[[[0.2]]], [[[0.5]]], [[[0.9]]]]
    return labels, outputs.astype("float32"), mask.astype("float32")


@every_alignment
def test_formula(data, alignment):
    labels, outputs, mask = data
    expected = expected_error(labels, outputs, mask, alignment)
    labels[mask == 0] = 255
    value = rmse(labels, outputs, mask, alignment)
    assert value == pytest.approx(expected, rel=1e-4)
    expected = expected_error(labels, outputs, np.ones_like(mask), alignment)
    value = rmse(labels, outputs, None, alignment)
    assert value == pytest.approx(expected, rel=1e-4)


def test_total_over_pixels_not_mean_of_images(data):
    labels, outputs, mask = data
    metric = RootMeanSquaredError()
    for y, p, m in zip(labels, outputs, mask, strict=True):
        metric.update_state(y[None], p[None], m[None])
    expected = expected_error(labels, outputs, mask, "none")
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_weights():
    labels = np.zeros((1, 1, 3, 1))
    outputs = np.array([1, 2, 3], "float32").reshape(labels.shape)
    weights = np.array([0.5, 1, 0]).reshape(labels.shape)
    expected = np.sqrt((0.5 * 1 + 1 * 4) / 1.5)
    assert rmse(labels, outputs, weights) == pytest.approx(expected)
    # The fit is weighted too: mean 5 / 3.
    expected = np.sqrt((0.5 * (2 / 3) ** 2 + (1 / 3) ** 2) / 1.5)
    value = rmse(outputs, labels, weights, "image_affine")
    assert value == pytest.approx(expected)


@pytest.mark.parametrize("alignment", ["image_affine", "batch_affine"])
def test_golden_alignment(alignment):
    outputs = np.array([0, 1, 1, 2], "float32").reshape(1, 2, 2, 1)
    labels = np.array([1, 2, 3, 4], "float32").reshape(1, 2, 2, 1)
    # Scale 1.5, shift 1.
    value = rmse(labels, outputs, alignment=alignment)
    assert value == pytest.approx(0.3535534, abs=1e-6)


@pytest.mark.parametrize("alignment", ALIGNMENTS[1:])
@pytest.mark.parametrize("scale", [-3.0, 1e-4, 1e4])
def test_alignment_forgives_scale_and_sign(data, alignment, scale):
    labels, _, mask = data
    value = rmse(labels, scale * labels, mask, alignment)
    assert value == pytest.approx(0, abs=1e-4)


@every_alignment
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_constant_prediction(data, alignment, constant):
    labels, _, mask = data
    labels = labels + np.arange(3, dtype="float32").reshape(3, 1, 1, 1)
    outputs = np.full(labels.shape, constant, "float32")
    value = rmse(labels, outputs, mask, alignment)
    expected = expected_error(labels, outputs, mask, alignment)
    assert value == pytest.approx(expected, rel=1e-3)
    if alignment == "batch_affine":
        assert value == pytest.approx(labels[mask > 0].std(), rel=1e-3)


@every_alignment
def test_image_without_valid_pixel(data, alignment):
    labels, outputs, mask = data
    mask[1] = 0
    value = rmse(labels, outputs, mask, alignment)
    kept = [array[[0, 2]] for array in (labels, outputs, mask)]
    assert value == pytest.approx(rmse(*kept, alignment), rel=1e-5)


@pytest.mark.parametrize("alignment", ["image_affine", "batch_affine"])
def test_one_valid_pixel(data, alignment):
    labels, outputs, mask = data
    mask[:] = 0
    mask[0, 0, 0] = 1
    assert rmse(labels, outputs, mask, alignment) == pytest.approx(0, abs=1e-5)


def test_the_paper_measure_cannot_judge_edges():
    # Thin edges: noise scores the labels' deviation, the inverse scores 0.
    rng = np.random.default_rng(0)
    labels = (rng.uniform(size=(2, 64, 64, 1)) < 0.02).astype("float32")
    noise = rng.uniform(size=labels.shape).astype("float32")
    assert rmse(labels, noise) > 0.5
    value = rmse(labels, noise, alignment="batch_affine")
    assert value == pytest.approx(labels.std(), rel=1e-2)
    value = rmse(labels, 1 - labels, alignment="batch_affine")
    assert value == pytest.approx(0, abs=1e-5)


def test_unknown_alignment():
    with pytest.raises(ValueError, match="Received: alignment='batch'"):
        RootMeanSquaredError("batch")
