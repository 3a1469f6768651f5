import numpy as np
import pytest

from keras_s4t.metrics import MeanAngularError
from keras_s4t.metrics import MedianAngularError
from keras_s4t.metrics import ShareWithinAngle

# Half a bin, and the rounding of float32.
RESOLUTION = 0.0051


def at_angles(degrees):
    """Labels and outputs of shape `(1, 1, n, 3)` at these angles."""
    radians = np.deg2rad(np.asarray(degrees, "float64"))
    outputs = np.stack([np.sin(radians), 0 * radians, np.cos(radians)], axis=-1)
    labels = np.broadcast_to([0.0, 0.0, 1.0], outputs.shape)
    return labels[None, None], outputs[None, None]


def median(degrees, weights=None):
    metric = MedianAngularError()
    mask = None
    if weights is not None:
        mask = np.array(weights, "float32").reshape(1, 1, -1, 1)
    metric.update_state(*at_angles(degrees), mask)
    return float(metric.result())


@pytest.mark.eager
@pytest.mark.parametrize("count", [1, 2, 3, 10, 1001])
def test_median_of_numpy(count):
    degrees = np.random.default_rng(count).uniform(0, 180, count)
    expected = np.median(degrees)
    assert median(degrees) == pytest.approx(expected, abs=RESOLUTION)


@pytest.mark.parametrize(
    "degrees, weights, expected",
    [
        ([10, 20, 30], [1, 1, 2], 25),
        ([10, 20, 30], [1, 1, 3], 30),
        ([10, 20, 30], [0.5, 0.25, 0.25], 15),
        ([10, 20, 30], [0.5, 0.5, 0.25], 20),
        ([10, 20, 30], [0, 1, 0], 20),
        ([0, 180], None, 90),
        ([180, 180], None, 180),
        ([0], None, 0),
    ],
)
def test_weighted(degrees, weights, expected):
    received = median(degrees, weights)
    assert received == pytest.approx(expected, abs=RESOLUTION)


@pytest.mark.eager
def test_a_zero_vector_is_at_90_degrees():
    metric = MedianAngularError()
    labels = np.ones((1, 2, 2, 3))
    metric.update_state(labels, 0 * labels)
    assert float(metric.result()) == pytest.approx(90, abs=RESOLUTION)


@pytest.mark.eager
def test_it_is_no_mean():
    degrees = [1, 2, 3, 150, 170, 4, 5]
    metric = MeanAngularError()
    metric.update_state(*at_angles(degrees))
    assert float(metric.result()) > 40
    assert median(degrees) == pytest.approx(4, abs=RESOLUTION)


def test_share_within_an_angle():
    degrees = np.random.default_rng(0).uniform(0, 60, 200)
    weights = np.random.default_rng(1).uniform(0, 2, 200)
    for limit in (11.25, 22.5, 30):
        metric = ShareWithinAngle(limit)
        metric.update_state(*at_angles(degrees), weights.reshape(1, 1, -1, 1))
        expected = weights[degrees < limit].sum() / weights.sum()
        assert float(metric.result()) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="Received: degrees=0"):
        ShareWithinAngle(0)
