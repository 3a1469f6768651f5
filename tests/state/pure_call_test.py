import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.state.pure_call import run_on
from keras_s4t.state.pure_call import without_writing


def value_of(x):
    return np.array(ops.convert_to_numpy(x))


@pytest.fixture
def variables():
    return [keras.Variable([1.0, 2.0]), keras.Variable(3.0)]


def test_runs_on_the_values_and_writes_nothing(variables):
    x, y = variables

    def multiply():
        product = x * y
        y.assign(y + 1.0)
        return product, y * 1.0

    values = [ops.array([10.0, 20.0]), ops.array(5.0)]
    (product, written), scope = run_on(multiply, variables, values)
    np.testing.assert_array_equal(value_of(product), [50, 100])
    assert value_of(written) == 6
    assert value_of(scope.get_current_value(y)) == 6
    np.testing.assert_array_equal(
        value_of(scope.get_current_value(x)), [10, 20]
    )
    np.testing.assert_array_equal(value_of(x), [1, 2])
    assert value_of(y) == 3


def test_one_value_per_variable(variables):
    with pytest.raises(ValueError, match="zip"):
        run_on(lambda: None, variables, [ops.array(1.0)])


def test_an_error_leaves_no_scope_behind(variables):
    x, y = variables

    def fail():
        y.assign(7.0)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        without_writing(fail, variables)
    assert value_of(y) == 3
    y.assign(4.0)
    assert value_of(y) == 4


def test_without_writing_forgets_batch_norm_statistics():
    layer = keras.layers.BatchNormalization(momentum=0.5)
    layer.build((None, 2))
    x = np.array([[0.0, 2.0], [4.0, 6.0]], "float32")
    outputs = without_writing(lambda: layer(x, training=True), layer.variables)
    expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + layer.epsilon)
    np.testing.assert_allclose(value_of(outputs), expected, rtol=1e-4)
    np.testing.assert_array_equal(value_of(layer.moving_mean), [0, 0])
    np.testing.assert_array_equal(value_of(layer.moving_variance), [1, 1])
    layer(x, training=True)
    np.testing.assert_allclose(value_of(layer.moving_mean), [1, 2])


def test_nested_runs_see_the_values_of_the_outer(variables):
    x, y = variables

    def inner():
        y.assign(y * 2.0)
        return y * 1.0

    def outer():
        y.assign(10.0)
        forgotten = without_writing(inner, [y])
        return forgotten, y * 1.0

    (forgotten, kept), scope = run_on(
        outer, variables, [ops.array([0.0, 0.0]), ops.array(5.0)]
    )
    assert value_of(forgotten) == 20
    assert value_of(kept) == value_of(scope.get_current_value(y)) == 10
    assert value_of(y) == 3
