"""Backbones of keras-hub: which are pyramids, and how the others are used."""

import keras
import numpy as np
import pytest
import tiny
import tiny_mit
from keras import layers
from keras_hub import models as hub

import keras_s4t
from keras_s4t.models import MultiTaskModel

pytestmark = pytest.mark.eager
SIZE = 64


def make_mit():
    return tiny_mit.make_mit(SIZE)


def make_cspnet():
    return hub.CSPNetBackbone(
        stem_filters=8,
        stem_kernel_size=3,
        stem_strides=1,
        stackwise_depth=[1, 1],
        stackwise_strides=[2, 2],
        stackwise_num_filters=[8, 16],
        block_type="dark_block",
        stage_type="dark",
    )


def make_densenet():
    return hub.DenseNetBackbone(
        stackwise_num_repeats=[1, 1, 1], compression_ratio=0.5, growth_rate=4
    )


def make_efficientnet():
    return hub.EfficientNetBackbone(
        stackwise_width_coefficients=[1.0, 1.0],
        stackwise_depth_coefficients=[1.0, 1.0],
        stackwise_force_input_filters=[0, 0],
        stackwise_nores_option=[False, False],
        stackwise_kernel_sizes=[3, 3],
        stackwise_num_repeats=[1, 1],
        stackwise_input_filters=[8, 8],
        stackwise_output_filters=[8, 16],
        stackwise_expansion_ratios=[1, 2],
        stackwise_squeeze_and_excite_ratios=[0.0, 0.25],
        stackwise_strides=[2, 2],
        stackwise_block_types=["v1", "v1"],
    )


def make_vgg():
    return hub.VGGBackbone(
        stackwise_num_repeats=[1, 1], stackwise_num_filters=[8, 8]
    )


def make_xception():
    return hub.XceptionBackbone(
        stackwise_conv_filters=[[8, 8], [8, 8]],
        stackwise_pooling=[True, False],
    )


def make_vitdet():
    return hub.ViTDetBackbone(
        hidden_size=16,
        num_layers=1,
        intermediate_dim=32,
        num_heads=2,
        global_attention_layer_indices=[0],
        image_shape=(SIZE, SIZE, 3),
        num_output_channels=8,
        window_size=2,
    )


def make_dinov2():
    return hub.DINOV2Backbone(
        patch_size=14,
        num_layers=1,
        hidden_dim=16,
        num_heads=2,
        intermediate_dim=32,
        image_shape=(56, 56, 3),
        position_embedding_shape=(56, 56, 3),
    )


PYRAMIDS = (make_cspnet, make_densenet, make_efficientnet, make_mit)


def make_images(count=2):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (count, SIZE, SIZE, 3)).astype("float32")


def adapt_and_reset(network):
    """One update each of two methods; returns the prediction before."""
    images = make_images()
    before = network.predict_on_batch(images)
    source = tiny.numpy_values(network.variables)
    for method in (
        keras_s4t.methods.Tent(update="norms"),
        tiny.make_s4t(network.tasks),
    ):
        adapter = keras_s4t.TargetAdapter(network, method)
        adapter.compile(keras.optimizers.SGD(1e-2))
        adapter.adapt(images)
        assert tiny.moved(network.variables, source)
        adapter.reset()
        assert not tiny.moved(network.variables, source)
    return before


@pytest.mark.filterwarnings("ignore:.*random in training")
@pytest.mark.parametrize("make", PYRAMIDS)
def test_pyramids(make):
    network = MultiTaskModel(make(), tiny.make_tasks(2))
    outputs = adapt_and_reset(network)
    assert outputs["depth"].shape == (2, SIZE, SIZE, 1)


@pytest.mark.parametrize("make", [make_vgg, make_xception, make_vitdet])
def test_backbones_without_a_pyramid(make):
    backbone = make()
    with pytest.raises(ValueError, match="`pyramid_outputs`.*from_functional"):
        MultiTaskModel(backbone, tiny.make_tasks(2))
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 3, padding="same", name="neck")(backbone(inputs))
    x = layers.BatchNormalization()(x)
    outputs = {
        "semseg": layers.Conv2D(tiny.NUM_CLASSES, 1)(x),
        "depth": layers.Conv2D(1, 1)(x),
    }
    network = MultiTaskModel.from_functional(
        keras.Model(inputs, outputs), tiny.make_tasks(2), [backbone.name]
    )
    outputs = adapt_and_reset(network)
    assert outputs["depth"].shape == (2, SIZE, SIZE, 1)


def test_tokens_are_no_pyramid():
    with pytest.raises(ValueError, match=r"Received: a DINOV2Backbone"):
        MultiTaskModel(make_dinov2(), tiny.make_tasks(2))
