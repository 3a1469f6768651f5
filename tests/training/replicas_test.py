"""Several replicas move the weights as far as one (TensorFlow)."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tiny

import keras_s4t

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a feature of TensorFlow"
)


def run(strategy, trains):
    import tensorflow as tf

    images, labels, masks = tiny.make_arrays(2, count=2)
    # Identical halves, so that the mean over replicas is what one computes.
    count = 1 if strategy is None else strategy.num_replicas_in_sync
    arrays = keras.tree.map_structure(
        lambda x: np.tile(x, (count,) + (1,) * (x.ndim - 1)),
        (images, labels, masks),
    )
    scope = strategy or tf.distribute.get_strategy()
    with scope.scope():
        task_list = tiny.make_tasks(2)
        network = tiny.make_network(task_list)
        tiny.fill(network)
        if trains:
            trainer = keras_s4t.SourceTrainer(
                network, keras_s4t.methods.SourceOnly()
            )
        else:
            method = keras_s4t.methods.Tent()
            trainer = keras_s4t.TargetAdapter(network, method)
        trainer.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    dataset = tf.data.Dataset.from_tensor_slices(arrays).batch(2 * count)
    before = tiny.numpy_values(trainer.network.trainable_variables)
    loss = trainer.fit(dataset, verbose=0).history["loss"][0]
    after = tiny.numpy_values(trainer.network.trainable_variables)
    evaluated = trainer.evaluate(dataset, verbose=0, return_dict=True)["loss"]
    return loss, evaluated, [b - a for a, b in zip(before, after, strict=True)]


def main():
    """Compares one replica with two. In a process with two devices."""
    import tensorflow as tf

    (device,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        device, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for trains in (True, False):
        loss, evaluated, moves = run(None, trains)
        many_loss, many_evaluated, many_moves = run(strategy, trains)
        assert many_loss == pytest.approx(loss, rel=1e-4)
        assert many_evaluated == pytest.approx(evaluated, rel=1e-3)
        assert max(np.abs(move).max() for move in moves) > 1e-3
        for one, many in zip(moves, many_moves, strict=True):
            np.testing.assert_allclose(many, one, rtol=1e-3, atol=1e-5)
    print("equal")


def test_two_replicas_move_as_far_as_one():
    result = subprocess.run(
        [sys.executable, "-c", "import replicas_test; replicas_test.main()"],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(pathlib.Path(__file__).parent), *filter(None, sys.path)]
            ),
        },
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert "equal" in result.stdout
