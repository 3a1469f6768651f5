import contextlib

import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t


def make_method(**kwargs):
    options = dict(projection_dim=4, hidden_dim=8, queue_size=16, seed=0)
    return keras_s4t.methods.TTTPlusPlus(**{**options, **kwargs})


def make_adapter(optimizer=None, **kwargs):
    """Trained and with statistics, as far as the method knows."""
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), make_method(**kwargs)
    )
    tiny.fill(adapter.network)
    tiny.fill(adapter.method.head)
    adapter.method.mark_done("training")
    source = [tiny.make_arrays(4, seed)[0] for seed in (1, 2, 3)]
    adapter.collect(source, verbose=0)
    adapter.compile(optimizer or keras.optimizers.SGD(1e-2))
    return adapter


def target_loss(adapter, images):
    images = ops.convert_to_tensor(images)
    features = adapter.encode(images, keep_state=True)
    loss = adapter.method.target_loss(adapter, images, features)
    return float(ops.convert_to_numpy(loss))


def numpy_nt_xent(projections, temperature):
    z = np.float64(projections)
    z = z / np.linalg.norm(z, axis=-1, keepdims=True)
    logits = z @ z.T / temperature
    np.fill_diagonal(logits, -np.inf)
    count = len(z) // 2
    partners = np.roll(np.arange(2 * count), count)
    positives = logits[np.arange(2 * count), partners]
    return (np.log(np.exp(logits).sum(-1)) - positives).mean()


@pytest.mark.parametrize(
    "level", [None, pytest.param("P2", marks=pytest.mark.eager)]
)
def test_contrasts_views_of_the_level_in_batch_mode(monkeypatch, level):
    adapter = make_adapter(
        align_weights=(0.0, 0.0), temperature=0.3, level=level
    )
    method = adapter.method
    images = tiny.make_arrays(3)[0]
    views = iter([0.5 * images, images + 10])
    monkeypatch.setattr(type(method.views), "call", lambda *_: next(views))
    loss = target_loss(adapter, images)
    both = np.concatenate([0.5 * images, images + 10])
    features = adapter.network.encode(both, training=True)
    pooled = ops.convert_to_numpy(features[level or "P3"]).mean((1, 2))
    weights, offset = method.head.hidden.get_weights()
    hidden = np.maximum(pooled @ weights + offset, 0)
    weights, offset = method.head.projection.get_weights()
    expected = numpy_nt_xent(hidden @ weights + offset, 0.3)
    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.eager
def test_legacy_scale_multiplies_the_contrast_on_the_target_only():
    images = ops.convert_to_tensor(tiny.make_arrays(3)[0])
    losses = {}
    for scale in (False, True):
        adapter = make_adapter(align_weights=(0.0, 0.0), legacy_scale=scale)
        losses[scale] = target_loss(adapter, images)
        trainer = keras_s4t.SourceTrainer(adapter.network, adapter.method)
        adapter.method.views.seed_generator.state.assign([0, 0])
        added = adapter.method.source_loss(trainer, images, None, None)
        losses["source", scale] = float(
            ops.convert_to_numpy(added["contrastive"])
        )
    assert losses[True] / losses[False] == pytest.approx(7.142857, rel=1e-5)
    assert losses["source", True] == pytest.approx(losses["source", False])


@pytest.mark.eager
def test_adds_the_alignment_of_the_images_themselves():
    images = tiny.make_arrays(4)[0]
    contrast = target_loss(make_adapter(align_weights=(0.0, 0.0)), images)
    adapter = make_adapter()
    loss = target_loss(adapter, images)
    queue = adapter.method.alignment.queue
    queue.set_weights([np.zeros((16, 4), "float32"), np.array(0)])
    features = adapter.network.encode(images, training=True)["P3"]
    alignment = adapter.method.alignment(
        features, adapter.method.head(features)
    )
    alignment = float(ops.convert_to_numpy(alignment))
    assert alignment > 0.01
    assert loss == pytest.approx(contrast + alignment, rel=1e-3)


def test_moments_of_the_source_are_those_of_all_its_batches():
    adapter = make_adapter()
    images = np.concatenate([tiny.make_arrays(4, s)[0] for s in (1, 2, 3)])
    features = adapter.network.encode(images, training=False)["P3"]
    projections = ops.convert_to_numpy(adapter.method.head(features))
    locations = ops.convert_to_numpy(features).reshape(-1, 12)
    alignment = adapter.method.alignment
    for source, samples in (
        (alignment.source_features, locations),
        (alignment.source_projections, projections),
    ):
        mean, covariance = map(ops.convert_to_numpy, source.moments)
        np.testing.assert_allclose(mean, samples.mean(0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            covariance, np.cov(np.float64(samples).T), rtol=1e-3, atol=1e-5
        )


@pytest.mark.eager
def test_moving_statistics_follow_the_images_and_no_view():
    images = tiny.make_arrays(4)[0]
    network = tiny.make_network()
    tiny.fill(network)
    control = keras_s4t.TargetAdapter(
        network, keras_s4t.methods.BatchNormOnly()
    )
    control.compile()
    adapter = make_adapter(keras.optimizers.SGD(0.0))
    stream = keras_s4t.data.online_stream(images, steps=3, batch_size=4)
    for each in (control, adapter):
        each.fit(stream, verbose=0)
    for first, second in zip(
        tiny.numpy_values(network.moving_statistics),
        tiny.numpy_values(adapter.network.moving_statistics),
        strict=True,
    ):
        # XLA may fuse the two programs' sums differently.
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_the_queue_follows_the_target_and_resets():
    adapter = make_adapter()
    queue = adapter.method.alignment.queue
    images = tiny.make_arrays(8)[0]
    stream = keras_s4t.data.online_stream(images, steps=1, batch_size=4)
    adapter.fit(stream, verbose=0)
    entries, count = tiny.numpy_values(queue.variables)
    assert count == 8
    assert (np.abs(entries[:8]).max(-1) > 0).all()
    assert not entries[8:].any()
    adapter.reset()
    for value in tiny.numpy_values(queue.variables):
        np.testing.assert_array_equal(value, 0)


@contextlib.contextmanager
def dtype_policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.eager
def test_adapts_in_bfloat16_with_float32_statistics():
    with dtype_policy("mixed_bfloat16"):
        adapter = make_adapter()
        assert adapter.method.head.compute_dtype == "bfloat16"
        images = tiny.make_arrays(4)[0]
        stream = keras_s4t.data.online_stream(images, steps=2, batch_size=4)
        losses = adapter.fit(stream, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    dtypes = {str(v.dtype) for v in adapter.method.alignment.variables}
    assert "bfloat16" not in dtypes


def test_errors():
    with pytest.raises(ValueError, match="positive.*temperature=0"):
        make_method(temperature=0)
    with pytest.raises(ValueError, match=r"`level` must name .*'P9'"):
        keras_s4t.TargetAdapter(tiny.make_network(), make_method(level="P9"))
