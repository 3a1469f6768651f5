import keras
import numpy as np
import pytest

from keras_s4t.layers import LossBalance

LOSSES = {"a": np.float32(1), "b": np.float32(2), "c": np.float32(3)}


def value_of(layer):
    return float(keras.ops.convert_to_numpy(layer(LOSSES)))


def test_fixed_weights():
    layer = LossBalance({"a": 1.0, "b": 10.0, "c": 0.5})
    assert value_of(layer) == pytest.approx(1 + 20 + 1.5)
    assert not layer.trainable_variables


def test_automatic_weighting_golden_values():
    layer = LossBalance(dict.fromkeys(LOSSES, 1.0), "awl")
    assert value_of(layer) == pytest.approx(5.0794415)
    for name, value in {"a": 1, "b": 2, "c": 0.5}.items():
        layer.scales[name].assign(value)
    assert value_of(layer) == pytest.approx(9.2757282)
    assert len(layer.trainable_variables) == 3


def test_unknown_balance():
    with pytest.raises(ValueError, match="awl.*'uncertainty'"):
        LossBalance({"a": 1.0}, "uncertainty")


def test_serializes():
    layer = LossBalance({"a": 2.0}, "awl")
    clone = keras.layers.deserialize(keras.layers.serialize(layer))
    assert clone.get_config() == layer.get_config()
