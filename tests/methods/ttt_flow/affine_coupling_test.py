import keras
import numpy as np
import numpy_layers
import pytest
import tiny
from gradients import jacobian
from keras import ops

from keras_s4t.methods.ttt_flow.affine_coupling import AffineCoupling
from keras_s4t.methods.ttt_flow.affine_coupling import checkerboard


def make_coupling(parity=0, fill=True, **kwargs):
    coupling = AffineCoupling(parity, hidden_dim=4, num_blocks=1, **kwargs)
    coupling.build((None, None, None, 2))
    if fill:
        tiny.fill(coupling)
        coupling.alpha.assign(0.8)
        coupling.beta.assign(-0.3)
    return coupling


def make_images(size=(4, 3), batch_size=2):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch_size, *size, 2)).astype("float32")


def numpy_checkerboard(height, width, parity):
    return np.array(
        [
            [[float((i + j) % 2 == parity)] for j in range(width)]
            for i in range(height)
        ]
    )


@pytest.mark.eager
@pytest.mark.parametrize("parity", [0, 1])
@pytest.mark.parametrize("size", [(1, 1), (4, 3), (2, 5)])
def test_checkerboard(parity, size):
    np.testing.assert_array_equal(
        ops.convert_to_numpy(checkerboard(*size, parity)),
        numpy_checkerboard(*size, parity),
    )


@pytest.mark.parametrize("parity", [0, 1])
def test_formula(parity):
    coupling, x = make_coupling(parity), make_images()
    outputs, log_derivative = map(ops.convert_to_numpy, coupling(x))
    changes = numpy_checkerboard(4, 3, parity)
    network = numpy_layers.coupling_network(x * (1 - changes), coupling.network)
    log_scale = (0.8 * np.tanh(network[..., :2]) - 0.3) * changes
    expected = x * np.exp(log_scale) + network[..., 2:] * changes
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(log_derivative, log_scale, rtol=1e-4, atol=1e-4)
    stays = np.broadcast_to(changes == 0, x.shape)
    np.testing.assert_array_equal(outputs[stays], x[stays])


@pytest.mark.eager
@pytest.mark.parametrize("parity", [0, 1])
def test_determinant_is_that_of_the_jacobian(parity):
    coupling, x = make_coupling(parity), make_images((3, 3), 1)
    matrix = jacobian(lambda x: coupling(x)[0], x)
    sign, expected = np.linalg.slogdet(matrix)
    total = ops.convert_to_numpy(coupling(x)[1]).sum()
    assert sign == 1 and abs(expected) > 0.1
    np.testing.assert_allclose(total, expected, rtol=1e-4)


@pytest.mark.parametrize("parity", [0, 1])
def test_inverse(parity):
    coupling, x = make_coupling(parity), make_images()
    inverse = coupling.inverse(coupling(x)[0])
    np.testing.assert_allclose(ops.convert_to_numpy(inverse), x, atol=1e-5)


def test_starts_with_scale_1_and_a_shift():
    coupling, x = make_coupling(fill=False), make_images()
    outputs, log_derivative = map(ops.convert_to_numpy, coupling(x))
    assert not log_derivative.any()
    assert np.abs(outputs - x).max() > 1e-3


@pytest.mark.eager
def test_sizes_may_be_unknown():
    coupling = make_coupling()
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, coupling(inputs))
    for size in ((4, 3), (2, 5)):
        x = make_images(size)
        for received, expected in zip(
            model.predict(x, verbose=0), coupling(x), strict=True
        ):
            np.testing.assert_allclose(
                received, ops.convert_to_numpy(expected), rtol=1e-5, atol=1e-5
            )


@pytest.mark.eager
def test_densities_are_float32_around_a_bfloat16_network():
    coupling = make_coupling(dtype="mixed_bfloat16")
    assert coupling.network.compute_dtype == "bfloat16"
    x = ops.cast(make_images(), "bfloat16")
    outputs, log_derivative = coupling(x)
    for tensor in (outputs, log_derivative, coupling.inverse(outputs)):
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
    exact, _ = make_coupling()(ops.cast(x, "float32"))
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs), ops.convert_to_numpy(exact), atol=0.1
    )
