import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t
from keras_s4t.methods.ttt.rotation import RandomSquareRotation
from keras_s4t.methods.ttt.ttt import TTT

RESNET50 = {"P2": 256, "P3": 512, "P4": 1024, "P5": 2048}


def make_method(**kwargs):
    method = TTT(**{"hidden_dim": 8, "seed": 0, **kwargs})
    tiny.mark_done(method)
    return method


def make_adapter(learning_rate=1e-2, method=None, **kwargs):
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), method or make_method(**kwargs)
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(learning_rate))
    return adapter


def know_nothing(method):
    """Makes the head predict all rotations with equal probability."""
    for variable in method.head.classifier.variables:
        variable.assign(ops.zeros(variable.shape))


def target_loss(adapter, images):
    loss = adapter.method.target_loss(adapter, images, {})
    return float(ops.convert_to_numpy(loss))


def moving_statistics_of(adapter, batches):
    """Moving statistics after running several batches in order."""
    network = adapter.network
    for images in batches:
        network(ops.convert_to_tensor(images), training=True)
    return tiny.numpy_values(network.moving_statistics)


@pytest.mark.eager
def test_parameters_of_the_paper():
    method = TTT()
    method.build({k: (None, None, None, c) for k, c in RESNET50.items()})
    sizes = [int(np.prod(v.shape)) for v in method.trainable_variables]
    assert sizes == [3840 * 1024, 1024, 1024 * 4, 4]
    assert 23_554_124 + sum(sizes) == 27_491_408


def test_loss_is_the_cross_entropy_of_the_rotations():
    images, *_ = tiny.make_arrays(6)
    adapter = make_adapter()
    rotated, labels = RandomSquareRotation(seed=0)(images)
    logits = adapter.method.head(adapter.encode(rotated))
    logits = ops.convert_to_numpy(logits).astype("float64")
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    labels = ops.convert_to_numpy(labels)
    assert len(set(labels)) > 1
    expected = -np.log(p[np.arange(6), labels]).mean()
    assert target_loss(adapter, images) == pytest.approx(expected, rel=1e-4)


@pytest.mark.eager
def test_no_idea_costs_the_logarithm_of_four():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter()
    know_nothing(adapter.method)
    assert target_loss(adapter, images) == pytest.approx(1.3862944, rel=1e-5)


def test_decoders_have_no_part():
    images, *_ = tiny.make_arrays(4)
    losses = []
    for change in ("none", "decoders", "encoder"):
        adapter = make_adapter()
        network = adapter.network
        for decoder in network.decoders.values():
            if change == "decoders":
                decoder.kernel.assign(decoder.kernel + 1.0)
        if change == "encoder":
            gamma = network.affine_variables[0]
            gamma.assign(2 * gamma)
        losses.append(target_loss(adapter, images))
    unchanged, decoders, encoder = losses
    assert decoders == unchanged
    assert encoder != pytest.approx(unchanged, rel=1e-3)


@pytest.mark.parametrize("update_statistics", [True, False])
def test_what_the_moving_statistics_follow(update_statistics):
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(0.0, update_statistics=update_statistics)
    adapter.fit(keras_s4t.data.online_stream(images, 1, 4), verbose=0)
    result = tiny.numpy_values(adapter.network.moving_statistics)

    rotated, _ = RandomSquareRotation(seed=0)(images)
    clean = moving_statistics_of(make_adapter(), [images])
    both = moving_statistics_of(make_adapter(), [images, rotated])
    expected, other = (both, clean) if update_statistics else (clean, both)
    for value, first, second in zip(result, expected, other, strict=True):
        np.testing.assert_allclose(value, first, rtol=1e-4, atol=1e-5)
        assert np.abs(value - second).max() > 1e-3


