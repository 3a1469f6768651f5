"""MTI-Net: parameters, parts and the whole decoder, written out in NumPy."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops
from numpy_layers import convolve
from numpy_layers import resize

import keras_s4t
from keras_s4t import tasks
from keras_s4t.models import MTINetDecoder
from keras_s4t.models import MultiTaskModel
from keras_s4t.models.decoders.mti_net.distillation import Distillation
from keras_s4t.models.decoders.mti_net.feature_propagation import (
    FeaturePropagation,
)
from keras_s4t.models.leaves import leaves

OUTPUTS = {"semseg": 7, "depth": 1, "normals": 3, "edge": 1}
RESNET50 = (256, 512, 1024, 2048)
NAMES = ["depth", "edge", "normals"]


def make_decoder(widths, num_outputs, channels):
    decoder = MTINetDecoder(num_outputs, channels=channels)
    decoder.build(
        {f"P{i}": (None, None, None, w) for i, w in enumerate(widths, 2)}
    )
    return decoder


def make_network(channels=(4, 6), task_list=None, backbone=None, **kwargs):
    task_list = task_list or tiny.make_tasks()
    network = MultiTaskModel(
        backbone or tiny.TinyBackbone(),
        task_list,
        decoder=MTINetDecoder(
            {task.name: task.num_outputs for task in task_list},
            channels=channels,
            **kwargs,
        ),
    )
    tiny.fill(network)
    return network


def make_features(channels=4, size=(3, 5), names=NAMES):
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=(2, *size, channels)).astype("float32")
        for name in names
    }


def to_numpy(outputs):
    return {k: ops.convert_to_numpy(v) for k, v in outputs.items()}


def assert_close(received, expected):
    assert list(received) == list(expected)
    for name, x in to_numpy(received).items():
        assert x.shape == expected[name].shape
        np.testing.assert_allclose(x, expected[name], rtol=1e-3, atol=1e-4)


# === In NumPy ===


def weights(layer):
    return map(ops.convert_to_numpy, layer.variables)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def batch_norm(x, norm):
    gamma, beta, mean, variance = weights(norm)
    return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta


def conv_norm(x, layer):
    (kernel,) = weights(layer.conv)
    return batch_norm(convolve(x, kernel, 0), layer.norm)


def basic_block(x, layer):
    y = np.maximum(conv_norm(x, layer.first), 0)
    y = conv_norm(y, layer.second)
    if layer.shortcut is not None:
        x = conv_norm(x, layer.shortcut)
    return np.maximum(y + x, 0)


def dense(x, layer):
    kernel, bias = weights(layer)
    return x @ kernel + bias


def propagation(features, layer):
    """The feature propagation module, position by position."""
    x = np.concatenate([features[n] for n in layer.task_names], axis=-1)
    y = basic_block(basic_block(x, layer.first), layer.second)
    logits = convolve(y, *weights(layer.logits))
    num_tasks = len(layer.task_names)
    channels = x.shape[-1] // num_tasks
    weighted = np.zeros_like(x)
    for c in range(channels):
        same_channel = [k * channels + c for k in range(num_tasks)]
        exponentials = np.exp(logits[..., same_channel])
        attention = exponentials / exponentials.sum(-1, keepdims=True)
        weighted[..., same_channel] = attention * x[..., same_channel]
    shared = basic_block(weighted, layer.reduction)
    outputs = {}
    for name, excitation in layer.excitations.items():
        means = shared.mean((1, 2), keepdims=True)
        hidden = np.maximum(dense(means, excitation.squeeze), 0)
        gate = sigmoid(dense(hidden, excitation.expand))
        outputs[name] = features[name] + shared * gate
    return outputs


def distillation(features, layer):
    """Two convolutions for every pair of tasks."""
    outputs = {}
    for name in layer.task_names:
        outputs[name] = features[name].astype("float64")
        for other in layer.task_names:
            if other == name:
                continue
            (kernel,) = weights(layer.convs[other])
            listeners = [n for n in layer.task_names if n != other]
            kernels = np.split(kernel, 2 * len(listeners), axis=-1)
            value, gate = kernels[2 * listeners.index(name) :][:2]
            x = features[other]
            outputs[name] += convolve(x, value, 0) * sigmoid(
                convolve(x, gate, 0)
            )
    return outputs


def literal_decoder(features, decoder):
    """Final and initial predictions at the resolutions of the levels."""
    levels = sorted(features)
    maps = {
        k: np.maximum(conv_norm(features[k], decoder.laterals[k]), 0)
        for k in levels
    }
    distilled, initial, propagated = {}, {}, None
    for level in reversed(levels):
        refined, initial[level] = {}, {}
        for name, layer in decoder.initial[level].items():
            x = maps[level]
            if propagated:
                coarse = resize(propagated[name], x.shape[1:3])
                x = np.concatenate([x, coarse], axis=-1)
            refined[name] = basic_block(
                basic_block(x, layer.first), layer.second
            )
            initial[level][name] = convolve(refined[name], *weights(layer.head))
        if level != levels[0]:
            propagated = propagation(refined, decoder.propagations[level])
        distilled[level] = distillation(refined, decoder.distillations[level])
    size = maps[levels[0]].shape[1:3]
    outputs = {}
    for name, head in decoder.heads.items():
        fused = [resize(distilled[level][name], size) for level in levels]
        x = convolve(np.concatenate(fused, axis=-1), *weights(head.fusion))
        x = np.maximum(batch_norm(x, head.norm), 0)
        outputs[name] = convolve(x, *weights(head.head))
    return outputs, [initial[level] for level in levels]


# === Tests ===

# JAX compiles a random draw for every shape.
on_one_backend = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="shapes have no backend"
)


@on_one_backend
@pytest.mark.parametrize(
    ("widths", "names", "channels", "expected"),
    [
        ((18, 36, 72, 144), OUTPUTS, None, 14_082_240),
        ((18, 36, 72, 144), ("semseg", "normals", "edge"), None, 8_774_911),
        ((32, 64, 128, 256), OUTPUTS, None, 44_472_620),
        ((48, 96, 192, 384), OUTPUTS, None, 100_029_348),
        # Reductions of ResNet50: 256 * 48 + ... and two of each batch norm.
        (RESNET50, OUTPUTS, (48, 96, 192, 384), 100_029_348 + 1_045_920),
    ],
)
def test_parameters(widths, names, channels, expected):
    num_outputs = {name: OUTPUTS[name] for name in names}
    decoder = make_decoder(widths, num_outputs, channels)
    sizes = [np.prod(v.shape, dtype=int) for v in decoder.trainable_variables]
    assert sum(sizes) == expected


@on_one_backend
@pytest.mark.slow
def test_parameters_of_the_network_with_resnet50():
    task_list = [
        tasks.semseg(num_classes=7),
        tasks.depth(),
        tasks.normals(),
        tasks.edge(),
    ]
    network = MultiTaskModel(
        keras_s4t.models.resnet50(preset=None),
        task_list,
        decoder=MTINetDecoder(OUTPUTS),
    )
    sizes = [np.prod(v.shape, dtype=int) for v in network.trainable_variables]
    # The paper prints 165.0 M for NC-TTT + MTI-Net. The same decoder on
    # HRNet-W48 would have 65,325,120 + 100,029,348 = 165.4 M.
    assert sum(sizes) == 23_508_032 + 101_075_268 == 124_583_300
    assert len(network.batch_norms) == 53 + 108
    assert "124,583,300" in MTINetDecoder.__doc__


@pytest.mark.eager
def test_attention_sums_to_one_over_tasks():
    layer = FeaturePropagation(NAMES)
    layer.build(dict.fromkeys(NAMES, (None, None, None, 4)))
    tiny.fill(layer)
    x = np.concatenate(list(make_features().values()), axis=-1)
    attention = ops.convert_to_numpy(layer.attention(x))
    assert attention.shape == (2, 3, 5, 3, 4)
    np.testing.assert_allclose(attention.sum(-2), 1, atol=1e-5)
    assert attention.std(-2).min() > 0


def test_feature_propagation():
    features = make_features()
    layer = FeaturePropagation(NAMES)
    layer.build(dict.fromkeys(NAMES, (None, None, None, 4)))
    tiny.fill(layer)
    expected = propagation(features, layer)
    assert_close({k: layer(features)[k] for k in NAMES}, expected)


def test_distillation():
    features = make_features()
    layer = Distillation(NAMES)
    layer.build(dict.fromkeys(NAMES, (None, None, None, 4)))
    # Each of the 3 * 2 * 2 kernels is drawn as if it were alone.
    limit = np.sqrt(6 / (9 * 4 + 9 * 4))
    for variable in tiny.numpy_values(layer.variables):
        assert variable.shape == (3, 3, 4, 16)
        assert 0.9 * limit < np.abs(variable).max() <= limit
    tiny.fill(layer)
    outputs = layer(features)
    assert_close({k: outputs[k] for k in NAMES}, distillation(features, layer))
    for variable in layer.variables:
        variable.assign(ops.zeros(variable.shape))
    for name, x in to_numpy(layer(features)).items():
        np.testing.assert_array_equal(x, features[name])


@pytest.mark.eager
def test_a_single_task_has_nobody_to_learn_from():
    network = make_network(task_list=tiny.make_tasks(1))
    for layer in network.decoder.distillations.values():
        assert not layer.variables
    outputs = network(tiny.make_arrays(2)[0])
    assert outputs["semseg"].shape == (2, 16, 16, tiny.NUM_CLASSES)


@pytest.mark.parametrize(
    "size", [(16, 16), pytest.param((13, 9), marks=pytest.mark.eager)]
)
def test_the_whole_decoder(size):
    network = make_network()
    images, *_ = tiny.make_arrays(2, size=size)
    features = network.encode(images)
    decoder = network.decoder
    received = decoder.with_auxiliaries(features, size)
    outputs, initial = literal_decoder(to_numpy(features), decoder)
    assert [x["depth"].shape[1:3] for x in initial] == [
        tuple(features[level].shape[1:3]) for level in ("P2", "P3")
    ]
    for given, expected in zip(
        (received[0], *received[1]), (outputs, *initial), strict=True
    ):
        assert_close(given, {k: resize(x, size) for k, x in expected.items()})
    expected = {k: resize(x, size) for k, x in outputs.items()}
    assert_close(network(images), expected)
    predicted = network.predict(images, verbose=0)
    assert_close({name: predicted[name] for name in expected}, expected)


@pytest.mark.eager
@pytest.mark.parametrize("channels", [(4, 6, 8, 10), None])
def test_four_levels_of_odd_sizes(channels):
    backbone = keras_s4t.models.resnet_tiny()
    task_list = tiny.make_tasks(2)
    if channels is None:
        # Narrow enough to be fast.
        level = {"P2": backbone.pyramid_outputs["P2"]}
        backbone = keras.Model(backbone.input, level["P2"])
        backbone.pyramid_outputs = level
    network = make_network(channels, task_list, backbone)
    images, *_ = tiny.make_arrays(1, size=(65, 97))
    outputs = network.predict(images, verbose=0)
    for task in task_list:
        assert outputs[task.name].shape == (1, 65, 97, task.num_outputs)
        assert np.isfinite(outputs[task.name]).all()
    features = network.encode(images)
    _, auxiliaries = network.decode_with_auxiliaries(features, (65, 97))
    assert len(auxiliaries) == len(features)
    for predictions in auxiliaries:
        assert predictions["semseg"].shape == (1, 65, 97, tiny.NUM_CLASSES)


@pytest.mark.eager
def test_saves_and_loads(tmp_path):
    network = make_network()
    block = network.decoder.initial["P3"]["depth"].first
    block.second.norm.trainable = False
    network.decoder.heads["edge"].trainable = False
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert isinstance(loaded.decoder, MTINetDecoder)
    assert loaded.decoder.get_config() == network.decoder.get_config()
    flags = [
        [layer.trainable for layer in leaves(model.decoder)]
        for model in (network, loaded)
    ]
    assert flags[0] == flags[1] and flags[0].count(False) == 1 + 3
    assert len(loaded.trainable_variables) == len(network.trainable_variables)
    images, *_ = tiny.make_arrays(2)
    expected = network.predict(images, verbose=0)
    for name, x in loaded.predict(images, verbose=0).items():
        np.testing.assert_array_equal(x, expected[name])


@pytest.mark.eager
def test_mixed_precision():
    network = make_network(dtype="mixed_bfloat16")
    images, *_ = tiny.make_arrays(2)
    norm = network.decoder.laterals["P2"].norm
    before = tiny.numpy_values([norm.moving_mean])
    outputs = network(images, training=True)
    expected = make_network()(images, training=True)
    for name, x in outputs.items():
        assert keras.backend.standardize_dtype(x.dtype) == "bfloat16"
        x = ops.convert_to_numpy(ops.cast(x, "float32"))
        y = ops.convert_to_numpy(expected[name])
        assert np.abs(x - y).max() < 0.1 * np.abs(y).max()
    assert norm.moving_mean.dtype == "float32"
    assert tiny.moved([norm.moving_mean], before)


@pytest.mark.parametrize("channels", [(), (4, 0), (4,), (4, 6, 8)])
def test_channels_are_those_of_the_levels(channels):
    message = r"`channels` must .*Received: channels=\("
    with pytest.raises(ValueError, match=message):
        make_network(channels)
