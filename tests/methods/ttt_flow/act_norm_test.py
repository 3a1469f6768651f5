import keras
import numpy as np
import tiny
from gradients import jacobian
from keras import ops

from keras_s4t.methods.ttt_flow.act_norm import ActNorm


@keras.saving.register_keras_serializable("tests")
class Normalized(keras.Model):
    """An `ActNorm` as a model."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = ActNorm()

    def build(self, input_shape):
        self.norm.build(input_shape)

    def call(self, inputs, training=False):
        return self.norm(inputs, training=training)[0]


def make_images(mean=(5.0, -3.0), deviation=(2.0, 0.5), size=(4, 3)):
    rng = np.random.default_rng(0)
    x = rng.normal(mean, deviation, (3, *size, len(mean)))
    return x.astype("float32")


def make_norm():
    norm = ActNorm()
    norm.build((None, None, None, 2))
    return norm


def outputs_of(norm, x, **kwargs):
    return ops.convert_to_numpy(norm(x, **kwargs)[0])


def assert_standardized(outputs):
    np.testing.assert_allclose(outputs.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.std((0, 1, 2)), 1, rtol=1e-4)


def test_the_first_batch_gets_mean_0_and_deviation_1():
    norm, x = make_norm(), make_images()
    assert_standardized(outputs_of(norm, x, training=True))
    assert_standardized(outputs_of(norm, x))
    _, log_derivative = norm(x)
    np.testing.assert_allclose(
        ops.convert_to_numpy(log_derivative),
        -np.log(x.std((0, 1, 2))),
        rtol=1e-4,
    )


def test_later_batches_change_nothing():
    norm, x = make_norm(), make_images()
    norm(x, training=True)
    before = tiny.numpy_values(norm.variables)
    other = outputs_of(norm, 3 * x + 1, training=True)
    assert not tiny.moved(norm.variables, before)
    mean, deviation = x.mean((0, 1, 2)), x.std((0, 1, 2))
    expected = (3 * x + 1 - mean) / deviation
    np.testing.assert_allclose(other, expected, rtol=1e-4, atol=1e-4)


def test_inference_never_initializes():
    norm, x = make_norm(), make_images()
    np.testing.assert_array_equal(outputs_of(norm, x), x)
    assert_standardized(outputs_of(norm, x, training=True))


def test_a_constant_channel_stays_finite():
    norm, x = make_norm(), make_images(deviation=(2.0, 0.0))
    outputs = outputs_of(norm, x, training=True)
    assert np.isfinite(outputs).all()


def test_fit_keeps_the_first_batch_and_trains_on_top():
    x = make_images()
    batches = np.concatenate([x, 3 * x + 1])
    model = Normalized()
    model.build(x.shape)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(batches, batches, 3, epochs=2, shuffle=False, verbose=0)
    assert_standardized(model.predict(x, verbose=0))
    trained = model.norm.trainable_variables
    before = tiny.numpy_values(trained)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(batches, batches, 3, verbose=0)
    assert tiny.moved(trained, before) == {id(v) for v in trained}


def test_a_loaded_layer_is_initialized(tmp_path):
    x = make_images()
    model = Normalized()
    model.build(x.shape)
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded(3 * x + 1, training=True)
    assert_standardized(ops.convert_to_numpy(loaded(x)))


def test_formula_derivative_and_inverse():
    norm, x = make_norm(), make_images(size=(2, 1))
    norm(x, training=True)
    bias, log_scale = np.array([0.3, -1.0]), np.array([0.5, -0.2])
    norm.bias.assign(bias)
    norm.log_scale.assign(log_scale)
    outputs, log_derivative = norm(x)
    expected = (x - x.mean((0, 1, 2))) / x.std((0, 1, 2))
    expected = (expected + bias) * np.exp(log_scale)
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs), expected, rtol=1e-4, atol=1e-4
    )
    matrix = jacobian(lambda x: norm(x)[0], x)
    sign, log_determinant = np.linalg.slogdet(matrix)
    assert sign == 1
    total = 3 * 2 * ops.convert_to_numpy(log_derivative).sum()
    np.testing.assert_allclose(total, log_determinant, rtol=1e-4)
    inverse = ops.convert_to_numpy(norm.inverse(outputs))
    np.testing.assert_allclose(inverse, x, rtol=1e-4, atol=1e-4)


def test_no_gradient_through_the_first_batch_statistics():
    norm, x = make_norm(), make_images(size=(1, 1))

    def first_outputs(x):
        with keras.StatelessScope():
            return norm(x, training=True)[0]

    matrix = jacobian(first_outputs, x)
    # With batch statistics, every image would influence all others.
    expected = np.diag(np.tile(1 / x.std((0, 1, 2)), 3))
    np.testing.assert_allclose(matrix, expected, rtol=1e-4, atol=1e-5)
