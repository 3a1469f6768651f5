import numpy as np
import pytest

from keras_s4t.metrics import MeanAngularError


def angle(label, output):
    metric = MeanAngularError()
    metric.update_state(
        np.array(label, "float32").reshape(1, 1, 1, -1),
        np.array(output, "float32").reshape(1, 1, 1, -1),
    )
    return float(metric.result())


@pytest.mark.parametrize(
    "output, expected",
    [
        ([0, 0, 1], 0),
        ([0, 0, 7], 0),
        ([0, 1, 1], 45),
        ([-3, 0, 0], 90),
        ([0, 0, -1], 180),
        ([0, 0, 1e-30], 0),
        ([0, 0, -1e30], 180),
        ([0, 0, 0], 90),
    ],
)
def test_golden_angles(output, expected):
    assert angle([0, 0, 1], output) == pytest.approx(expected, abs=1e-4)


def test_two_zero_vectors():
    assert angle([0, 0, 0], [0, 0, 0]) == pytest.approx(90)


@pytest.mark.parametrize("degrees", [0.001, 0.01, 179.99])
def test_exact_near_the_poles(degrees):
    radians = np.deg2rad(degrees)
    output = [np.sin(radians), 0, np.cos(radians)]
    # The inverse cosine in float32 cannot tell these from 0 and 180.
    assert angle([0, 0, 1], output) == pytest.approx(degrees, abs=1e-5 * 18)


def test_formula():
    rng = np.random.default_rng(0)
    labels, outputs = rng.normal(size=(2, 2, 5, 6, 3))
    mask = rng.choice([0, 0.5, 1], size=(2, 5, 6, 1))
    norms = np.linalg.norm(labels, axis=-1) * np.linalg.norm(outputs, axis=-1)
    angles = np.rad2deg(np.arccos((labels * outputs).sum(-1) / norms))
    metric = MeanAngularError()
    metric.update_state(labels, outputs, mask)
    expected = (angles * mask[..., 0]).sum() / mask.sum()
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
