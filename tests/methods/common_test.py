"""What every method must hold, one parametrized test file for all."""

import sys

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t import methods


def s4t(**kwargs):
    """Options of S4T, which depend on the tasks."""
    return lambda task_list: {
        "tasks": task_list,
        "latent_dim": 4,
        "synchronizer": tiny.SYNCHRONIZER,
        "mask_ratio": 0.5,
        "target_weight": 1.0,
        "seed": 0,
        **kwargs,
    }


def replay(**kwargs):
    """Options of ReplayS4T, a memory of four images among them."""
    return s4t(
        image_size=tiny.SIZE, memory_size=4, replay_batch_size=2, **kwargs
    )


# Sizes small enough for tests, and the options that change what a step does;
# a function of the tasks where options depend on them.
OPTIONS = {
    "SourceOnly": {},
    "BatchNormOnly": {},
    "BatchNormOnly:batch": {"bn_mode": "batch"},
    "Tent": {},
    "TIPI": {"epsilon": 8.0, "seed": 0},
    "TIPI:entropy": {"entropy_weight": 1.0, "seed": 0},
    "TTT": {"hidden_dim": 8, "seed": 0},
    "TTT:batch": {"hidden_dim": 8, "update_statistics": False, "seed": 0},
    "TTTPlusPlus": {"projection_dim": 4, "queue_size": 16, "seed": 0},
    "TTTFlow": {"hidden_dim": 4, "num_blocks": 1, "seed": 0},
    "ClusT3": {"num_clusters": 3, "num_projectors": 2},
    "ClusT3:legacy_kl": {"num_clusters": 3, "legacy_kl": True},
    "ActMAD": {"image_size": (tiny.SIZE, tiny.SIZE)},
    "ActMAD:channels": {
        "image_size": (tiny.SIZE, tiny.SIZE),
        "spatial": False,
    },
    "NCTTT": {"projection_dim": 4, "seed": 0},
    "S4TImageRecon": {
        "latent_dim": 8,
        "synchronizer": tiny.SYNCHRONIZER,
        "target_weight": 1.0,
        "seed": 0,
    },
    "S4T": s4t(),
    "S4T:random": s4t(mask_strategy="random"),
    "S4T:hide_tasks": s4t(mask_strategy="hide_tasks"),
    "S4T:awl": s4t(target_balance="awl"),
    "S4T:encoder": s4t(update="encoder"),
    "S4T:batch_norm": s4t(update="batch_norm"),
    "ReplayS4T": replay(),
    "ReplayS4T:teacher": replay(replay_weight=0.0),
    "ReplayS4T:replay": replay(teacher_weight=0.0),
    "ReplayS4T:batch_norm": replay(update="batch_norm", restyles=False),
}
NAMES = list(OPTIONS)
PLAIN = [name for name in NAMES if ":" not in name]
# Others compile the source step of SourceOnly or S4T; that of TTTFlow is
# compiled in a test of its own.
OWN_SOURCE_LOSS = [
    name
    for name in PLAIN
    if name not in ("ReplayS4T", "TTTFlow")
    and "training" in methods.METHODS[name].needs_source
] + ["SourceOnly"]
# What a step may write of a method beside what it selects.
WRITTEN = ("seed", "queue", "teacher")
# An unbiased variance over the images of a batch takes two.
NOT_FOR_ONE_IMAGE = ("ActMAD",)


def make_method(name, task_list):
    """The method of a row of the table above."""
    options = OPTIONS[name]
    if callable(options):
        options = options(task_list)
    return methods.get(name.split(":")[0], **options)


def make_adapter(name, num_tasks=4, **kwargs):
    """A compiled adapter; what the method needs from the source is done."""
    task_list = tiny.make_tasks(num_tasks)
    network = tiny.make_network(task_list)
    adapter = keras_s4t.TargetAdapter(network, make_method(name, task_list))
    tiny.fill(adapter)
    method = adapter.method
    method.mark_done("training")
    if "statistics" in method.needs_source:
        source = tiny.make_arrays(8, seed=3, count=num_tasks)
        adapter.collect(keras_s4t.data.ArrayBatches(source, 4), verbose=0)
    adapter.compile(keras.optimizers.SGD(1e-2, momentum=0.9), **kwargs)
    return adapter


def all_variables(adapter):
    return (
        adapter.trainable_variables
        + adapter.non_trainable_variables
        + adapter.optimizer.variables
    )


def test_every_method_is_in_the_table():
    assert set(PLAIN) == set(methods.METHODS)


@pytest.mark.parametrize("name", PLAIN)
def test_a_method_says_where_it_is_from(name):
    module = sys.modules[methods.METHODS[name].__module__]
    assert module.__doc__.strip()


