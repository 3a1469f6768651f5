"""A tiny network, its tasks and its data: what most tests work on."""

import keras
import numpy as np
from keras import layers

import keras_s4t
from keras_s4t import tasks

NUM_CLASSES = 4
SIZE = 16
SYNCHRONIZER = {
    "image_size": SIZE,
    "patch_size": 4,
    "hidden_dim": 8,
    "num_heads": 2,
    "num_layers": 1,
    "num_decoder_layers": 1,
}


@keras.saving.register_keras_serializable("tests")
class TinyBackbone(keras.Model):
    """Two convolutions with batch norm; levels at strides 2 and 4."""

    def __init__(self, filters=6, **kwargs):
        inputs = keras.Input((None, None, 3))
        outputs, x = {}, inputs
        for level, width in (("P2", filters), ("P3", 2 * filters)):
            x = layers.Conv2D(
                width, 3, strides=2, padding="same", use_bias=False
            )(x)
            x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
            x = layers.ReLU()(x)
            outputs[level] = x
        super().__init__(inputs=inputs, outputs=x, **kwargs)
        self.filters = filters
        self.pyramid_outputs = outputs

    def get_config(self):
        return {"filters": self.filters, "name": self.name}


# Compiled backends compile a decoder and a loss for each task; what all four
# compute there is in `backends_agree_test.py` and the tests of each loss.
NUM_TASKS = 4 if keras.backend.backend() == "torch" else 2


def make_tasks(count=NUM_TASKS):
    """The first `count` of the four tasks."""
    return [
        tasks.semseg(NUM_CLASSES),
        tasks.depth(),
        tasks.normals(),
        tasks.edge(loss="mse", weight=2.0),
    ][:count]


def make_network(task_list=None):
    """A network of random weights."""
    return keras_s4t.models.MultiTaskModel(
        TinyBackbone(), task_list or make_tasks()
    )


def make_s4t(task_list=None, **kwargs):
    """S4T small enough for tests, and as if trained."""
    options = dict(
        latent_dim=4,
        synchronizer=SYNCHRONIZER,
        mask_ratio=0.5,
        target_weight=1.0,
        seed=0,
    )
    method = keras_s4t.methods.S4T(
        task_list or make_tasks(), **{**options, **kwargs}
    )
    mark_done(method)
    return method


def make_arrays(num_images=8, seed=0, size=(SIZE, SIZE), count=NUM_TASKS):
    """Random `(images, labels, masks)`, some pixels without a label."""
    rng = np.random.default_rng(seed)
    shape = (num_images, *size)
    normals = rng.normal(size=(*shape, 3))
    labels = {
        "semseg": rng.integers(0, NUM_CLASSES, shape).astype("int32"),
        "depth": rng.uniform(1, 5, (*shape, 1)).astype("float32"),
        "normals": (
            normals / np.linalg.norm(normals, axis=-1, keepdims=True)
        ).astype("float32"),
        "edge": rng.uniform(size=(*shape, 1)).astype("float32"),
    }
    labels["semseg"][rng.uniform(size=shape) < 0.1] = 255
    # Images do not depend on the number of tasks.
    masks = {
        name: (rng.uniform(size=(*shape, 1)) < 0.9).astype("float32")
        for name in labels
    }
    images = rng.uniform(0, 255, (*shape, 3)).astype("float32")
    names = [task.name for task in make_tasks(count)]
    labels, masks = ({k: x[k] for k in names} for x in (labels, masks))
    return images, labels, masks


def fill(model, seed=7):
    """Gives every weight a value that no backend's initializer decides."""
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables + model.non_trainable_variables:
        if "seed" in variable.path or "float" not in str(variable.dtype):
            continue
        values = 0.2 * rng.normal(size=variable.shape)
        if "variance" in variable.path or "gamma" in variable.path:
            values = 1 + np.abs(values)
        variable.assign(values.astype("float32"))


def make_adapter(method=None):
    """A compiled adapter of two tasks, of S4T unless told otherwise."""
    task_list = make_tasks(2)
    adapter = keras_s4t.TargetAdapter(
        make_network(task_list), method or make_s4t(task_list)
    )
    fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2))
    return adapter


def mark_done(method):
    """As if everything it needs had been done on the source."""
    for need in method.needs_source:
        method.mark_done(need)


def make_batches():
    """Two labeled batches for it."""
    return keras_s4t.data.ArrayBatches(make_arrays(8, count=2), 4)


def numpy_values(variables):
    """NumPy copies of variables."""
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def moved(variables, before):
    """The ids of the variables that are not what they were."""
    return {
        id(variable)
        for variable, old, new in zip(
            variables, before, numpy_values(variables), strict=True
        )
        if not np.array_equal(old, new)
    }
