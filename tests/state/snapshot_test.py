import keras
import numpy as np
import pytest
import tiny

from keras_s4t.state.snapshot import Snapshot


def make_variables():
    """Variables of several dtypes with extreme values."""
    special = np.array([np.nan, np.inf, -0.0, 1e-45, 0.1], "float32")
    return [
        keras.Variable(special, dtype="float32"),
        keras.Variable(np.arange(2, 8), dtype="int32", trainable=False),
        keras.Variable(1 / 3, dtype="bfloat16"),
        keras.random.SeedGenerator(3).state,
    ]


def bits(variables):
    return [
        np.array(keras.ops.convert_to_numpy(v)).tobytes() for v in variables
    ]


def test_restores_every_bit_as_often_as_asked():
    variables = make_variables()
    before = bits(variables)
    snapshot = Snapshot(variables)
    for _ in range(2):
        for variable in variables:
            variable.assign(keras.ops.ones_like(variable.value))
        assert all(a != b for a, b in zip(bits(variables), before, strict=True))
        snapshot.restore()
        assert bits(variables) == before


def test_does_not_see_changes_in_place():
    variable = keras.Variable([1.0, 2.0])
    snapshot = Snapshot([variable])
    variable.assign_add([10.0, 10.0])
    snapshot.restore()
    variable.assign_add([10.0, 10.0])
    snapshot.restore()
    np.testing.assert_array_equal(tiny.numpy_values([variable])[0], [1, 2])


def test_is_of_the_time_it_was_taken():
    variables = [keras.Variable(1.0), keras.Variable(2.0)]
    first = Snapshot(variables[:1])
    variables[0].assign(5.0)
    variables[1].assign(5.0)
    second = Snapshot(variables)
    first.restore()
    assert [float(v) for v in tiny.numpy_values(variables)] == [1, 5]
    second.restore()
    assert [float(v) for v in tiny.numpy_values(variables)] == [5, 5]


def test_the_list_may_change_afterwards():
    variables = [keras.Variable(1.0)]
    snapshot = Snapshot(variables)
    variables.append(keras.Variable(2.0))
    for variable in variables:
        variable.assign(0.0)
    snapshot.restore()
    assert [float(v) for v in tiny.numpy_values(variables)] == [1, 0]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_survives_compiled_steps(optimizer):
    # Steps on JAX donate the arrays of the variables.
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer, loss="mse")
    model.optimizer.build(model.trainable_variables)
    variables = model.variables + model.optimizer.variables
    snapshot = Snapshot(variables)
    before = bits(variables)
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    ends = []
    for _ in range(2):
        model.fit(x, y, epochs=2, shuffle=False, verbose=0)
        assert bits(model.trainable_variables) != before[:2]
        ends.append(tiny.numpy_values(model.trainable_variables))
        snapshot.restore()
        assert bits(variables) == before
    np.testing.assert_array_equal(ends[0][0], ends[1][0])
