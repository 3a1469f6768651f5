import keras
import numpy as np
import pytest
import tiny

from keras_s4t.callbacks import OnlineCurve
from keras_s4t.callbacks import ResetToSource
from keras_s4t.data import ArrayBatches
from keras_s4t.data import online_stream

STEPS = 2
NUM_BATCHES = 3


def make_batches():
    arrays = tiny.make_arrays(2 * NUM_BATCHES, count=2)
    return ArrayBatches(arrays, 2)


def pooled(predictions, batches):
    """Metrics over all pixels of the batches, in NumPy."""
    semseg, depth = (
        np.concatenate([p[name] for p in predictions])
        for name in ("semseg", "depth")
    )
    _, labels, masks = batches.arrays
    classes = semseg.argmax(axis=-1)
    valid = masks["semseg"][..., 0] * (labels["semseg"] != 255)
    ious = []
    for i in range(tiny.NUM_CLASSES):
        is_label, is_class = labels["semseg"] == i, classes == i
        union = (valid * (is_label | is_class)).sum()
        ious.append((valid * (is_label & is_class)).sum() / max(union, 1))
    errors = masks["depth"] * (np.maximum(depth, 0) - labels["depth"]) ** 2
    return {
        "semseg_miou": np.mean(ious),
        "depth_rmse": np.sqrt(errors.sum() / masks["depth"].sum()),
    }


@pytest.mark.parametrize("episodic", [False, True])
def test_points_pool_what_each_step_predicted(adapter, episodic):
    batches = make_batches()
    curve = OnlineCurve(batches, STEPS)
    callbacks = [curve, ResetToSource(every=STEPS)]
    adapter.fit(
        online_stream(batches, STEPS),
        callbacks=callbacks[: 1 + episodic],
        verbose=0,
    )

    adapter.reset()
    indices = range(NUM_BATCHES)
    predictions = {
        0: [predict(adapter, batches[index]) for index in indices],
        **{step: [] for step in range(1, STEPS + 1)},
    }
    for index in indices:
        if episodic:
            adapter.reset()
        for step in range(1, STEPS + 1):
            adapter.fit(ArrayBatches(batches[index], 2), verbose=0)
            predictions[step].append(predict(adapter, batches[index]))

    assert curve.steps == list(range(STEPS + 1))
    for point in curve.points:
        expected = pooled(predictions[point["step"]], batches)
        assert set(point) == {"step", *expected}
        for key, value in expected.items():
            assert point[key] == pytest.approx(value, rel=1e-4)
    depths = [point["depth_rmse"] for point in curve.points]
    assert len(set(depths)) == STEPS + 1


def predict(adapter, batch):
    images, *_ = batch
    outputs = adapter(images)
    return {k: keras.ops.convert_to_numpy(v) for k, v in outputs.items()}


def test_online_and_episodic_differ(adapter):
    batches = make_batches()
    ends = []
    for extra in ([], [ResetToSource(every=STEPS)]):
        adapter.reset()
        curve = OnlineCurve(batches, STEPS)
        adapter.fit(
            online_stream(batches, STEPS),
            callbacks=[curve, *extra],
            verbose=0,
        )
        ends.append(curve.at(STEPS)["depth_rmse"])
    assert ends[0] != pytest.approx(ends[1], rel=1e-4)


def test_a_stream_without_labels(adapter):
    batches = make_batches()
    images, *_ = batches.arrays
    curve = OnlineCurve(batches, STEPS)
    with pytest.raises(ValueError, match="needs labels.*'semseg_miou'"):
        adapter.fit(
            online_stream(images, STEPS, batch_size=2),
            callbacks=[curve],
            verbose=0,
        )
    assert curve.steps == [0]


def test_steps_are_those_of_the_stream(adapter):
    batches = make_batches()
    curve = OnlineCurve(batches, steps=4)
    with pytest.raises(ValueError, match="steps=4 and a stream of 2 steps"):
        adapter.fit(online_stream(batches, STEPS), callbacks=[curve], verbose=0)
    assert not curve.points


@pytest.mark.parametrize("steps", [0, -1])
def test_steps_must_be_positive(steps):
    with pytest.raises(ValueError, match=f"steps={steps}"):
        OnlineCurve(make_batches(), steps)


@pytest.mark.parametrize("kind", ["arrays", "tf.data"])
def test_steps_must_be_those_of_the_stream(adapter, kind):
    batches = make_batches()
    data = batches
    if kind == "tf.data":
        tf = pytest.importorskip("tensorflow")
        data = tf.data.Dataset.from_tensor_slices(batches.arrays).batch(2)
    stream = online_stream(data, 2 * STEPS)
    before = tiny.numpy_values(adapter.variables)
    for callback, name in (
        (OnlineCurve(batches, STEPS), "steps"),
        (ResetToSource(STEPS), "every"),
    ):
        with pytest.raises(ValueError, match=f"`{name}` must be.*of 4 steps"):
            adapter.fit(stream, callbacks=[callback], verbose=0)
    assert not tiny.moved(adapter.variables, before)
