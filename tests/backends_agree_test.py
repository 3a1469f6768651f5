"""The three backends give the same losses, weights and curves.

One deterministic run, its weights, data and masks from NumPy, is compared with
the numbers in `golden/backends_agree.json`. They were written by one backend
(`python tests/backends_agree_test.py`); all three must reproduce them.
"""

import json
import pathlib

import keras
import numpy as np
import tiny

import keras_s4t
from keras_s4t import callbacks
from keras_s4t import data
from keras_s4t.methods.s4t import RandomMasking

GOLDEN = pathlib.Path(__file__).parent / "golden" / "backends_agree.json"
TOLERANCE = 1e-4


class InjectedMasking(RandomMasking):
    """The same noise at every draw, from NumPy."""

    def draw(self, shape):
        rng = np.random.default_rng(5)
        # Batches of the run have four images.
        noise = rng.uniform(size=(4, *shape[1:])).astype("float32")
        return keras.ops.convert_to_tensor(noise)


def with_injected_mask(method):
    """Replaces the masks of S4T's synchronizer."""
    config = method.synchronizer.masking.get_config()
    method.synchronizer.masking = InjectedMasking.from_config(config)
    return method


def summary(variables):
    """Mean and mean magnitude of every variable, sorted by its path."""
    return {
        f"{variable.path}:{i}": [float(value.mean()), float(abs(value).mean())]
        for i, (variable, value) in enumerate(
            zip(variables, tiny.numpy_values(variables), strict=True)
        )
        if "seed" not in variable.path
    }


def run():
    """Source training, then three ways to adapt; returns all numbers."""
    task_list = tiny.make_tasks(4)
    network = tiny.make_network(task_list)
    method = with_injected_mask(tiny.make_s4t(task_list))
    trainer = keras_s4t.SourceTrainer(network, method)
    tiny.fill(trainer)
    trainer.compile(keras.optimizers.Adam(1e-3))
    source = data.ArrayBatches(tiny.make_arrays(8, seed=1, count=4), 4)
    history = trainer.fit(source, epochs=2, shuffle=False, verbose=0).history
    assert history.pop("skipped_steps") == [0, 0]
    numbers = {
        "source": history,
        "source_weights": summary(network.variables),
    }
    target = tiny.make_arrays(8, seed=2, count=4)
    held_out = data.ArrayBatches(tiny.make_arrays(4, seed=3, count=4), 4)
    for name, adapted in {
        "S4T": method,
        "BatchNormOnly": keras_s4t.methods.BatchNormOnly(),
        "BatchNormOnly, batch": keras_s4t.methods.BatchNormOnly("batch"),
    }.items():
        adapter = keras_s4t.TargetAdapter(network, adapted)
        adapter.compile(keras.optimizers.SGD(1e-3, momentum=0.9))
        curve = callbacks.AdaptationCurve(held_out, every=2)
        stream = data.online_stream(target[0], steps=2, batch_size=4)
        history = adapter.fit(stream, callbacks=[curve], verbose=0).history
        assert history.pop("skipped_steps") == [0]
        numbers[name] = {
            "history": history,
            "points": curve.points,
            "weights": summary(network.variables),
        }
        adapter.reset()
    return numbers


def flatten(tree, path=""):
    """Yields `(path, number)` of nested dicts and lists."""
    items = enumerate(tree) if isinstance(tree, list) else tree.items()
    for key, value in items:
        here = f"{path}/{key}"
        if isinstance(value, (dict, list)):
            yield from flatten(value, here)
        else:
            yield here, value


def without_numbering(path):
    """Layer names carry a counter of all layers made in the process."""
    return "".join(c for c in path if not c.isdigit())


def test_the_backends_agree():
    golden = list(flatten(json.loads(GOLDEN.read_text())))
    numbers = list(flatten(run()))
    assert len(golden) == len(numbers)
    for (path, expected), (here, value) in zip(golden, numbers, strict=True):
        assert without_numbering(path) == without_numbering(here)
        assert abs(value - expected) <= TOLERANCE * max(1, abs(expected)), (
            f"{here}: {value}, golden {expected}"
        )


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(run(), indent=1) + "\n")
