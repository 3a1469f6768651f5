"""What every method must hold, one parametrized test file for all."""

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t import methods


def make_method(name, task_list):
    """The method of a row of the table below."""
    if name.startswith("S4T"):
        return tiny.make_s4t(task_list, **S4T_VARIANTS[name])
    return methods.get(name.split(":")[0], **CONTROL_VARIANTS.get(name, {}))


S4T_VARIANTS = {
    "S4T": {},
    "S4T:random": {"mask_strategy": "random"},
    "S4T:hide_tasks": {"mask_strategy": "hide_tasks"},
    "S4T:awl": {"target_balance": "awl"},
    "S4T:encoder": {"update": "encoder"},
    "S4T:batch_norm": {"update": "batch_norm"},
}
CONTROL_VARIANTS = {"BatchNormOnly:batch": {"bn_mode": "batch"}}
NAMES = ["Base", "BatchNormOnly", "BatchNormOnly:batch", *S4T_VARIANTS]


def make_adapter(name, num_tasks=4, **kwargs):
    task_list = tiny.make_tasks(num_tasks)
    network = tiny.make_network(task_list)
    adapter = keras_s4t.TargetAdapter(network, make_method(name, task_list))
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2, momentum=0.9), **kwargs)
    return adapter


def all_variables(adapter):
    return (
        adapter.trainable_variables
        + adapter.non_trainable_variables
        + adapter.optimizer.variables
    )


def test_every_method_is_in_the_table():
    assert {name.split(":")[0] for name in NAMES} == set(methods.METHODS)


@pytest.mark.parametrize("name", NAMES)
def test_serializes(name):
    method = make_method(name, tiny.make_tasks())
    config = keras.saving.serialize_keras_object(method)
    clone = methods.get(config)
    assert type(clone) is type(method)
    assert clone.get_config() == method.get_config()
    assert methods.get(clone) is clone


@pytest.mark.parametrize("name", NAMES)
def test_moves_what_it_selects_is_label_blind_and_resets(name):
    images, labels, masks = tiny.make_arrays()
    _, wrong_labels, wrong_masks = tiny.make_arrays(seed=1)
    adapter = make_adapter(name)
    network = adapter.network
    variables = all_variables(adapter)
    source = tiny.numpy_values(variables)
    expected = {id(v) for v in adapter.method.select(network)}
    if adapter.method.bn_mode == "update":
        expected |= {id(v) for v in network.moving_statistics}
    # Slots, step counters and random states may move; no weight among them.
    expected |= {id(v) for v in adapter.optimizer.variables}
    if adapter.method.name.startswith("s4t"):
        generator = adapter.method.synchronizer.masking.seed_generator
        expected.add(id(generator.state))

    outcomes = []
    for data in (
        (images, labels, masks),
        (images, wrong_labels, wrong_masks),
        images,
    ):
        stream = keras_s4t.data.online_stream(data, steps=2, batch_size=4)
        adapter.fit(stream, verbose=0)
        outcomes.append(tiny.numpy_values(variables))
        moved = tiny.moved(variables, source)
        unmoved = (
            expected - moved - {id(v) for v in adapter.optimizer.variables}
        )
        assert moved <= expected and not unmoved
        adapter.reset()
        assert not tiny.moved(variables, source)

    for other in outcomes[1:]:
        for first, second in zip(outcomes[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["Base", "BatchNormOnly", "S4T"])
@pytest.mark.parametrize("num_tasks", [1, 3])
def test_any_number_of_tasks_and_a_batch_of_one(name, num_tasks):
    adapter = make_adapter(name, num_tasks)
    arrays = tiny.make_arrays(2, count=num_tasks)
    stream = keras_s4t.data.online_stream(arrays, batch_size=1)
    logs = adapter.fit(stream, verbose=0).history
    keys = {task.metric_key for task in adapter.tasks}
    assert set(logs) == {"loss", *keys}
    assert all(np.isfinite(values).all() for values in logs.values())


@pytest.mark.parametrize("name", ["Base", "BatchNormOnly", "S4T"])
def test_source_step_is_finite_and_learns(name):
    task_list = tiny.make_tasks()
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(task_list), make_method(name, task_list)
    )
    trainer.compile(keras.optimizers.Adam(1e-2))
    data = keras_s4t.data.ArrayBatches(tiny.make_arrays(), 4)
    losses = trainer.fit(data, epochs=4, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_unknown_method_lists_the_valid_ones():
    with pytest.raises(ValueError, match="BatchNormOnly.*'TTA'"):
        methods.get("TTA")
