import keras
import numpy as np
import pytest
from gradients import value_and_gradient
from keras import ops

from keras_s4t.vectors import absolute
from keras_s4t.vectors import norm
from keras_s4t.vectors import shortened
from keras_s4t.vectors import unit

SCALES = [1e-30, 1e-20, 1e-6, 1.0, 1e6, 1e20, 1e30]


def make_vectors(scale=1.0):
    rng = np.random.default_rng(0)
    return (scale * rng.normal(size=(4, 5, 3))).astype("float32")


def make_weights():
    """Weights of the results in a scalar, whose gradient tests look at."""
    return np.random.default_rng(1).normal(size=(4, 5, 3)).astype("float32")


def evaluate(fn, vectors):
    return ops.convert_to_numpy(fn(ops.convert_to_tensor(vectors)))


def weighted_sum(values, weights):
    return ops.sum(values * ops.convert_to_tensor(weights))


def test_absolute_has_no_gradient_at_zero():
    values = np.array([-3.0, -1e-30, 0.0, -0.0, 2.0], "float32")
    np.testing.assert_array_equal(evaluate(absolute, values), np.abs(values))
    _, gradient = value_and_gradient(lambda x: ops.sum(absolute(x)), values)
    np.testing.assert_array_equal(gradient, [-1, -1, 0, 0, 1])
    assert np.isnan(evaluate(absolute, np.array([np.nan], "float32")))


def expected_norm(vectors):
    return np.linalg.norm(vectors.astype("float64"), axis=-1, keepdims=True)


def expected_unit_gradient(vectors, weights):
    """Weights without their part along the vector, over its length."""
    directions = vectors / expected_norm(vectors)
    along = (weights * directions).sum(-1, keepdims=True) * directions
    return (weights - along) / expected_norm(vectors)


@pytest.mark.parametrize("scale", SCALES)
def test_norm_and_its_gradient(scale):
    vectors, weights = make_vectors(scale), make_weights()[..., :1]
    length = expected_norm(vectors)
    np.testing.assert_allclose(evaluate(norm, vectors), length, rtol=1e-6)
    _, gradient = value_and_gradient(
        lambda x: weighted_sum(norm(x), weights), vectors
    )
    np.testing.assert_allclose(
        gradient, weights * vectors / length, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("scale", SCALES)
def test_unit_and_its_gradient(scale):
    vectors, weights = make_vectors(scale), make_weights()
    np.testing.assert_allclose(
        evaluate(lambda x: unit(x, min_norm=0.0), vectors),
        vectors / expected_norm(vectors),
        rtol=1e-6,
    )
    _, gradient = value_and_gradient(
        lambda x: weighted_sum(unit(x, min_norm=0.0), weights), vectors
    )
    expected = expected_unit_gradient(vectors, weights)
    np.testing.assert_allclose(
        gradient, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max()
    )


@pytest.mark.parametrize("length", [0.0, 1e-40, 1e-30, 0.99e-12])
def test_short_vectors_have_no_direction(length):
    vectors = make_vectors()
    vectors[0] *= length / expected_norm(vectors[0])
    units = evaluate(unit, vectors)
    np.testing.assert_array_equal(units[0], 0)
    np.testing.assert_allclose(np.linalg.norm(units[1:], axis=-1), 1, 1e-6)
    _, gradient = value_and_gradient(
        lambda x: weighted_sum(unit(x), make_weights()), vectors
    )
    np.testing.assert_array_equal(gradient[0], 0)
    assert (np.abs(gradient[1:]).max(-1) > 0).all()


def test_a_vector_just_long_enough_has_a_direction():
    vectors = np.array([[0.0, 1.01e-12, 0.0]], "float32")
    np.testing.assert_allclose(evaluate(unit, vectors), [[0, 1, 0]], rtol=1e-6)


def test_zero_vectors_have_norm_and_gradient_zero():
    vectors = make_vectors()
    vectors[:, 0] = 0
    lengths = evaluate(norm, vectors)
    np.testing.assert_array_equal(lengths[:, 0], 0)
    value, gradient = value_and_gradient(lambda x: ops.sum(norm(x)), vectors)
    assert value == pytest.approx(expected_norm(vectors).sum())
    np.testing.assert_array_equal(gradient[:, 0], 0)
    np.testing.assert_allclose(
        gradient[:, 1:],
        vectors[:, 1:] / expected_norm(vectors[:, 1:]),
        rtol=1e-5,
    )


def test_shortened_has_a_bounded_gradient():
    lengths = [0.0, 1e-30, 1e-6, 0.0099, 0.0101, 1.0, 1e30]
    direction, weights = np.array([0.6, 0.0, -0.8]), np.array([3.0, -2.0, 1.0])
    vectors = np.outer(lengths, direction).astype("float32")
    divisors = np.maximum(lengths, 0.01)
    expected = np.outer(lengths / divisors, direction)
    np.testing.assert_allclose(evaluate(shortened, vectors), expected, 1e-6)
    _, gradient = value_and_gradient(
        lambda x: weighted_sum(
            shortened(x), np.tile(weights, (7, 1)).astype("float32")
        ),
        vectors,
    )
    across = weights - (weights @ direction) * direction
    expected = [weights / 0.01] * 4 + [across / d for d in divisors[4:]]
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("fn", [norm, shortened, unit])
def test_nan_is_not_hidden(fn):
    vectors = make_vectors()
    vectors[0, 0, 1] = np.nan
    results = evaluate(fn, vectors)
    assert np.isnan(results[0, 0]).any()
    assert np.isfinite(np.delete(results.reshape(20, -1), 0, axis=0)).all()


def test_compiles():
    model = keras.Sequential(
        [keras.Input((5, 3)), keras.layers.Lambda(unit, output_shape=(5, 3))]
    )
    vectors = make_vectors()
    units = model.predict(vectors, verbose=0)
    np.testing.assert_allclose(
        units, vectors / expected_norm(vectors), rtol=1e-5
    )
