"""What makes a step fast: traced once, and never waiting for the host."""

import collections
import contextlib
import functools
import logging
import traceback
import types

import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t
from keras_s4t import callbacks
from keras_s4t.state.snapshot import Snapshot

BACKEND = keras.backend.backend()
traced = pytest.mark.skipif(
    BACKEND == "torch", reason="PyTorch runs every step eagerly"
)
on_jax = pytest.mark.skipif(BACKEND != "jax", reason="a property of JAX")
# Operations of PyTorch after which the host waits for the device.
WAITS = {
    "_local_scalar_dense",
    "_unique2",
    "bincount",
    "equal",
    "masked_select",
    "nonzero",
    "repeat_interleave",
}
# Keras's own: for the seed of a generator, the learning rate of SGD, and the
# repeats in `segment_sum`, which counts for the mIoU.
KERAS_WAITS = {
    # Of a condition on the CPU, which is there.
    ("_local_scalar_dense", "backend/torch.py"),
    ("_local_scalar_dense", "torch/random.py"),
    ("_local_scalar_dense", "optimizers/torch_sgd.py"),
    ("repeat_interleave", "torch/math.py"),
}


def device_batch():
    batch = tiny.make_batches()[0]
    return keras.tree.map_structure(ops.convert_to_tensor, batch)


# === Tracing and reading, over everything that one does with an adapter ===


@contextlib.contextmanager
def host_reads():
    """Collects the shapes of all tensors that become NumPy arrays."""
    shapes = []

    def recorded(fn):
        def read(x, *args, **kwargs):
            if ops.is_tensor(x) or isinstance(x, keras.Variable):
                shapes.append(tuple(x.shape))
            return fn(x, *args, **kwargs)

        return read

    with pytest.MonkeyPatch.context() as patch:
        for name in ("array", "asarray"):
            patch.setattr(np, name, recorded(getattr(np, name)))
        cls = type(ops.zeros(()))
        for name in ("numpy", "cpu", "tolist", "item"):
            if hasattr(cls, name):
                patch.setattr(cls, name, recorded(getattr(cls, name)))
        yield shapes


@contextlib.contextmanager
def compilations():
    """Collects what JAX says that it compiles."""
    messages = []
    if BACKEND != "jax":
        yield messages
        return
    import jax

    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logging.getLogger("jax").addHandler(handler)
    with jax.log_compiles():
        yield messages
    logging.getLogger("jax").removeHandler(handler)
    messages[:] = [m for m in messages if m.startswith("Compiling")]


