"""A configuration of recipes with the tiny network and random images."""

import zlib

import keras
import tensorflow as tf
import tiny

import keras_s4t

SOURCE = "tiny/source"
TARGETS = ("tiny/dusk", "tiny/dawn")
LOAD_OPTIONS = {}
NUM_TASKS = 2

# What a comparison takes that is over in seconds.
SETTINGS = {
    "seeds": (0, 1),
    "steps": 2,
    "batch_size": 4,
    "size": tiny.SIZE,
    "epochs": 1,
    "num_source": 8,
    "source_batch_size": 4,
    "num_target": 8,
    "num_statistics": 8,
    "num_tuning": 8,
    "factors": (1.0, 10.0),
    "severities": (3,),
    "timing_steps": (1, 2),
    "cache": None,
}


def make_tasks():
    """Two tasks."""
    return tiny.make_tasks(NUM_TASKS)


def make_network(seed=0):
    """The tiny network."""
    keras.utils.set_random_seed(seed)
    return tiny.make_network(make_tasks())


def make_method(name, size, seed=0):
    """A method by its name."""
    return keras_s4t.methods.get(name)


def make_trainer(network, method, num_steps, frozen_network=False):
    """A compiled trainer."""
    trainer = keras_s4t.SourceTrainer(
        network, method, frozen_network=frozen_network
    )
    trainer.compile(keras.optimizers.SGD(1e-2), metrics=None)
    return trainer


class Loader:
    """In the place of `keras_s4t.data.load`; keeps what it was asked for."""

    def __init__(self):
        self.names = []

    def __call__(
        self,
        name,
        split,
        tasks,
        batch_size=8,
        training=False,
        num_examples=8,
        seed=0,
        **options,
    ):
        self.names.append(name)
        number = zlib.crc32(f"{name} {split} {seed}".encode())
        arrays = tiny.make_arrays(num_examples, number, count=NUM_TASKS)
        dataset = tf.data.Dataset.from_tensor_slices(arrays)
        return dataset.batch(batch_size, drop_remainder=training)
