"""Source training and adaptation with a decoder that has batch norms."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops
from tiny_decoder import TinyDecoder

import keras_s4t
from keras_s4t import methods

NAMES = ["BatchNormOnly", "Tent", "TIPI", "S4T", "NCTTT", "NCTTT entropy"]


def make_network(num_tasks=2, decoder_class=TinyDecoder, **kwargs):
    task_list = tiny.make_tasks(num_tasks)
    num_outputs = {task.name: task.num_outputs for task in task_list}
    return keras_s4t.models.MultiTaskModel(
        tiny.TinyBackbone(),
        task_list,
        decoder=decoder_class(num_outputs, **kwargs),
    )


def make_method(name, task_list, **kwargs):
    if name == "S4T":
        return tiny.make_s4t(task_list, **kwargs)
    if name.startswith("NCTTT"):
        kwargs |= {"projection_dim": 5, "seed": 0}
        kwargs |= {"entropy_weight": 1.0} if "entropy" in name else {}
    if name == "TIPI":
        kwargs |= {"seed": 0}
    method = methods.get(name.split()[0], **kwargs)
    tiny.mark_done(method)
    return method


def make_adapter(name, predict="after", **kwargs):
    network = make_network()
    method = make_method(name, network.tasks, **kwargs)
    adapter = keras_s4t.TargetAdapter(network, method)
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2), predict=predict)
    return adapter


def ids(variables):
    return {id(v) for v in variables}


@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("S4T", "NCTTT")
        else pytest.param(name, marks=pytest.mark.eager)
        for name in NAMES
    ],
)
def test_what_moves_and_what_follows(name):
    adapter = make_adapter(name)
    network, method = adapter.network, adapter.method
    decoder = network.decoder
    statistics = ids(network.moving_statistics)
    of_decoder = ids(decoder.variables) & statistics
    assert len(of_decoder) == 2
    images, *_ = tiny.make_arrays(4)
    source = tiny.numpy_values(network.variables)
    adapter.fit(keras_s4t.data.online_stream(images, steps=2), verbose=0)
    moved = tiny.moved(network.variables, source)
    follows = method.bn_mode == "update" and name != "NCTTT"
    assert moved & of_decoder == (of_decoder if follows else set())
    # Weights of the decoder: scales and offsets, by the two methods that move
    # those of the network.
    weights = moved & ids(decoder.trainable_variables)
    norms = network.decoder_batch_norms
    affine = [v for norm in norms for v in norm.trainable_weights]
    assert weights == (ids(affine) if name in ("Tent", "TIPI") else set())
    if name.startswith("NCTTT"):
        below = network.variables_up_to("P2")
        assert moved - statistics == ids(below)
    if method.bn_mode == "update":
        text = f"The statistics of {2 + follows} of 3 batch norms follow"
    else:
        text = "3 of 3 batch norms normalize with every batch"
    assert text in adapter.describe_updates()
    adapter.reset()
    assert not tiny.moved(network.variables, source)


@pytest.mark.eager
@pytest.mark.parametrize("name", NAMES)
def test_a_prediction_before_the_update_moves_nothing_more(name):
    arrays = tiny.make_arrays(4, count=2)
    outcomes = []
    for predict in ("after", "before"):
        adapter = make_adapter(name, predict)
        stream = keras_s4t.data.online_stream(arrays, batch_size=4)
        adapter.fit(stream, verbose=0)
        outcomes.append(tiny.numpy_values(adapter.network.variables))
    for after, before in zip(*outcomes, strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    ["S4T"]
    + [
        pytest.param(name, marks=pytest.mark.eager)
        for name in ("BatchNormOnly", "TIPI")
    ],
)
def test_statistics_follow_the_batch_once(name):
    adapter = make_adapter(name)
    images, *_ = tiny.make_arrays(4)
    features = adapter.network.encode(images, training=True)["P3"]
    x = ops.convert_to_numpy(features)
    mean = adapter.network.decoder.norm.moving_mean
    (before,) = tiny.numpy_values([mean])
    adapter.fit(keras_s4t.data.online_stream(images, batch_size=4), verbose=0)
    (after,) = tiny.numpy_values([mean])
    expected = 0.9 * before + 0.1 * x.mean((0, 1, 2))
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.eager
def test_batch_mode_predicts_with_the_batch():
    adapter = make_adapter("Tent")
    images, *_ = tiny.make_arrays(4)
    source = tiny.numpy_values(adapter.network.variables)
    predicted = adapter.predict(images, verbose=0)
    assert not tiny.moved(adapter.network.variables, source)
    expected = adapter.network(images, training=True)
    plain = adapter.network(images)
    for name, x in predicted.items():
        y, z = tiny.numpy_values([expected[name], plain[name]])
        np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4)
        assert np.abs(x - z).max() > 1e-3


def test_s4t_adapts_batch_norms_of_the_encoder_alone():
    method = make_adapter("S4T", update="batch_norm").method
    network = make_network()
    selected = ids(method.select(network))
    assert selected == ids(network.affine_variables[:4])
    assert len(network.affine_variables) == 6


@pytest.mark.eager
def test_actmad_reads_batch_norms_of_the_encoder():
    method = methods.ActMAD(image_size=(16, 16))
    adapter = keras_s4t.TargetAdapter(make_network(), method)
    assert adapter.taps == ("norm_0", "norm_1")
    adapter.compile()
    images, *_ = tiny.make_arrays(4)
    adapter.collect([images], verbose=0)
    source = tiny.numpy_values(adapter.network.decoder.variables)
    adapter.fit(keras_s4t.data.online_stream(images, batch_size=4), verbose=0)
    assert not tiny.moved(adapter.network.decoder.variables, source)


@pytest.mark.eager
@pytest.mark.parametrize(
    ("name", "balance"),
    [("SourceOnly", "fixed"), ("SourceOnly", "awl"), ("NCTTT", "fixed")],
)
def test_deep_supervision(name, balance):
    images, labels, masks = tiny.make_arrays(4)
    network = make_network(4)
    method, twin = (make_method(name, network.tasks) for _ in range(2))
    trainer = keras_s4t.SourceTrainer(network, method, balance)
    tiny.fill(trainer)
    source = tiny.numpy_values(network.variables)
    features = network.encode(images, training=True)
    final, initial = network.decode_with_auxiliaries(
        features, images.shape[1:3], training=True
    )
    assert len(initial) == 1
    assert not tiny.moved(network.variables, source)
    losses = [trainer.task_losses(labels, x, masks) for x in (final, *initial)]
    total = {key: sum(x[key] for x in losses) for key in losses[0]}
    if balance == "fixed":
        expected = sum(t.weight * total[t.name] for t in network.tasks)
    else:
        expected = trainer.loss_balance(total)
    if name == "NCTTT":
        twin.build(twin.features_shape(network))
        twin.set_weights(method.get_weights())
        noise = twin.source_loss(trainer, images, features, None)["noise"]
        assert noise > 0.1
        expected = expected + noise
    loss, outputs = trainer.total_loss(images, labels, masks)
    loss, expected = map(float, tiny.numpy_values([loss, expected]))
    assert loss == pytest.approx(expected, rel=1e-4)
    for key, x in outputs.items():
        x, y = tiny.numpy_values([x, final[key]])
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)
    moving = ids(network.moving_statistics)
    assert tiny.moved(network.variables, source) == moving


def test_a_frozen_network_stays():
    network = make_network()
    trainer = keras_s4t.SourceTrainer(
        network, make_method("NCTTT", network.tasks), frozen_network=True
    )
    trainer.compile("sgd")
    source = tiny.numpy_values(network.variables)
    data = keras_s4t.data.ArrayBatches(tiny.make_arrays(count=2), 4)
    trainer.fit(data, verbose=0)
    assert not tiny.moved(network.variables, source)


@pytest.mark.eager
@pytest.mark.parametrize("name", ["S4T", "NCTTT"])
def test_rehearsal_of_table_6(name):
    """MTI-Net trains on the source, adapts under a method and returns."""
    network = make_network(2, keras_s4t.models.MTINetDecoder, channels=(4, 4))
    method = make_method(name, network.tasks)
    trainer = keras_s4t.SourceTrainer(network, method)
    trainer.compile(keras.optimizers.Adam(3e-3))
    arrays = tiny.make_arrays(8, count=2)
    data = keras_s4t.data.ArrayBatches(arrays, 4)
    losses = trainer.fit(data, epochs=5, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < 0.95 * losses[0]

    adapter = keras_s4t.TargetAdapter(network, method)
    adapter.compile(keras.optimizers.SGD(1e-2))
    target = 0.5 * tiny.make_arrays(8, seed=1)[0]
    variables = network.variables + method.variables
    source = tiny.numpy_values(variables)
    before = adapter.predict(target, verbose=0)
    stream = keras_s4t.data.online_stream(target, steps=2, batch_size=4)
    history = adapter.fit(stream, verbose=0).history
    assert history["skipped_steps"] == [0]
    adapted = adapter.predict(target, verbose=0)
    for key, x in before.items():
        assert np.isfinite(adapted[key]).all()
        assert np.abs(adapted[key] - x).max() > 1e-4

    adapter.reset()
    for key, x in adapter.predict(target, verbose=0).items():
        np.testing.assert_array_equal(x, before[key])
    assert not tiny.moved(variables, source)
