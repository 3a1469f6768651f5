import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t


class MeanMatching(keras_s4t.methods.Method):
    """A method of one's own: pulls mean features to those of the source."""

    needs_source = ("statistics",)

    def build(self, features_shape):
        channels = features_shape["P3"][-1]
        self.total = self.add_weight(
            name="total", shape=(channels,), initializer="zeros"
        )
        self.count = self.add_weight(
            name="count", shape=(), initializer="zeros"
        )
        self.built = True

    def collect(self, features):
        self.total.assign_add(ops.mean(features["P3"], axis=(0, 1, 2)))
        self.count.assign_add(1.0)

    def target_loss(self, adapter, images, features):
        mirrored = adapter.encode(ops.flip(images, axis=2))
        loss = 0.0
        for view in (features, mirrored):
            mean = ops.mean(view["P3"], axis=(0, 1, 2))
            loss += ops.sum(ops.square(mean - self.total / self.count))
        return loss


def make_adapter(method, **kwargs):
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), method)
    tiny.fill(adapter.network)
    adapter.compile(keras.optimizers.SGD(1e-2), **kwargs)
    return adapter


def test_a_method_of_ones_own_with_statistics_and_an_extra_view():
    adapter = make_adapter(MeanMatching())
    method = adapter.method
    source, *_ = tiny.make_arrays(8, seed=1)
    adapter.collect(keras_s4t.data.ArrayBatches(source, 4))
    expected = np.mean(
        [
            ops.convert_to_numpy(
                adapter.network.encode(source[i : i + 4])["P3"]
            ).mean((0, 1, 2))
            for i in (0, 4)
        ],
        axis=0,
    )
    collected = tiny.numpy_values([method.total, method.count])
    np.testing.assert_allclose(collected[0] / collected[1], expected, rtol=1e-4)

    images, *_ = tiny.make_arrays(4, seed=2)
    history = adapter.fit(
        keras_s4t.data.online_stream(images, steps=3), verbose=0
    ).history
    assert set(history) == {"loss", "skipped_steps"}
    adapter.reset()
    # `collect` after `compile`: the statistics belong to the source state.
    for before, after in zip(
        collected, tiny.numpy_values([method.total, method.count]), strict=True
    ):
        np.testing.assert_array_equal(before, after)


@pytest.mark.eager
def test_extra_views_leave_the_statistics_alone_unless_told():
    class View(keras_s4t.methods.BatchNormOnly):
        keep_state = False

        def target_loss(self, adapter, images, features):
            adapter.encode(255 - images, keep_state=self.keep_state)
            return super().target_loss(adapter, images, features)

    images, *_ = tiny.make_arrays(4)
    outcomes = []
    for cls, keep_state in (
        (keras_s4t.methods.BatchNormOnly, False),
        (View, False),
        (View, True),
    ):
        method = cls()
        method.keep_state = keep_state
        adapter = make_adapter(method)
        adapter.fit(keras_s4t.data.online_stream(images), verbose=0)
        outcomes.append(tiny.numpy_values(adapter.network.moving_statistics))
    plain, with_view, keeping = outcomes
    for a, b, c in zip(plain, with_view, keeping, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
        assert np.abs(a - c).max() > 1e-3


def test_metrics_are_those_of_the_adapted_network():
    arrays = tiny.make_arrays(4)
    adapter = make_adapter(keras_s4t.methods.BatchNormOnly())
    history = adapter.fit(
        keras_s4t.data.online_stream(arrays, batch_size=4), verbose=0
    ).history
    after = adapter.evaluate(
        keras_s4t.data.ArrayBatches(arrays, 4), verbose=0, return_dict=True
    )
    for task in adapter.tasks:
        key = task.metric_key
        assert history[key][0] == pytest.approx(after[key], rel=1e-4)


@pytest.mark.parametrize(
    "name",
    ["TTT"]
    + [
        pytest.param(name, marks=pytest.mark.eager)
        for name in ("BatchNormOnly", "Tent")
    ],
)
def test_metrics_of_the_prediction_before_the_update(name):
    images, labels, masks = tiny.make_arrays(4)
    method = keras_s4t.methods.get(name)
    tiny.mark_done(method)
    adapter = make_adapter(method, predict="before")
    network = adapter.network
    source = tiny.numpy_values(network.variables)
    # What the update's own pass predicts: with the statistics of the batch.
    outputs = network.decode(
        network.encode(images, adapter.batch_statistics), images.shape[1:3]
    )
    predictions = network.postprocess(outputs)
    expected = {}
    for task in network.tasks:
        metric = task.make_metric()
        metric.update_state(
            labels[task.name], predictions[task.name], masks[task.name]
        )
        expected[task.metric_key] = float(metric.result())
    history = adapter.fit(
        keras_s4t.data.online_stream((images, labels, masks), batch_size=4),
        verbose=0,
    ).history
    for key, value in expected.items():
        assert history[key][0] == pytest.approx(value, rel=1e-4)
    moved = tiny.numpy_values(network.variables)

    # The update is the same.
    adapter.reset()
    adapter.compile(keras.optimizers.SGD(1e-2))
    for old, now in zip(
        source, tiny.numpy_values(network.variables), strict=True
    ):
        np.testing.assert_array_equal(old, now)
    stream = keras_s4t.data.online_stream(images, batch_size=4)
    adapter.fit(stream, verbose=0)
    for a, b in zip(moved, tiny.numpy_values(network.variables), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_adapt_returns_the_prediction_before_the_update():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(keras_s4t.methods.BatchNormOnly(), predict="before")
    before = adapter.network.predict_on_batch(images)["depth"]
    received = adapter.adapt(images)["depth"]
    np.testing.assert_allclose(received, np.maximum(before, 0), rtol=1e-5)
    after = adapter.network.predict_on_batch(images)["depth"]
    assert np.abs(np.maximum(after, 0) - received).max() > 1e-3
    with pytest.raises(ValueError, match="'before'.*predict='never'"):
        adapter.compile(predict="never")


def test_without_metrics_the_logs_hold_the_loss_alone():
    arrays = tiny.make_arrays(4)
    adapter = make_adapter(keras_s4t.methods.BatchNormOnly(), metrics=None)
    stream = keras_s4t.data.online_stream(arrays, batch_size=4)
    history = adapter.fit(stream, verbose=0).history
    assert set(history) == {"loss", "skipped_steps"}


def test_evaluates_unlabelled_images():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(keras_s4t.methods.SourceOnly())
    assert adapter.evaluate(images, verbose=0, return_dict=True) == {"loss": 0}


def test_the_methods_own_optimizer():
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), tiny.make_s4t())
    adapter.compile()
    assert isinstance(adapter.optimizer, keras.optimizers.SGD)
    assert float(adapter.optimizer.learning_rate) == pytest.approx(2e-5)
    assert adapter.optimizer.weight_decay == pytest.approx(1e-6)


