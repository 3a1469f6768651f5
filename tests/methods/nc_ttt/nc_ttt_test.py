import keras
import numpy as np
import pytest
import tiny
from gradients import value_and_gradient
from keras import ops

import keras_s4t
from keras_s4t.methods.nc_ttt.nc_ttt import NCTTT
from keras_s4t.methods.nc_ttt.noise_pair import NoisePair


def make_method(**kwargs):
    options = {
        "projection_dim": 5,
        "sigma_large": 0.5,
        "sigma_small": 0.2,
        "seed": 0,
    }
    method = NCTTT(**{**options, **kwargs})
    tiny.mark_done(method)
    return method


def make_adapter(**kwargs):
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), make_method(**kwargs)
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2))
    return adapter


def target_loss(adapter, images):
    features = adapter.encode(images)
    loss = adapter.method.target_loss(adapter, images, features)
    return float(ops.convert_to_numpy(loss))


def source_loss(method, features):
    losses = method.source_loss(None, None, {"P2": features}, None)
    assert set(losses) == {"noise"}
    return losses["noise"]


def make_features():
    features = np.random.default_rng(0).normal(size=(2, 4, 4, 6))
    return features.astype("float32")


def make_built_method():
    method = make_method()
    method.build({"P2": (None, None, None, 6)})
    tiny.fill(method)
    return method


def test_parameters():
    method = NCTTT()
    method.build({"P2": (None, None, None, 256)})
    sizes = [int(np.prod(v.shape)) for v in method.trainable_variables]
    assert 23_554_124 + sum(sizes) == 23_955_037


def test_target_loss_calls_for_small_noise():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter()
    logits = adapter.method.discriminator(adapter.encode(images)["P2"])
    logits = ops.convert_to_numpy(logits).astype("float64")
    assert logits.shape == (4, 8, 8, 1)
    # Binary cross-entropy with the label "small" at every position.
    expected = -np.log(1 - 1 / (1 + np.exp(-logits))).mean()
    assert target_loss(adapter, images) == pytest.approx(expected, rel=1e-4)


@pytest.mark.eager
def test_no_idea_costs_the_logarithm_of_two():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter()
    discriminator = adapter.method.discriminator
    for variable in (discriminator.output_kernel, discriminator.output_bias):
        variable.assign(ops.zeros(variable.shape))
    assert target_loss(adapter, images) == pytest.approx(np.log(2), rel=1e-5)


def test_source_loss_is_the_cross_entropy_with_the_posteriors():
    features, method = make_features(), make_built_method()
    loss = ops.convert_to_numpy(source_loss(method, features))
    noises = NoisePair(0.5, 0.2, seed=0).draw((2, 4, 4, 5))
    squares = [
        (ops.convert_to_numpy(n).astype("float64") ** 2).sum(-1, keepdims=True)
        for n in noises
    ]
    odds = 0.5 * (1 / 0.2**2 - 1 / 0.5**2) * np.concatenate(squares)
    y = 1 / (1 + np.exp(-(odds - 5 * np.log(0.5 / 0.2))))
    assert y[:2].mean() > 0.6 and y[2:].mean() < 0.4
    logits = ops.convert_to_numpy(method.discriminator(features, noises))
    d = 1 / (1 + np.exp(-logits.astype("float64")))
    expected = -(y * np.log(d) + (1 - y) * np.log(1 - d)).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_source_loss_reaches_the_encoder():
    method = make_built_method()
    _, gradient = value_and_gradient(
        lambda features: source_loss(method, features), make_features()
    )
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 1e-5


def test_weight_of_the_source_loss():
    losses = []
    for weight in (1.0, 2.5):
        method = make_built_method()
        method.weight = weight
        loss = source_loss(method, make_features())
        losses.append(float(ops.convert_to_numpy(loss)))
    assert losses[1] == pytest.approx(2.5 * losses[0])


def test_entropy_of_a_task():
    images, *_ = tiny.make_arrays(4)
    plain, adapter = make_adapter(), make_adapter(entropy_weight=0.5)
    features = adapter.encode(images)
    logits = ops.convert_to_numpy(
        adapter.decode(features, images.shape[1:3])["semseg"]
    )
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    entropy = -(p * np.log(p)).sum(-1).mean()
    difference = target_loss(adapter, images) - target_loss(plain, images)
    assert difference == pytest.approx(0.5 * entropy, rel=1e-3)


def test_adapts_up_to_the_level_but_all_statistics_follow():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter()
    network, method = adapter.network, adapter.method
    expected = method.select(network)
    assert len(expected) == 3 and expected == network.variables_up_to("P2")
    expected = expected + network.moving_statistics
    variables = network.variables + method.variables
    before = tiny.numpy_values(variables)
    adapter.fit(keras_s4t.data.online_stream(images, 1, 4), verbose=0)
    assert tiny.moved(variables, before) == {id(v) for v in expected}


@pytest.mark.eager
def test_steps_make_noise_look_small():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter()
    before = target_loss(adapter, images)
    stream = keras_s4t.data.online_stream(images, 8, batch_size=4)
    adapter.fit(stream, verbose=0)
    assert target_loss(adapter, images) < before


def test_default_optimizer():
    optimizer = NCTTT().default_optimizer()
    config = optimizer.get_config()
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert config["learning_rate"] == pytest.approx(1e-5)
    assert config["epsilon"] == pytest.approx(1e-8)


def test_numbers_out_of_range():
    with pytest.raises(ValueError, match="sigma_large=0.1, sigma_small=0.1"):
        NCTTT(sigma_large=0.1, sigma_small=0.1)
    with pytest.raises(ValueError, match="negative.*entropy_weight=-1"):
        NCTTT(entropy_weight=-1)


def test_level_and_task_must_be_the_networks():
    network = tiny.make_network()
    with pytest.raises(ValueError, match="`level`.*'P2', 'P3'.*P5"):
        keras_s4t.TargetAdapter(network, NCTTT("P5"))
    method = NCTTT(entropy_weight=1.0, entropy_task="depth")
    with pytest.raises(ValueError, match="semseg.*entropy_task='depth'"):
        keras_s4t.TargetAdapter(network, method)
