import keras
import numpy as np
import pytest

from keras_s4t.optimizers import CoupledAdam

START = np.array([1.0, -2.0, 0.5, 0.0], "float32")
GRADIENTS = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
# Where the loss says nothing, only the decay moves a weight.
GRADIENTS[:, 1] = 0


def run(optimizer, start=START):
    variable = keras.Variable(start)
    optimizer.build([variable])
    for gradient in GRADIENTS:
        gradient = keras.ops.convert_to_tensor(gradient)
        optimizer.apply([gradient], [variable])
    return keras.ops.convert_to_numpy(variable)


def adam(rate, l2, epsilon):
    """Adam, with the decay in its gradient, in NumPy."""
    w = START.astype("float64")
    m, v = np.zeros(4), np.zeros(4)
    for t, gradient in enumerate(GRADIENTS, start=1):
        g = gradient + l2 * w
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        w -= rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + epsilon)
    return w


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_equals_adam_on_the_regularized_loss(l2):
    found = run(CoupledAdam(0.05, l2=l2, epsilon=1e-8))
    np.testing.assert_allclose(found, adam(0.05, l2, 1e-8), atol=2e-4)


def test_without_decay_it_is_adam():
    found = run(CoupledAdam(0.05, l2=0.0))
    np.testing.assert_allclose(
        found, run(keras.optimizers.Adam(0.05)), atol=1e-6
    )


def test_a_silent_weight_decays_by_whole_steps():
    """Unlike with decoupled decay, which would shrink it by 1e-6 parts."""
    found = run(CoupledAdam(0.05, l2=1e-4, epsilon=1e-8))
    assert found[1] == pytest.approx(START[1] + 6 * 0.05, abs=3e-3)
    decoupled = run(keras.optimizers.Adam(0.05, weight_decay=1e-4))
    assert decoupled[1] == pytest.approx(START[1], abs=1e-3)


def test_decay_of_plain_sgd_is_the_same_either_way():
    start, rate, decay = START.astype("float64"), 0.05, 0.1
    expected = start
    for gradient in GRADIENTS:
        expected = expected - rate * (gradient + decay * expected)
    found = run(keras.optimizers.SGD(rate, weight_decay=decay))
    # Keras decays first and then subtracts the gradient.
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_serializes():
    optimizer = CoupledAdam(0.05, l2=0.25, epsilon=1e-8)
    config = keras.optimizers.serialize(optimizer)
    again = keras.optimizers.deserialize(config)
    assert isinstance(again, CoupledAdam)
    assert again.get_config() == optimizer.get_config()


def test_negative_decay():
    with pytest.raises(ValueError, match="must not be negative.*l2=-1"):
        CoupledAdam(l2=-1)
