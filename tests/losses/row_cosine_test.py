import gradients
import numpy as np
import pytest
from keras import ops

from keras_s4t.losses import row_cosine_distance


def make_rows(seed=0):
    rng = np.random.default_rng(seed)
    shape = (2, 3, 5, 3)
    true, pred = (rng.normal(size=shape).astype("float32") for _ in range(2))
    return true, pred


def evaluate(*arguments):
    return float(ops.convert_to_numpy(row_cosine_distance(*arguments)))


def cosine(a, b):
    """As the release: 1e-6 added to each norm, along the last axis."""
    norms = (np.linalg.norm(x, axis=-1) + 1e-6 for x in (a, b))
    return (a * b).sum(axis=-1) / np.prod(list(norms), axis=0)


def test_is_the_cosine_over_the_last_axis_of_channels_first_arrays():
    true, pred = make_rows()
    first = [np.moveaxis(x.astype("float64"), -1, 1) for x in (true, pred)]
    assert first[0].shape == (2, 3, 3, 5)
    expected = (1 - cosine(*first)).mean()
    assert evaluate(true, pred) == pytest.approx(expected, rel=1e-5)
    # Any positive factor per row and channel is forgiven, unlike directions.
    factors = np.random.default_rng(1).uniform(0.5, 2, (2, 3, 1, 3))
    scaled = pred * factors.astype("float32")
    assert evaluate(true, scaled) == pytest.approx(expected, rel=1e-5)


def test_invalid_pixels_leave_their_rows():
    true, pred = make_rows()
    mask = np.ones((2, 3, 5, 1), "float32")
    mask[0, 0, 2:] = 0
    mask[1, 2] = 0
    valid = np.moveaxis(mask, -1, 1)
    values = 1 - cosine(
        *(np.moveaxis(x, -1, 1).astype("float64") * valid for x in (true, pred))
    )
    counted = np.broadcast_to(valid.max(-1), values.shape)
    expected = (values * counted).sum() / counted[:, :1].sum() / 3
    hidden = mask[..., 0] == 0
    true[hidden], pred[hidden] = np.nan, np.inf
    # Three channels make three rows, which are averaged, not summed.
    assert evaluate(true, pred, mask) == pytest.approx(expected, rel=1e-5)
    _, gradient = gradients.value_and_gradient(
        lambda x: row_cosine_distance(true, x, mask), pred
    )
    assert np.isfinite(gradient).all() and not gradient[hidden].any()
    assert gradient[~hidden].any(axis=-1).all()


def test_nothing_valid_is_zero():
    true, pred = make_rows()
    assert evaluate(true, pred, np.zeros((2, 3, 5, 1), "float32")) == 0