@contextlib.contextmanager
def calls(*methods):
    """Counts the calls, traces where there are any, of `(class, name)`."""
    counts = collections.Counter()

    def counted(name, fn):
        @functools.wraps(fn)
        def call(*args, **kwargs):
            counts[name] += 1
            return fn(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for cls, name in methods:
            patch.setattr(cls, name, counted(name, getattr(cls, name)))
        yield counts


def use(adapter):
    """Adapts plainly and with every callback, and evaluates."""
    target = tiny.make_batches()
    for used in (
        [],
        [callbacks.AdaptationCurve(target)],
        [callbacks.OnlineCurve(target, 2), callbacks.ResetToSource(2)],
    ):
        stream = keras_s4t.data.online_stream(target, 2)
        adapter.fit(stream, callbacks=used, verbose=0)
        adapter.reset()
    adapter.evaluate(target, verbose=0)


@pytest.fixture(scope="module")
def record():
    """What happened while an adapter was used twice."""
    runs = []
    with calls(
        (keras_s4t.methods.S4T, "target_loss"),
        (keras_s4t.models.MultiTaskModel, "encode"),
        (keras_s4t.TargetAdapter, "train_step"),
        (keras_s4t.TargetAdapter, "test_step"),
    ) as counts:
        adapter = tiny.make_adapter()
        for _ in range(1 if BACKEND == "torch" else 2):
            with compilations() as compiled, host_reads() as shapes:
                use(adapter)
            runs.append((compiled, shapes))
    compiled, shapes = zip(*runs, strict=True)
    return types.SimpleNamespace(
        adapter=adapter,
        traces=dict(counts),
        compiled=compiled,
        host_reads=sum(shapes, []),
    )


@traced
def test_everything_is_traced_once(record):
    steps = {"train_step": 1, "test_step": 1}
    # A train step encodes to adapt, and then to predict for the metrics.
    assert record.traces == {"target_loss": 1, "encode": 3, **steps}


@on_jax
def test_jax_compiles_nothing_the_second_time(record):
    first, second = record.compiled
    assert any("train_step" in message for message in first)
    assert not second


def test_only_metrics_come_to_the_host(record):
    assert set(record.host_reads) == {()}
    variable = record.adapter.trainable_variables[0]
    with host_reads() as shapes:
        ops.convert_to_numpy(variable)
    assert tuple(variable.shape) in shapes


# === One step ===


class ThroughPython(keras_s4t.methods.SourceOnly):
    """A method that leaves the device in the middle of a step."""

    def target_loss(self, adapter, images, features):
        loss = ops.mean(features["P3"])
        if BACKEND == "torch":
            return ops.convert_to_tensor(float(loss))
        if BACKEND == "jax":
            import jax

            return jax.pure_callback(np.asarray, loss, loss)
        import tensorflow as tf

        loss = tf.numpy_function(np.asarray, [loss], "float32")
        return tf.ensure_shape(loss, ())


def jax_state(adapter):
    groups = (
        adapter.trainable_variables,
        adapter.non_trainable_variables,
        adapter.optimizer.variables,
        adapter.metrics_variables,
    )
    return tuple([v.value for v in group] for group in groups)


def waits_of_jax(adapter):
    import jax

    program = jax.make_jaxpr(adapter.train_step)
    return (
        {"callback"}
        if "callback" in str(program(jax_state(adapter), device_batch()))
        else set()
    )


def waits_of_tensorflow(adapter):
    import tensorflow as tf

    step = tf.function(adapter.train_step)
    graph = step.get_concrete_function(device_batch()).graph.as_graph_def()
    nodes = [
        *graph.node,
        *(n for f in graph.library.function for n in f.node_def),
    ]
    return {node.op for node in nodes if "PyFunc" in node.op}


def waits_of_torch(adapter):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    found = set()

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, fn, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            name = fn.overloadpacket.__name__
            by_mask = name in ("index", "index_put", "index_put_") and any(
                x is not None and x.dtype == torch.bool for x in args[1]
            )
            moves = name == "_to_copy" and kwargs.get(
                "device", args[0].device
            ) not in (None, args[0].device)
            if name in WAITS or by_mask or moves:
                files = [frame.filename for frame in traceback.extract_stack()]
                *_, file = (f for f in files[:-1] if "/torch/_" not in f)
                found.add((name, "/".join(file.split("/")[-2:])))
            return fn(*args, **kwargs)

    batch = device_batch()
    adapter.train_step(batch)
    with Recorder(), host_reads() as shapes:
        adapter.train_step(batch)
    return (found - KERAS_WAITS) | set(shapes)


@pytest.mark.parametrize("method", [None, ThroughPython])
def test_a_step_never_waits_for_the_host(method):
    waits = dict(
        jax=waits_of_jax, tensorflow=waits_of_tensorflow, torch=waits_of_torch
    )[BACKEND]
    found = waits(tiny.make_adapter(method and method()))
    assert bool(found) == (method is ThroughPython), found


@on_jax
def test_jax_updates_in_place_and_copies_nothing_from_the_host(record):
    import jax

    adapter = record.adapter
    state, batch = jax_state(adapter), device_batch()
    _, new_state = adapter.train_function(state, iter([batch]))
    assert all(value.is_deleted() for value in sum(state, []))
    assert not any(value.is_deleted() for value in sum(new_state, []))
    with jax.transfer_guard("disallow"):
        _, state = adapter.train_function(new_state, iter([batch]))
        with pytest.raises(Exception, match="Disallowed host-to-device"):
            adapter.train_function(state, iter([tiny.make_batches()[0]]))
    with jax.transfer_guard("disallow_explicit"):
        adapter.reset()
        Snapshot(adapter.variables).restore()
