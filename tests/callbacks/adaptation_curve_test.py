import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.callbacks import AdaptationCurve
from keras_s4t.data import ArrayBatches
from keras_s4t.data import online_stream

KEYS = {"semseg_miou", "depth_rmse"}


def make_stream(num_batches=3, steps=2):
    arrays = tiny.make_arrays(2 * num_batches, count=2)
    return online_stream(arrays, steps, batch_size=2)


def make_target(seed=1):
    return ArrayBatches(tiny.make_arrays(4, seed=seed, count=2), 2)


def evaluate(adapter):
    logs = adapter.evaluate(make_target(), verbose=0, return_dict=True)
    return {key: logs[key] for key in KEYS}


@pytest.mark.parametrize("every, steps", [(2, [0, 2, 4, 6]), (4, [0, 4])])
def test_points_are_what_evaluate_says(adapter, every, steps):
    curve = AdaptationCurve(make_target(), every)
    adapter.fit(make_stream(), callbacks=[curve], verbose=0)
    assert curve.steps == steps
    assert curve.higher_is_better == {"semseg_miou": True, "depth_rmse": False}

    adapter.reset()
    expected = {0: evaluate(adapter)}
    arrays = tiny.make_arrays(6, count=2)
    step = 0
    for start in (0, 2, 4):
        batch = keras.tree.map_structure(
            lambda x, start=start: x[start : start + 2], arrays
        )
        for _ in range(2):
            adapter.fit(ArrayBatches(batch, 2), verbose=0)
            step += 1
            expected[step] = evaluate(adapter)
    for point in curve.points:
        assert set(point) == {"step", *KEYS}
        for key in KEYS:
            assert isinstance(point[key], float)
            assert point[key] == pytest.approx(
                expected[point["step"]][key], rel=1e-5
            )
    assert curve.points[0] != curve.points[-1]


@pytest.mark.eager
def test_the_logs_of_fit_are_not_disturbed(adapter):
    plain = adapter.fit(make_stream(), verbose=0).history
    weights = tiny.numpy_values(adapter.network.weights)
    adapter.reset()
    curve = AdaptationCurve(make_target())
    history = adapter.fit(make_stream(), callbacks=[curve], verbose=0).history
    assert set(plain) == {"loss", "skipped_steps", *KEYS}
    for key, value in plain.items():
        np.testing.assert_allclose(history[key], value, rtol=1e-5)
    for a, b in zip(
        tiny.numpy_values(adapter.network.weights), weights, strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.eager
def test_the_running_loss_is_not_disturbed(adapter):
    class Counter(keras_s4t.methods.BatchNormOnly):
        """Counts batches in its loss: 1, 2, 3 and so on."""

        def build(self, features_shape):
            self.count = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="count"
            )
            self.built = True

        def target_loss(self, adapter, images, features):
            count = self.count + 1.0
            self.count.assign(count)
            return count

    counter = keras_s4t.TargetAdapter(adapter.network, Counter())
    counter.compile("sgd", run_eagerly=True)
    curve = AdaptationCurve(make_target(), every=2)
    history = counter.fit(make_stream(2), callbacks=[curve], verbose=0).history
    assert curve.steps == [0, 2, 4]
    assert history["loss"] == [pytest.approx((1 + 2 + 3 + 4) / 4)]


def test_a_second_fit_goes_on(adapter):
    curve = AdaptationCurve(make_target())
    for _ in range(2):
        adapter.fit(make_stream(1), callbacks=[curve], verbose=0)
    assert curve.steps == [0, 1, 2, 3, 4]


def test_saves_what_load_reads(adapter, tmp_path):
    curve = AdaptationCurve(make_target(), every=2)
    adapter.fit(make_stream(1), callbacks=[curve], verbose=0)
    curve.save(tmp_path / "curve.json")
    loaded = AdaptationCurve.load(tmp_path / "curve.json")
    assert loaded.points == curve.points
    assert loaded.higher_is_better == curve.higher_is_better
    assert loaded.gain(2) == curve.gain(2) != 0


def unlabeled_arrays():
    return ArrayBatches(tiny.make_arrays(4, count=2)[0], 2)


def unlabeled_dataset():
    import tensorflow as tf

    images, *_ = tiny.make_arrays(4, count=2)
    return tf.data.Dataset.from_tensor_slices(images).batch(2)


@pytest.mark.parametrize("target", [unlabeled_arrays, unlabeled_dataset])
def test_a_target_without_labels(adapter, target):
    before = tiny.numpy_values(adapter.network.weights)
    curve = AdaptationCurve(target())
    with pytest.raises(ValueError, match="needs labels.*no .*'semseg_miou'"):
        adapter.fit(make_stream(1), callbacks=[curve], verbose=0)
    assert not tiny.moved(adapter.network.weights, before)


def test_an_adapter_without_metrics(adapter):
    silent = keras_s4t.TargetAdapter(adapter.network, adapter.method)
    silent.compile("sgd", metrics=None, run_eagerly=True)
    with pytest.raises(ValueError, match="metrics='auto'"):
        silent.fit(
            make_stream(1),
            callbacks=[AdaptationCurve(make_target())],
            verbose=0,
        )


@pytest.mark.parametrize("every", [0, -1])
def test_every_must_be_positive(every):
    with pytest.raises(ValueError, match=f"every={every}"):
        AdaptationCurve(make_target(), every)


def test_a_second_fit_goes_on_and_a_reset_begins_anew(adapter):
    curve = AdaptationCurve(make_target(), every=2)
    for expected in ([0, 2], [0, 2, 4]):
        adapter.fit(make_stream(1), callbacks=[curve], verbose=0)
        assert curve.steps == expected
    first = curve.points[:2]
    adapter.reset()
    adapter.fit(make_stream(1), callbacks=[curve], verbose=0)
    assert curve.steps == [0, 2]
    assert curve.points == first


def test_a_given_point_0_is_kept(adapter):
    """As where the source model has been measured for another adapter."""
    adapter.fit(make_stream(), verbose=0)
    adapter.reset()
    start = {"step": 0, "semseg_miou": 0.5, "depth_rmse": 2.0}
    curve = AdaptationCurve(make_target(), every=6)
    curve.points = [start]
    adapter.fit(make_stream(), callbacks=[curve], verbose=0)
    assert curve.points[0] == start
    assert curve.steps == [0, 6]


@pytest.mark.eager
def test_a_curve_of_another_model(adapter):
    curve = AdaptationCurve(make_target())
    adapter.fit(make_stream(), callbacks=[curve], verbose=0)
    points = list(curve.points)
    other = tiny.make_adapter()
    with pytest.raises(ValueError, match="follow one model.*of 7 points"):
        other.fit(make_stream(), callbacks=[curve], verbose=0)
    assert curve.points == points


def test_a_target_that_is_read_once():
    with pytest.raises(ValueError, match="read again.*a generator"):
        AdaptationCurve(batch for batch in [1, 2])
