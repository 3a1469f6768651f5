import contextlib

import keras
import numpy as np
import pytest
import tiny

import keras_s4t


@contextlib.contextmanager
def dtype_policy(name):
    """Sets the global dtype policy for a while."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    yield
    keras.config.set_dtype_policy(before)


def make_trainer(loss_balance="fixed", task_list=None):
    task_list = task_list or tiny.make_tasks()
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(task_list), tiny.make_s4t(task_list), loss_balance
    )
    tiny.fill(trainer)
    return trainer


@pytest.mark.eager
def test_logs_have_the_tasks_metrics():
    trainer = make_trainer("awl")
    trainer.compile(keras.optimizers.Adam(1e-3))
    data = keras_s4t.data.ArrayBatches(tiny.make_arrays(), 4)
    history = trainer.fit(data, validation_data=data, verbose=0).history
    keys = {"loss", *(task.metric_key for task in trainer.tasks)}
    in_training = keys | {"skipped_steps"}
    assert set(history) == in_training | {f"val_{key}" for key in keys}
    logs = trainer.evaluate(data, verbose=0, return_dict=True)
    assert set(logs) == keys


def test_loss_is_the_balanced_sum():
    images, labels, masks = tiny.make_arrays(4)
    task_list = tiny.make_tasks()
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(task_list), keras_s4t.methods.SourceOnly()
    )
    tiny.fill(trainer)
    loss, outputs = trainer.total_loss(images, labels, masks)
    losses = trainer.task_losses(labels, outputs, masks)
    expected = sum(
        task.weight * float(keras.ops.convert_to_numpy(losses[task.name]))
        for task in task_list
    )
    assert float(keras.ops.convert_to_numpy(loss)) == pytest.approx(
        expected, rel=1e-5
    )


def test_regularizers_of_weights_are_part_of_the_loss():
    images, labels, masks = tiny.make_arrays(4)
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(tiny.make_tasks()), keras_s4t.methods.SourceOnly()
    )
    tiny.fill(trainer)
    plain, _ = trainer.total_loss(images, labels, masks)
    kernel = trainer.network.trainable_variables[0]
    kernel.regularizer = keras.regularizers.L2(0.5)
    loss, _ = trainer.total_loss(images, labels, masks)
    added = 0.5 * np.sum(keras.ops.convert_to_numpy(kernel) ** 2)
    assert added > 0.01
    difference = keras.ops.convert_to_numpy(loss - plain)
    assert float(difference) == pytest.approx(added, rel=1e-3)

    trainer.frozen_network = True
    frozen, _ = trainer.total_loss(images, labels, masks)
    kernel.regularizer = None
    assert float(frozen) == float(trainer.total_loss(images, labels, masks)[0])


def test_extra_losses_stay_outside_the_balance():
    class Constant(keras_s4t.methods.SourceOnly):
        def source_loss(self, trainer, images, features, supervise):
            assert set(
                supervise(trainer.decode(features, images.shape[1:3]))
            ) == {
                "semseg",
                "depth",
            }
            return {"contrast": 3.0, "depth": 5.0}

    images, labels, masks = tiny.make_arrays(4, count=2)
    totals = []
    for method in (keras_s4t.methods.SourceOnly(), Constant()):
        trainer = keras_s4t.SourceTrainer(
            tiny.make_network(tiny.make_tasks(2)), method, "awl"
        )
        tiny.fill(trainer)
        scale = trainer.loss_balance.scales["depth"]
        scale.assign(2.0)
        loss, _ = trainer.total_loss(images, labels, masks)
        totals.append(float(keras.ops.convert_to_numpy(loss)))
    assert totals[1] - totals[0] == pytest.approx(3 + 5 / 8, rel=1e-4)


@pytest.mark.eager
def test_a_batch_without_any_semseg_label_is_finite():
    images, labels, masks = tiny.make_arrays(4)
    labels["semseg"][:] = 255
    trainer = make_trainer()
    trainer.compile(keras.optimizers.Adam(1e-3), metrics=None)
    history = trainer.fit(
        keras_s4t.data.ArrayBatches((images, labels, masks), 4), verbose=0
    ).history
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(x).all() for x in tiny.numpy_values(trainer.weights))


@pytest.mark.eager
def test_saves_and_loads_to_go_on(tmp_path):
    trainer = make_trainer("awl")
    trainer.compile(keras.optimizers.Adam(1e-3))
    data = keras_s4t.data.ArrayBatches(tiny.make_arrays(), 4)
    trainer.fit(data, verbose=0, shuffle=False)
    path = tmp_path / "trainer.keras"
    trainer.save(path)
    loaded = keras.saving.load_model(path)
    for first, second in zip(
        tiny.numpy_values(trainer.weights + trainer.optimizer.variables),
        tiny.numpy_values(loaded.weights + loaded.optimizer.variables),
        strict=True,
    ):
        np.testing.assert_array_equal(first, second)
    images, *_ = tiny.make_arrays(2)
    for name, prediction in trainer.predict(images, verbose=0).items():
        np.testing.assert_allclose(
            loaded.predict(images, verbose=0)[name], prediction, atol=1e-6
        )
    losses = [
        model.fit(data, verbose=0, shuffle=False).history["loss"][0]
        for model in (trainer, loaded)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.eager
def test_bfloat16_trains_and_adapts_in_float32_losses():
    with dtype_policy("mixed_bfloat16"):
        trainer = make_trainer()
        trainer.compile(keras.optimizers.Adam(1e-3))
        data = keras_s4t.data.ArrayBatches(tiny.make_arrays(4), 4)
        history = trainer.fit(data, verbose=0).history
        assert np.isfinite(list(history.values())).all()
        adapter = keras_s4t.TargetAdapter(trainer.network, trainer.method)
        adapter.compile(keras.optimizers.SGD(1e-3))
        history = adapter.fit(data, verbose=0).history
        assert np.isfinite(list(history.values())).all()
        assert all(v.dtype != "bfloat16" for v in adapter.trainable_variables)


@pytest.mark.eager
@pytest.mark.parametrize(
    "change, message",
    [
        (lambda x, y, m: (x[0], y, m), "batch of shape"),
        (lambda x, y, m: (x[..., :1], y, m), r"images.shape=\(4, 16, 16, 1\)"),
        (lambda x, y, m: (x.astype("int64"), y, m), "dtype=int64"),
        (lambda x, y, m: (x.astype(str), y, m), "float or uint8"),
        (lambda x, y, m: (x * np.nan, y, m), "must be finite"),
        (
            lambda x, y, m: (x, {**y, "depth": y["depth"][:, :8]}, m),
            "task 'depth'",
        ),
        (
            lambda x, y, m: (x, {**y, "semseg": y["semseg"][..., None]}, m),
            "task 'semseg'",
        ),
        (lambda x, y, m: (x, {"depths": y["depth"]}, m), "with the keys"),
        (lambda x, y, m: (x[:0], y, m), "must not be empty"),
    ],
)
def test_bad_data_raises_before_any_work(change, message):
    trainer = make_trainer()
    trainer.compile(keras.optimizers.Adam(1e-3))
    before = tiny.numpy_values(trainer.weights)
    images, labels, masks = change(*tiny.make_arrays(4))
    with pytest.raises(ValueError, match=message):
        trainer.fit(images, labels, sample_weight=masks, verbose=0)
    assert not tiny.moved(trainer.weights, before)


def test_metrics_are_the_tasks_own():
    with pytest.raises(ValueError, match="'auto'.*accuracy"):
        make_trainer().compile("sgd", metrics=["accuracy"])


def test_unknown_balance():
    with pytest.raises(ValueError, match="loss_balance='equal'"):
        make_trainer("equal")