def test_without_their_statistics_and_a_learning_rate_is_batch_norm_only():
    images, *_ = tiny.make_arrays(8)
    outcomes = []
    control = keras_s4t.methods.BatchNormOnly()
    for method in (make_method(update_statistics=False), control):
        adapter = make_adapter(0.0, method)
        tiny.fill(adapter.network)
        stream = keras_s4t.data.online_stream(images, 3, batch_size=4)
        adapter.fit(stream, verbose=0)
        outcomes.append(tiny.numpy_values(adapter.network.variables))
    for first, second in zip(*outcomes, strict=True):
        # XLA may fuse the sums of the two programs differently.
        np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-7)


@pytest.mark.eager
def test_images_that_are_not_square():
    images, *_ = tiny.make_arrays(4, size=(16, 24))
    adapter = make_adapter()
    sizes = []
    encode = adapter.network.encode

    def watched(images, *args, **kwargs):
        sizes.append(tuple(images.shape[1:3]))
        return encode(images, *args, **kwargs)

    adapter.network.encode = watched
    stream = keras_s4t.data.online_stream(images, batch_size=2)
    logs = adapter.fit(stream, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    assert sizes[:2] == [(16, 24), (16, 16)]


def test_the_head_can_stay_as_it_is():
    adapter = make_adapter(update_head=False)
    network = adapter.network
    selected = [id(v) for v in adapter.method.select(network)]
    assert selected == [id(v) for v in network.encoder.trainable_variables]
    head = adapter.method.head.trainable_variables
    selected = [id(v) for v in make_adapter().method.select(network)]
    assert len(selected) == len(network.encoder.trainable_variables) + len(head)


@pytest.mark.eager
def test_attached_to_a_level():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(attach=["P2"])
    network, method = adapter.network, adapter.method
    assert method.head.hidden.kernel.shape == (6, 8)
    expected = network.variables_up_to("P2") + method.head.trainable_variables
    assert len(expected) == 3 + 4
    assert {id(v) for v in method.select(network)} == {id(v) for v in expected}
    expected += network.moving_statistics[:2]
    variables = network.variables + method.trainable_variables
    before = tiny.numpy_values(variables)
    adapter.fit(keras_s4t.data.online_stream(images, 1, 4), verbose=0)
    assert tiny.moved(variables, before) == {id(v) for v in expected}


def test_weight_of_the_source_loss():
    images, labels, masks = tiny.make_arrays(4)
    totals = []
    for weight in (0.0, 1.0, 2.5):
        trainer = keras_s4t.SourceTrainer(
            tiny.make_network(), make_method(weight=weight)
        )
        tiny.fill(trainer)
        know_nothing(trainer.method)
        loss, _ = trainer.total_loss(images, labels, masks)
        totals.append(float(ops.convert_to_numpy(loss)))
    assert totals[1] - totals[0] == pytest.approx(np.log(4), rel=1e-4)
    assert totals[2] - totals[0] == pytest.approx(2.5 * np.log(4), rel=1e-4)


def test_the_rotations_go_on_after_loading(tmp_path):
    images, *_ = tiny.make_arrays(4)
    trainer = keras_s4t.SourceTrainer(tiny.make_network(), make_method())
    trainer.method.rotation(images)
    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.saving.load_model(tmp_path / "trainer.keras")
    expected, _ = trainer.method.rotation(images)
    result, _ = loaded.method.rotation(images)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(result), ops.convert_to_numpy(expected)
    )


def test_default_optimizer():
    optimizer = TTT().default_optimizer()
    config = optimizer.get_config()
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert config["momentum"] == 0
    assert config["learning_rate"] == pytest.approx(1e-3)
    assert config["weight_decay"] is None


@pytest.mark.parametrize("attach", [("P3", "P6"), ("norm_0",), ()])
def test_levels_must_be_the_networks(attach):
    with pytest.raises(ValueError, match=r"`attach`.*'P2', 'P3'.*attach=\("):
        keras_s4t.TargetAdapter(tiny.make_network(), TTT(attach=attach))


def test_no_hidden_units():
    with pytest.raises(ValueError, match="hidden_dim=0"):
        TTT(hidden_dim=0)
