"""Whatever is given: a `ValueError`, or finite weights and an exact reset."""

import os
import warnings

import keras
import numpy as np
import pytest
import tiny

import keras_s4t

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="PyTorch compiles nothing for a new shape",
)
# `FUZZ_EXAMPLES=5000 pytest tests/fuzz_test.py` looks further.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 120))
NUM_TASKS = 2
METHODS = ("SourceOnly", "BatchNormOnly", "Tent", "TIPI", "ActMAD", "S4T")
CALLS = ("fit", "adapt", "evaluate", "predict", "collect", "reset", "save")


@st.composite
def images(draw):
    count = draw(st.integers(0, 5))
    sizes = st.sampled_from([1, 2, 4, 15, 16, 24])
    shape = (count, draw(sizes), draw(sizes), draw(st.sampled_from([3, 3, 1])))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    low, high = draw(
        st.sampled_from([(0, 255), (0, 1), (-2, 2), (7, 7), (-1e30, 1e30)])
    )
    values = rng.uniform(low, high, shape)
    dtype = draw(
        st.sampled_from(["float32", "float32", "uint8", "float64", "int32"])
    )
    if dtype in ("uint8", "int32"):
        values = np.clip(values, 0, 255)
    values = values.astype(dtype)
    bad = draw(st.sampled_from([None, None, np.nan, np.inf]))
    if bad is not None and values.size and dtype.startswith("float"):
        values.flat[draw(st.integers(0, values.size - 1))] = bad
    return values


@st.composite
def batches(draw):
    data = draw(images())
    if draw(st.booleans()):
        return data
    size = data.shape[1:3]
    count = draw(st.sampled_from([len(data), len(data), 1]))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    highest = draw(st.sampled_from([tiny.NUM_CLASSES, 9]))
    labels = {
        "semseg": rng.integers(0, highest, (count, *size)),
        "depth": rng.uniform(-1, 5, (count, *size, 1)).astype("float32"),
    }
    if draw(st.booleans()):
        labels["semseg"][:] = 255
        labels["depth"][:] = np.nan
    if draw(st.integers(0, 5)) == 0:
        labels.pop("depth")
    if draw(st.booleans()):
        return data, labels
    low = draw(st.sampled_from([0, 0, -1]))
    masks = {
        name: rng.integers(low, 2, (count, *size, 1)).astype("float32")
        for name in labels
    }
    return data, labels, masks


def make_adapter(name):
    task_list = tiny.make_tasks(NUM_TASKS)
    if name == "S4T":
        method = tiny.make_s4t(task_list)
    elif name == "ActMAD":
        method = keras_s4t.methods.ActMAD((tiny.SIZE, tiny.SIZE))
    else:
        method = keras_s4t.methods.get(name)
    keras.utils.set_random_seed(0)
    adapter = keras_s4t.TargetAdapter(tiny.make_network(task_list), method)
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2, momentum=0.9))
    if name == "ActMAD":
        source, *_ = tiny.make_arrays(4, count=NUM_TASKS)
        adapter.collect([source], verbose=0)
    return adapter


def call(adapter, name, data, batch_size, path):
    """Calls the adapter; returns it, or one that was saved and loaded."""
    only_images = data[0] if isinstance(data, tuple) else data
    if name == "fit":
        stream = keras_s4t.data.online_stream(data, batch_size=batch_size)
        adapter.fit(stream, verbose=0)
    elif name == "evaluate":
        stream = keras_s4t.data.ArrayBatches(data, batch_size)
        adapter.evaluate(stream, verbose=0)
    elif name == "adapt":
        adapter.adapt(only_images)
    elif name == "predict":
        adapter.predict(only_images, batch_size=batch_size, verbose=0)
    elif name == "collect":
        adapter.collect([only_images], verbose=0)
    elif name == "reset":
        adapter.reset()
    elif name == "save":
        adapter.save(path)
        return keras.saving.load_model(path)
    return adapter


def settings(examples):
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def is_finite(variables):
    return all(np.isfinite(x).all() for x in tiny.numpy_values(variables))


@settings(EXAMPLES)
@hypothesis.given(
    name=st.sampled_from(METHODS),
    steps=st.lists(
        st.tuples(st.sampled_from(CALLS), batches(), st.integers(0, 4)),
        min_size=1,
        max_size=4,
    ),
)
def test_an_error_or_finite_weights_and_an_exact_reset(tmp_path, name, steps):
    adapter = make_adapter(name)
    source = tiny.numpy_values(adapter.network.variables)
    for step, data, batch_size in steps:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                adapter = call(
                    adapter, step, data, batch_size, tmp_path / "adapter.keras"
                )
            except ValueError as error:
                assert str(error)
        assert is_finite(adapter.variables), step
    adapter.reset()
    assert not tiny.moved(adapter.network.variables, source)


@settings(EXAMPLES // 4)
@hypothesis.given(
    name=st.sampled_from(("SourceOnly", "S4T")),
    rate=st.sampled_from([1e-3, 1e3, 1e20]),
    steps=st.lists(
        st.tuples(batches(), st.integers(0, 4)), min_size=1, max_size=3
    ),
)
def test_an_error_or_finite_weights_in_source_training(name, rate, steps):
    task_list = tiny.make_tasks(NUM_TASKS)
    method = keras_s4t.methods.SourceOnly()
    if name == "S4T":
        method = tiny.make_s4t(task_list)
    trainer = keras_s4t.SourceTrainer(tiny.make_network(task_list), method)
    trainer.compile(keras.optimizers.SGD(rate))
    for data, batch_size in steps:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                trainer.fit(
                    keras_s4t.data.ArrayBatches(data, batch_size), verbose=0
                )
            except ValueError as error:
                assert str(error)
        assert is_finite(trainer.variables)
