import keras
import numpy as np
import pytest
import tiny
from gradients import jacobian
from keras import ops

from keras_s4t.methods.ttt_flow.act_norm import ActNorm
from keras_s4t.methods.ttt_flow.normalizing_flow import NormalizingFlow

NORMAL_AT_0 = 0.9189385


def make_flow(fill=True, num_couplings=3, channels=2, **kwargs):
    flow = NormalizingFlow(num_couplings, hidden_dim=4, num_blocks=1, **kwargs)
    flow.build((None, None, None, channels))
    if fill:
        tiny.fill(flow)
    return flow


def make_images(size=(4, 3), batch_size=2):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch_size, *size, 2)).astype("float32")


def negative_log_likelihood(flow, x):
    return float(ops.convert_to_numpy(flow.negative_log_likelihood(x)))


def make_identity():
    """A flow whose couplings neither scale nor shift."""
    flow = make_flow(fill=False)
    for step in flow.steps:
        if not isinstance(step, ActNorm):
            scale = step.network.head.conv.scale
            scale.assign(np.zeros(scale.shape))
    return flow


def test_determinant_is_that_of_the_jacobian():
    flow, x = make_flow(), make_images((3, 3), 1)
    matrix = jacobian(lambda x: flow(x)[0], x)
    sign, expected = np.linalg.slogdet(matrix)
    total = ops.convert_to_numpy(flow(x)[1]).sum()
    assert sign == 1 and abs(expected) > 0.1
    np.testing.assert_allclose(total, expected, rtol=1e-4, atol=1e-4)
    # Outputs depend on inputs at other positions.
    assert (np.abs(matrix - np.diag(np.diag(matrix))).sum(1) > 1e-4).all()


@pytest.mark.eager
@pytest.mark.parametrize("size", [(4, 4), (3, 5), (1, 1)])
def test_inverse(size):
    flow, x = make_flow(), make_images(size)
    inverse = flow.inverse(flow(x)[0])
    np.testing.assert_allclose(
        ops.convert_to_numpy(inverse), x, rtol=1e-4, atol=1e-4
    )


@pytest.mark.eager
def test_identity():
    flow, x = make_identity(), make_images()
    outputs, log_determinant = map(ops.convert_to_numpy, flow(x))
    np.testing.assert_array_equal(outputs, x)
    assert not log_determinant.any()
    nll = negative_log_likelihood(flow, np.zeros_like(x))
    assert nll == pytest.approx(NORMAL_AT_0, abs=1e-6)
    nll = negative_log_likelihood(flow, x)
    assert nll == pytest.approx(NORMAL_AT_0 + 0.5 * (x**2).mean(), abs=1e-5)


def test_likelihood_by_change_of_variables():
    """The density of `x = inverse(z)`: of `z`, times `|dz / dx|`."""
    flow, x = make_flow(), make_images((2, 2), 1)
    matrix = jacobian(lambda x: flow(x)[0], x)
    z = ops.convert_to_numpy(flow(x)[0]).astype("float64")
    normal = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    log_density = np.log(normal).sum() + np.linalg.slogdet(matrix)[1]
    nll = negative_log_likelihood(flow, x)
    assert nll == pytest.approx(-log_density / x.size, rel=1e-4)


def test_checkerboards_alternate_with_a_norm_in_between():
    flow = make_flow()
    kinds = [type(step).__name__ for step in flow.steps]
    assert kinds == ["AffineCoupling", "ActNorm"] * 2 + ["AffineCoupling"]
    assert [step.parity for step in flow.steps[::2]] == [0, 1, 0]
    assert len(make_flow(num_couplings=1).steps) == 1


def test_one_batch_initializes_every_norm():
    flow, x = make_flow(fill=False), make_images() * 4 + 3
    flow(x, training=True)
    for norm in flow.steps[1::2]:
        assert int(norm.initialized.value) == 1
        assert ops.convert_to_numpy(norm.initial_log_scale).all()


def test_inference_writes_nothing():
    flow = make_flow()
    before = tiny.numpy_values(flow.variables)
    flow.negative_log_likelihood(make_images())
    assert not tiny.moved(flow.variables, before)


@pytest.mark.eager
def test_survives_a_file_with_its_first_batch(tmp_path):
    flow, x = make_flow(fill=False), make_images()
    flow(4 * x + 3, training=True)
    inputs = keras.Input((None, None, 2))
    keras.Model(inputs, flow(inputs)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").layers[-1]
    np.testing.assert_allclose(
        ops.convert_to_numpy(loaded(x)[0]),
        ops.convert_to_numpy(flow(x)[0]),
        rtol=1e-6,
    )
    for flow_ in (flow, loaded):
        before = [
            tiny.numpy_values(norm.variables) for norm in flow_.steps[1::2]
        ]
        flow_(x, training=True)
        for norm, values in zip(flow_.steps[1::2], before, strict=True):
            assert not tiny.moved(norm.variables, values)


def test_densities_are_float32_under_mixed_precision():
    flow = make_flow(dtype="mixed_bfloat16")
    x = make_images()
    outputs, log_determinant = flow(ops.cast(x, "bfloat16"))
    nll = flow.negative_log_likelihood(x)
    for tensor in (outputs, log_determinant, nll):
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
    exact = negative_log_likelihood(make_flow(), x)
    received = float(ops.convert_to_numpy(nll))
    assert received == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize(
    "options", [{"num_couplings": 0}, {"hidden_dim": 0}, {"num_blocks": -1}]
)
def test_sizes_that_are_too_small(options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"at least.*{name}={value}"):
        NormalizingFlow(**options)
