import keras
import numpy as np
import numpy_layers
import pytest
import tiny
from keras import ops

from keras_s4t.methods.ttt_flow.bottleneck_block import BottleneckBlock
from keras_s4t.methods.ttt_flow.coupling_network import CouplingNetwork
from keras_s4t.methods.ttt_flow.pre_activation_conv import PreActivationConv

LAYERS = {
    "pre_activation_conv": lambda: PreActivationConv(5, 3),
    "bottleneck_block": lambda: BottleneckBlock(3),
    "coupling_network": lambda: CouplingNetwork(6, 4, num_blocks=2),
    "coupling_network:no_block": lambda: CouplingNetwork(6, 4, num_blocks=0),
}


def make_images():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 5, 4, 3)).astype("float32")


def make_layer(name):
    layer = LAYERS[name]()
    layer.build((None, None, None, 3))
    tiny.fill(layer)
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_formula_in_inference(name):
    layer, x = make_layer(name), make_images()
    outputs = ops.convert_to_numpy(layer(x, training=False))
    assert outputs.shape == layer.compute_output_shape(x.shape)
    expected = getattr(numpy_layers, name.split(":")[0])(x, layer)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_statistics_follow_batches_in_training_only(name):
    layer, x = make_layer(name), make_images()
    statistics = layer.non_trainable_variables
    before = tiny.numpy_values(statistics)
    layer(x, training=False)
    assert not tiny.moved(statistics, before)
    layer(x, training=True)
    assert tiny.moved(statistics, before) == {id(v) for v in statistics}


@pytest.mark.parametrize("name", LAYERS)
def test_survives_a_file(name, tmp_path):
    inputs = keras.Input((None, None, 3))
    layer, x = make_layer(name), make_images()
    keras.Model(inputs, layer(inputs)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").layers[-1]
    assert loaded.get_config() == layer.get_config()
    np.testing.assert_array_equal(
        ops.convert_to_numpy(loaded(x)), ops.convert_to_numpy(layer(x))
    )
