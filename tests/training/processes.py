"""Trains a tiny network in steps that devices or processes share.

    python tests/training/processes.py FOLDER

Every process writes what it ends with to `FOLDER`. The backend is that of
Keras, and how a step is shared is in `SHARES`: `one`, `mirrored`,
`data_parallel` or `processes`.
"""

import contextlib
import os
import pathlib
import sys

import keras
import numpy as np
import tiny

import keras_s4t

# Not those of a divisor: the last batch has shares of two sizes.
NUM_IMAGES, BATCH_SIZE = 11, 4
METHODS = ("Tent", "BatchNormOnly")


def main(folder):
    """Runs every stage and writes the values of all variables."""
    shares = os.environ["SHARES"]
    scope, rank = {
        "one": one,
        "mirrored": mirrored,
        "data_parallel": data_parallel,
        "processes": processes,
    }[shares]()
    results = {}
    with scope:
        for stage in os.environ["STAGES"].split():
            try:
                results |= run(stage, shares)
            except ValueError as error:
                results[f"{stage}/error"] = np.array(str(error))
    np.savez(pathlib.Path(folder) / f"{shares}_{rank}.npz", **results)


def one():
    """The whole batch on one device."""
    return contextlib.nullcontext(), 0


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
    assert len(keras.distribution.list_devices()) == 2
    return keras.distribution.DataParallel().scope(), 0


def processes():
    """Two processes of PyTorch."""
    import torch.distributed as dist

    dist.init_process_group("gloo")
    return contextlib.nullcontext(), dist.get_rank()


def run(stage, shares):
    """Three or four steps of a stage; the values that it ends with."""
    task_list = tiny.make_tasks(2)
    network = tiny.make_network(task_list)
    arrays = tiny.make_arrays(NUM_IMAGES, count=2)
    name = stage.removeprefix("train:")
    method = keras_s4t.methods.get(name)
    if stage.startswith("train:"):
        trainer = keras_s4t.SourceTrainer(network, method)
    else:
        trainer = keras_s4t.TargetAdapter(network, method)
    # Other weights in every process: those of the first must win.
    seed = 7
    if shares == "processes":
        import torch.distributed as dist

        seed += dist.get_rank()
    tiny.fill(trainer, seed)
    trainer.compile(keras.optimizers.SGD(0.05), jit_compile=False)
    batches = keras_s4t.data.ArrayBatches(arrays, BATCH_SIZE)
    if shares == "processes":
        batches = keras_s4t.data.share_of(batches, dist.get_rank(), 2)
    logs = trainer.fit(batches, verbose=0, shuffle=False).history
    values = tiny.numpy_values(trainer.variables)
    return {f"{stage}/{v.path}/{i}": x for i, (v, x) in enumerate(zip(trainer.variables, values))} | {
        f"{stage}/{k}": np.array(x[-1]) for k, x in logs.items()
    }


if __name__ == "__main__":
    main(sys.argv[1])
