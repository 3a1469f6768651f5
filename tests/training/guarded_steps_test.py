"""A step that is not finite changes nothing, is counted and is told."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t
from keras_s4t.state.minimize import all_finite

METHODS = ["BatchNormOnly", "Tent", "S4T"]


def make_adapter(name, optimizer=None):
    task_list = tiny.make_tasks(2)
    method = (
        tiny.make_s4t(task_list)
        if name == "S4T"
        else keras_s4t.methods.get(name)
    )
    adapter = keras_s4t.TargetAdapter(tiny.make_network(task_list), method)
    tiny.fill(adapter)
    adapter.compile(optimizer or keras.optimizers.SGD(1e-2, momentum=0.9))
    return adapter


def state(trainer):
    """Everything that a step may move, seeds included."""
    return (
        trainer.trainable_variables
        + trainer.non_trainable_variables
        + trainer.optimizer.variables
    )


def damaged(images):
    images = images.copy()
    images[1, 3, 2, 0] = np.nan
    return images


@pytest.mark.parametrize("name", METHODS)
def test_one_nan_changes_nothing(name):
    images, *_ = tiny.make_arrays(4, size=(32, 32))
    adapter = make_adapter(name)
    adapter.train_on_batch(images)
    before = tiny.numpy_values(state(adapter))
    with pytest.warns(UserWarning, match="1 steps were skipped"):
        adapter.train_on_batch(damaged(images))
    assert not tiny.moved(state(adapter), before)
    adapter.train_on_batch(images)
    assert tiny.moved(state(adapter), before)
    assert all(np.isfinite(x).all() for x in tiny.numpy_values(state(adapter)))


def test_a_stream_goes_on_after_a_damaged_batch():
    images, *_ = tiny.make_arrays(8)
    batches = [images[:4], damaged(images[4:]), images[4:]]
    adapter = make_adapter("Tent")
    with pytest.warns(UserWarning, match="1 steps were skipped"):
        history = adapter.fit(batches, verbose=0).history
    assert history["skipped_steps"] == [1]
    assert np.isfinite(history["loss"][0])
    received = tiny.numpy_values(adapter.trainable_variables)

    adapter.reset()
    history = adapter.fit([batches[0], batches[2]], verbose=0).history
    assert history["skipped_steps"] == [0]
    expected = tiny.numpy_values(adapter.trainable_variables)
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_damaged_labels_change_nothing_in_source_training():
    images, labels, masks = tiny.make_arrays(4, count=2)
    labels["depth"][0, 0, 0] = np.nan
    masks["depth"][0, 0, 0] = 1
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(tiny.make_tasks(2)), keras_s4t.methods.SourceOnly()
    )
    tiny.fill(trainer)
    trainer.compile(keras.optimizers.Adam(1e-2))
    before = tiny.numpy_values(state(trainer))
    batches = keras_s4t.data.ArrayBatches((images, labels, masks), 4)
    with pytest.warns(UserWarning, match="1 steps were skipped"):
        history = trainer.fit(batches, verbose=0).history
    assert history["skipped_steps"] == [1]
    assert not tiny.moved(state(trainer), before)


@pytest.mark.eager
@pytest.mark.parametrize("rate", [1e3, 1e30])
def test_a_learning_rate_that_is_too_large_is_told(rate):
    images, *_ = tiny.make_arrays(4, count=2)
    adapter = make_adapter("S4T", keras.optimizers.SGD(rate))
    stream = keras_s4t.data.online_stream(images, steps=6, batch_size=4)
    with pytest.warns(UserWarning, match="steps were skipped.*learning rate"):
        adapter.fit(stream, verbose=0)
    adapter.reset()
    assert all(
        np.isfinite(x).all()
        for x in tiny.numpy_values(adapter.trainable_variables)
    )


@pytest.mark.parametrize("size", [1, 3000, 70000])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_finite_is_told_in_compiled_reductions(size, value):
    # Compiled maxima over more than 2048 entries lose NaN on JAX.
    values = np.zeros(size, "float32")

    class Check(keras.layers.Layer):
        def call(self, x):
            return ops.cast(all_finite([x[0], x[0] * 2]), "float32")[None]

    model = keras.Sequential([keras.Input((size,)), Check()])
    assert model.predict(values[None], verbose=0)[0] == 1
    values[size // 2] = value
    assert model.predict(values[None], verbose=0)[0] == 0


@keras.saving.register_keras_serializable("tests")
class Broken(keras.optimizers.schedules.LearningRateSchedule):
    """NaN from the second step on."""

    def __call__(self, step):
        return ops.where(ops.cast(step, "float32") < 1, 0.01, float("nan"))

    def get_config(self):
        return {}


@pytest.mark.parametrize(
    "name", ["Tent", pytest.param("S4T", marks=pytest.mark.eager)]
)
@pytest.mark.parametrize("scaled", [True, False])
def test_a_schedule_that_becomes_nan_changes_nothing(name, scaled):
    images, *_ = tiny.make_arrays(4, count=2)
    optimizer = keras.optimizers.SGD(Broken())
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    adapter = make_adapter(name, optimizer)
    adapter.train_on_batch(images)
    before = tiny.numpy_values(state(adapter))
    with pytest.warns(UserWarning, match="2 steps were skipped.*is NaN or"):
        adapter.fit([images, images], verbose=0)
    assert not tiny.moved(state(adapter), before)


def test_a_learning_rate_set_to_nan_changes_nothing():
    images, labels, masks = tiny.make_arrays(4, count=2)
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(tiny.make_tasks(2)), keras_s4t.methods.SourceOnly()
    )
    tiny.fill(trainer)
    trainer.compile(keras.optimizers.Adam(1e-2))
    trainer.optimizer.learning_rate = float("nan")
    before = tiny.numpy_values(trainer.trainable_variables)
    batches = keras_s4t.data.ArrayBatches((images, labels, masks), 4)
    with pytest.warns(UserWarning, match="1 steps were skipped"):
        trainer.fit(batches, verbose=0)
    assert not tiny.moved(trainer.trainable_variables, before)


def test_scaled_losses():
    # Scales that are powers of two change no bit of SGD.
    images, labels, masks = tiny.make_arrays(4, count=2)
    moved = []
    for scaled in (False, True):
        optimizer = keras.optimizers.SGD(1e-2, momentum=0.9)
        if scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        trainer = keras_s4t.SourceTrainer(
            tiny.make_network(tiny.make_tasks(2)),
            keras_s4t.methods.SourceOnly(),
        )
        tiny.fill(trainer)
        trainer.compile(optimizer)
        batches = [(images, labels, masks), (damaged(images), labels, masks)]
        with pytest.warns(UserWarning, match="1 steps were skipped"):
            trainer.fit(batches, verbose=0)
        moved.append(tiny.numpy_values(trainer.trainable_variables))
    for a, b in zip(*moved, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


class NoGradient(keras_s4t.methods.Tent):
    """A loss of 0 whose gradients are NaN."""

    def target_loss(self, adapter, images, features):
        return ops.sqrt(0 * super().target_loss(adapter, images, features))


@pytest.mark.eager
@pytest.mark.parametrize("verb", ["fit", "adapt"])
def test_a_loss_scale_that_falls_is_told_once(verb):
    images, *_ = tiny.make_arrays(4)
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), NoGradient())
    tiny.fill(adapter)
    adapter.compile(
        keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(1e-2), initial_scale=2.0
        )
    )
    before = tiny.numpy_values(adapter.trainable_variables)

    def call():
        if verb == "fit":
            return adapter.fit([images], verbose=0)
        return adapter.adapt(images)

    call()
    with pytest.warns(UserWarning, match="loss scale has fallen to 0.5: grad"):
        call()
    # Once; other warnings are errors.
    call()
    assert not tiny.moved(adapter.trainable_variables, before)


class Interrupts(keras.callbacks.Callback):
    """Raises an error at one of the points of `fit`."""

    def __init__(self, error, point):
        super().__init__()
        setattr(self, point, self.interrupt)
        self.error = error

    def interrupt(self, index, logs=None):
        if index == 1:
            raise self.error


@pytest.mark.eager
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk")])
@pytest.mark.parametrize(
    ("point", "epochs", "count"),
    [
        ("on_train_batch_end", 1, 1),
        ("on_epoch_begin", 2, 1),
        ("on_epoch_end", 2, 2),
    ],
)
def test_what_was_skipped_before_an_error_is_told(error, point, epochs, count):
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter("Tent")
    batches = [damaged(images), images, images]
    with (
        pytest.warns(UserWarning, match=f"{count} steps were skipped"),
        pytest.raises(type(error)),
    ):
        adapter.fit(
            batches,
            epochs=epochs,
            callbacks=[Interrupts(error, point)],
            verbose=0,
        )


def test_an_error_before_the_first_step_is_left_alone():
    class Fails(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            raise OSError("disk")

    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter("Tent")
    with pytest.warns(UserWarning, match="1 steps were skipped"):
        adapter.fit([damaged(images)], verbose=0)
    # Nothing is told of the steps of another `fit`.
    with pytest.raises(OSError, match="disk"):
        adapter.fit([images], callbacks=[Fails()], verbose=0)


def test_an_error_in_reading_does_not_hide_what_was_skipped():
    images, *_ = tiny.make_arrays(4)

    def read():
        yield images
        yield damaged(images)
        raise OSError("disk")

    adapter = make_adapter("Tent")
    # TensorFlow has an error of its own for those of generators.
    with (
        pytest.warns(UserWarning, match="1 steps were skipped"),
        pytest.raises(Exception, match="disk"),
    ):
        adapter.fit(read(), verbose=0)