@pytest.mark.parametrize("name", NAMES)
def test_serializes(name):
    method = make_method(name, tiny.make_tasks())
    config = keras.saving.serialize_keras_object(method)
    clone = methods.get(config)
    assert type(clone) is type(method)
    assert clone.get_config() == method.get_config()
    assert methods.get(clone) is clone


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in PLAIN else pytest.mark.eager)
        for name in NAMES
    ],
)
def test_moves_what_it_selects_is_label_blind_and_resets(name):
    # Every method with all tasks on PyTorch; two compile faster.
    is_eager = keras.backend.backend() == "torch"
    num_tasks = 4 if name in PLAIN and is_eager else 2
    images, labels, masks = tiny.make_arrays(count=num_tasks)
    _, wrong_labels, wrong_masks = tiny.make_arrays(seed=1, count=num_tasks)
    adapter = make_adapter(name, num_tasks)
    network, method = adapter.network, adapter.method
    variables = all_variables(adapter)
    source = tiny.numpy_values(variables)
    expected = {id(v) for v in method.select(network)}
    if method.bn_mode == "update":
        reached = network.tapped_encoder.part(adapter.taps).variables
        moving = {id(v) for v in network.moving_statistics}
        expected |= {id(v) for v in reached} & moving
    # Slots, step counters and random states may move; no weight among them.
    may_move = {id(v) for v in adapter.optimizer.variables}
    may_move |= {
        id(variable)
        for variable in method.non_trainable_variables
        if any(word in variable.path for word in WRITTEN)
    }

    streams = [(images, labels, masks), (images, wrong_labels, wrong_masks)]
    if is_eager or name == "S4T":
        # Another step is compiled elsewhere.
        streams.append(images)
    outcomes = []
    for data in streams:
        stream = keras_s4t.data.online_stream(data, steps=2, batch_size=4)
        adapter.fit(stream, verbose=0)
        outcomes.append(tiny.numpy_values(variables))
        moved = tiny.moved(variables, source)
        assert not moved - expected - may_move
        assert not expected - moved
        adapter.reset()
        assert not tiny.moved(variables, source)

    for before, first, second, *third in zip(source, *outcomes, strict=True):
        np.testing.assert_array_equal(first, second)
        # That step rounds otherwise: without XLA's optimizations (conftest.py)
        # losses differ by one in a thousand.
        change = np.subtract(first, before, dtype="float64")
        atol = 1e-6 + 0.1 * np.abs(change).max()
        for values in third:
            np.testing.assert_allclose(first, values, rtol=1e-4, atol=atol)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "S4T" else pytest.mark.eager)
        for name in PLAIN
    ],
)
@pytest.mark.parametrize(
    "num_tasks", [1, pytest.param(3, marks=pytest.mark.eager)]
)
def test_any_number_of_tasks_and_a_batch_of_one(name, num_tasks):
    adapter = make_adapter(name, num_tasks)
    arrays = tiny.make_arrays(2, count=num_tasks)
    if name in NOT_FOR_ONE_IMAGE:
        stream = keras_s4t.data.online_stream(arrays, batch_size=1)
        with pytest.raises(ValueError, match="at least 2 images"):
            adapter.fit(stream, verbose=0)
        stream = keras_s4t.data.online_stream(arrays, batch_size=2)
    else:
        stream = keras_s4t.data.online_stream(arrays, batch_size=1)
    logs = adapter.fit(stream, verbose=0).history
    keys = {task.metric_key for task in adapter.tasks}
    assert set(logs) == {"loss", "skipped_steps", *keys}
    assert all(np.isfinite(values).all() for values in logs.values())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=[] if name in OWN_SOURCE_LOSS else pytest.mark.eager
        )
        for name in PLAIN
    ],
)
def test_source_step_is_finite_and_learns(name):
    task_list = tiny.make_tasks(2)
    method = make_method(name, task_list)
    trainer = keras_s4t.SourceTrainer(tiny.make_network(task_list), method)
    trainer.compile(keras.optimizers.Adam(1e-2))
    data = keras_s4t.data.ArrayBatches(tiny.make_arrays(count=2), 4)
    losses = trainer.fit(data, epochs=4, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    assert "training" not in method.missing


@pytest.mark.eager
@pytest.mark.parametrize("name", PLAIN)
def test_what_it_needs_from_the_source_is_enforced(name):
    task_list = tiny.make_tasks(2)
    cls = methods.METHODS[name]
    method = make_method(name, task_list)
    assert method.missing == cls.needs_source
    adapter = keras_s4t.TargetAdapter(tiny.make_network(task_list), method)
    adapter.compile(keras.optimizers.SGD(0.0))
    images, *_ = tiny.make_arrays(2)
    stream = keras_s4t.data.online_stream(images, batch_size=2)
    if not cls.needs_source:
        adapter.fit(stream, verbose=0)
        return
    with pytest.raises(ValueError, match=f"{name} must be prepared on the sou"):
        adapter.fit(stream, verbose=0)


def test_unknown_method_lists_the_valid_ones():
    with pytest.raises(ValueError, match="BatchNormOnly.*'TTA'"):
        methods.get("TTA")