def test_float16_is_refused():
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(),
        keras_s4t.methods.SourceOnly(),
        dtype=keras.DTypePolicy("mixed_float16"),
    )
    with pytest.raises(ValueError, match="float32 and bfloat16.*float16"):
        adapter.compile()


def test_reset_and_adapt_need_compile():
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), keras_s4t.methods.SourceOnly()
    )
    with pytest.raises(ValueError, match="must be called before `reset`"):
        adapter.reset()
    with pytest.raises(ValueError, match="must be called before `adapt`"):
        adapter.adapt(tiny.make_arrays(2)[0])


def test_adapt_is_a_step_of_fit_and_a_prediction():
    images, *_ = tiny.make_arrays(8)
    outcomes = []
    for by_batch in (True, False):
        adapter = make_adapter(keras_s4t.methods.Tent())
        source = tiny.numpy_values(adapter.variables)
        if by_batch:
            values = [adapter.adapt(x) for x in (images[:4], images[4:])][-1]
            assert all(isinstance(x, np.ndarray) for x in values.values())
        else:
            stream = keras_s4t.data.online_stream(images, batch_size=4)
            adapter.fit(stream, verbose=0)
            outputs = adapter.predict_on_batch(images[4:])
            values = adapter.network.postprocess(outputs)
        weights = tiny.numpy_values(adapter.network.variables)
        outcomes.append((values, weights))
        assert tiny.moved(adapter.variables, source)
    for name, value in outcomes[0][0].items():
        expected = keras.ops.convert_to_numpy(outcomes[1][0][name])
        assert value.shape == expected.shape and value.dtype == expected.dtype
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    for first, second in zip(outcomes[0][1], outcomes[1][1], strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


def test_adapt_looks_at_the_batch_first():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter(keras_s4t.methods.Tent())
    before = tiny.numpy_values(adapter.variables)
    with pytest.raises(ValueError, match="must be finite"):
        adapter.adapt(np.where(images > 100, np.nan, images))
    with pytest.raises(ValueError, match="float or uint8 batch"):
        adapter.adapt(images[0])
    assert not tiny.moved(adapter.variables, before)
    actmad = keras_s4t.methods.ActMAD(image_size=(tiny.SIZE, tiny.SIZE))
    adapter = make_adapter(actmad)
    with pytest.raises(ValueError, match="at least 2 images"):
        adapter.adapt(images[:1])
    with pytest.raises(ValueError, match="must be prepared on the source"):
        adapter.adapt(images)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["sgd", "mse"], {}),
        (["sgd"], {"loss": {"depth": "mse"}}),
        (["sgd"], {"loss_weights": [1.0]}),
        (["sgd"], {"weighted_metrics": ["mse"]}),
    ],
)
@pytest.mark.parametrize("cls", ["SourceTrainer", "TargetAdapter"])
def test_losses_come_from_the_tasks(cls, arguments, options):
    model = getattr(keras_s4t, cls)(
        tiny.make_network(), keras_s4t.methods.SourceOnly()
    )
    with pytest.raises(ValueError, match="`compile` takes none. Received: "):
        model.compile(*arguments, **options)
    with pytest.raises(ValueError, match="'auto'.*metrics="):
        model.compile("sgd", metrics=["mse"])
    model.compile("sgd", None, None)
    assert not model.measures_tasks


def test_every_step_is_executed_alone():
    with pytest.raises(ValueError, match="callbacks see every step.*: 4"):
        make_adapter(keras_s4t.methods.SourceOnly(), steps_per_execution=4)


def test_a_batch_that_cannot_be_traced_loses_no_source_weights():
    def batches():
        images, labels, masks = tiny.make_arrays(4)
        yield images, labels, masks
        yield images[..., :2], labels, masks

    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(), keras_s4t.methods.SourceOnly()
    )
    trainer.compile("sgd", metrics=None)
    with pytest.raises(Exception, match="images|incompatible|shape"):
        trainer.fit(batches(), shuffle=False, verbose=0)
    assert all(np.isfinite(x).all() for x in tiny.numpy_values(trainer.weights))
