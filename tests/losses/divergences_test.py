import keras
import numpy as np
import pytest
from gradients import value_and_gradient
from keras import ops

from keras_s4t import losses

SHAPE = (2, 3, 4, 5)


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def entropy(x, _):
    return -(np.exp(log_softmax(x)) * log_softmax(x)).sum(-1)


def softmax_kl(x, r):
    p = np.exp(log_softmax(x))
    return (p * (log_softmax(x) - log_softmax(r))).sum(-1)


def bernoulli_kl(x, r):
    p, q = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-r))
    return (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(-1)


def gaussian_kl(x, r):
    return ((x - r) ** 2).sum(-1) / 2


def one_minus_cosine(x, r):
    norms = np.linalg.norm(x, axis=-1) * np.linalg.norm(r, axis=-1)
    return 1 - (x * r).sum(-1) / norms


# A divergence and its value per pixel in NumPy.
DIVERGENCES = {
    "softmax": (losses.softmax_kl_divergence, softmax_kl),
    "bernoulli": (losses.bernoulli_kl_divergence, bernoulli_kl),
    "gaussian": (losses.gaussian_kl_divergence, gaussian_kl),
    "direction": (losses.direction_divergence, one_minus_cosine),
}
CASES = {
    **DIVERGENCES,
    "entropy": (lambda x, _: losses.softmax_entropy(x), entropy),
}
every_divergence = pytest.mark.parametrize("case", list(DIVERGENCES))
every_case = pytest.mark.parametrize("case", list(CASES))


def batch(scale=1.0):
    """Raw outputs and a reference, the same on every backend."""
    rng = np.random.default_rng(0)
    return scale * rng.normal(size=(2, *SHAPE)).astype("float32")


def pixel(*values):
    return np.array(values, "float32").reshape(1, 1, 1, -1)


@every_case
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_mean_over_pixels_of_the_formula(case, scale):
    loss, per_pixel = CASES[case]
    outputs, reference = batch(scale)
    expected = per_pixel(*batch(scale).astype("float64")).mean()
    value = float(loss(outputs, reference))
    assert value == pytest.approx(expected, rel=1e-4)


@every_case
@pytest.mark.parametrize("argument", [0, 1])
def test_gradients_are_those_of_the_formula(case, argument):
    loss, per_pixel = CASES[case]
    if case == "entropy" and argument == 1:
        pytest.skip("the entropy has no reference")
    arguments = list(batch())

    def of_one(x):
        return loss(*arguments[:argument], x, *arguments[argument + 1 :])

    _, gradient = value_and_gradient(of_one, arguments[argument])
    direction = np.random.default_rng(1).normal(size=SHAPE)
    ends = []
    for step in (-1e-6, 1e-6):
        moved = batch().astype("float64")
        moved[argument] += step * direction
        ends.append(per_pixel(*moved).mean())
    slope = (ends[1] - ends[0]) / 2e-6
    assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-3)


@every_divergence
def test_zero_without_slope_for_equal_arguments(case):
    loss, _ = CASES[case]
    outputs, other = batch()
    value, gradient = value_and_gradient(lambda x: loss(x, outputs), outputs)
    assert value == pytest.approx(0, abs=1e-8)
    _, elsewhere = value_and_gradient(lambda x: loss(x, other), outputs)
    assert np.abs(gradient).max() < 1e-6 * np.abs(elsewhere).max()


@every_divergence
def test_prediction_and_reference_must_have_one_shape(case):
    loss, _ = CASES[case]
    outputs, reference = batch()
    with pytest.raises(ValueError, match="one shape. Received: .*4, 5.*4, 1"):
        loss(outputs, reference[..., :1])


@every_case
def test_bfloat16_is_computed_in_float32(case):
    loss, per_pixel = CASES[case]
    outputs = [ops.cast(x, "bfloat16") for x in batch()]
    result = loss(*outputs)
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    rounded = [ops.convert_to_numpy(ops.cast(x, "float32")) for x in outputs]
    expected = per_pixel(*rounded).mean()
    assert float(result) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("level", [0.0, -3.0, 1e4])
def test_golden_entropy_of_uniform_logits(level):
    value = losses.softmax_entropy(np.full((*SHAPE[:3], 7), level, "float32"))
    assert float(value) == pytest.approx(1.9459101, rel=1e-6)


def test_saturated_logits_have_neither_entropy_nor_slope():
    value, gradient = value_and_gradient(
        losses.softmax_entropy, pixel(1e4, 0, -1e4)
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_golden_softmax_divergence_has_a_direction():
    fair, biased = np.log(pixel(0.5, 0.5)), np.log(pixel(0.9, 0.1))
    divergence = losses.softmax_kl_divergence
    # (log(5 / 9) + log 5) / 2 and 0.9 log 1.8 + 0.1 log 0.2
    assert float(divergence(fair, biased)) == pytest.approx(0.5108256)
    assert float(divergence(biased, fair)) == pytest.approx(0.3680642)
    shifted = divergence(fair + 7, biased - 4)
    assert float(shifted) == pytest.approx(0.5108256, rel=1e-5)


def test_two_classes_are_a_bernoulli():
    outputs, reference = batch(3.0)[..., :1]
    pairs = [np.concatenate([0 * x, x], -1) for x in (outputs, reference)]
    assert float(losses.bernoulli_kl_divergence(outputs, reference)) == (
        pytest.approx(float(losses.softmax_kl_divergence(*pairs)), rel=1e-5)
    )


@pytest.mark.parametrize(
    "outputs, reference, expected",
    [(90, 30, np.exp(-30)), (-90, -30, np.exp(-30)), (500, -500, 500)],
)
def test_bernoulli_divergence_of_saturated_logits(outputs, reference, expected):
    value, gradient = value_and_gradient(
        lambda x: losses.bernoulli_kl_divergence(x, pixel(reference)),
        pixel(outputs),
    )
    assert value == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(gradient).all()


def test_golden_gaussian_divergence():
    outputs = np.zeros((*SHAPE[:3], 3), "float32")
    divergence = losses.gaussian_kl_divergence
    assert float(divergence(outputs + 0.1, outputs)) == pytest.approx(0.015)
    # 3 * 0.1^2 / (2 * 0.5^2)
    value = divergence(outputs + 0.1, outputs, sigma=0.5)
    assert float(value) == pytest.approx(0.06)
    for sigma in (0, -1.0):
        with pytest.raises(ValueError, match=f"Received: sigma={sigma}"):
            divergence(outputs, outputs, sigma=sigma)


def test_direction_of_any_length():
    divergence = losses.direction_divergence
    x, y = pixel(2, 0, 0), pixel(0, 0.1, 0)
    values = [float(divergence(x, z)) for z in (7 * x, y, -x, x + 20 * y)]
    np.testing.assert_allclose(values, [0, 1, 2, 1 - 0.5**0.5], rtol=1e-5)


def test_small_angles_do_not_round_to_none():
    value = losses.direction_divergence(pixel(1, 1e-4), pixel(1, 0))
    assert float(value) == pytest.approx(5e-9, rel=1e-3)


@pytest.mark.parametrize("length", [0, 1e-30, 1e-8, 1e-3])
def test_short_vectors_have_bounded_gradients(length):
    value, gradient = value_and_gradient(
        lambda x: losses.direction_divergence(x, pixel(0, 3)),
        pixel(length, 0),
    )
    assert value == pytest.approx(0.5 + 5e3 * length**2, rel=1e-5)
    expected = pixel(1e4 * length, -100)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4)
