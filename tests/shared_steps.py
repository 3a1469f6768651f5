"""Training and adaptation in steps that devices or processes share.

    SHARES=... python tests/shared_steps.py FOLDER STAGE ...

Every process writes what each stage ends with to `FOLDER`. `SHARES` is one of
`mirrored` (TensorFlow), `data_parallel` (JAX) and `processes` (PyTorch, started
by `torchrun`); the tests themselves compute the stages on `one` device.
"""

import contextlib
import os
import pathlib
import sys

import keras
import numpy as np
import tiny

import keras_s4t
from keras_s4t.state.snapshot import Snapshot

JIT = "auto" if keras.backend.backend() == "jax" else False
# Three steps. Without `even`, the last batch has shares of different sizes.
NUM_IMAGES, BATCH_SIZE = {"even": 12, "uneven": 11, "nan": 11}, 4


def main(folder, *stages):
    """Runs stages and writes the values of all variables."""
    shares = os.environ["SHARES"]
    scope, rank = {
        "mirrored": mirrored,
        "data_parallel": data_parallel,
        "processes": processes,
    }[shares]()
    os.environ["FOLDER"] = folder
    results = {}
    with scope:
        for stage in stages:
            try:
                values, logs = run(stage, rank)
            except ValueError as error:
                results[f"{stage} error"] = np.array(str(error))
                continue
            results |= {f"{stage} {i}": x for i, x in enumerate(values)}
            results |= {f"{stage} {k}": x for k, x in logs.items()}
    np.savez(pathlib.Path(folder) / f"{rank}.npz", **results)


def mirrored():
    """Two devices of TensorFlow."""
    import tensorflow as tf

    (device,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        device, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope(), 0


def data_parallel():
    """Two devices of JAX."""
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    assert len(keras.distribution.list_devices()) == 2
    return keras.distribution.DataParallel().scope(), 0


def processes():
    """One of two processes of PyTorch."""
    import torch.distributed as dist

    dist.init_process_group("gloo")
    return contextlib.nullcontext(), dist.get_rank()


def barrier(rank):
    """Waits for the other processes, if there are any."""
    if rank is not None and os.environ.get("SHARES") == "processes":
        import torch.distributed as dist

        dist.barrier()


def run(stage, rank=None):
    """Three steps of a stage.

    Args:
        stage: string, such as `"train SourceOnly uneven"`.
        rank: Which process of two this is; `None` if it is the only one.

    Returns:
        The values of all variables, a list, and the logs, a dict.
    """
    verb, name, images = stage.split()
    shares = os.environ.get("SHARES") == "processes" and rank is not None
    keras.utils.set_random_seed(0)
    task_list = tiny.make_tasks(2)
    network = tiny.make_network(task_list)
    if name == "S4T":
        method = tiny.make_s4t(task_list)
    else:
        method = keras_s4t.methods.get(name)
    trains = verb != "adapt"
    kind = keras_s4t.SourceTrainer if trains else keras_s4t.TargetAdapter
    trainer = kind(network, method)
    # Weights of its own in every process: those of the first must win.
    tiny.fill(trainer, 7 + (rank or 0))
    trainer.compile(keras.optimizers.SGD(0.05), jit_compile=JIT)
    count = NUM_IMAGES[images]
    arrays = tiny.make_arrays(count, count=2)
    if images == "nan":
        # In the second step, and in the share of the second process.
        arrays[1]["depth"][7], arrays[2]["depth"][7] = np.nan, 1
    batches = keras_s4t.data.ArrayBatches(arrays, BATCH_SIZE)
    steps = None
    if shares:
        batches = keras_s4t.data.share_of(batches, rank, 2)
        steps = 3 - rank if verb == "disagree" else None
    if verb == "resume":
        return resumed(trainer, batches, rank)
    history = trainer.fit(
        batches, verbose=0, shuffle=False, steps_per_epoch=steps
    ).history
    logs = {name: np.array(values[-1]) for name, values in history.items()}
    return tiny.numpy_values(trainer.variables), logs


def resumed(trainer, batches, rank):
    """Two epochs, the second in a training that goes on; exactly as in one."""
    from shared.training_state import TrainingState
    from shared.training_state import fit

    before = Snapshot([*trainer.variables, *trainer.optimizer.variables])
    path = pathlib.Path(os.environ["FOLDER"]) / "state.weights.h5"
    state = TrainingState(path, 3, writes=not rank)

    def train(epochs):
        fit(
            trainer,
            state,
            epochs,
            lambda **_: batches,
            verbose=0,
            shuffle=False,
        )
        return tiny.numpy_values(trainer.variables)

    trainer.fit(batches, epochs=2, verbose=0, shuffle=False)
    expected = tiny.numpy_values(trainer.variables)
    before.restore()
    train(1)
    barrier(rank)
    # What a new process begins with.
    tiny.fill(trainer, 3)
    values = train(2)
    for one, other in zip(values, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    return values, {"files": np.array(len(list(path.parent.glob("state*"))))}


if __name__ == "__main__":
    main(*sys.argv[1:])
