"""S4T with a mean teacher and replayed source images."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops
from other_backend import run_under_other_backend

import keras_s4t
from keras_s4t.methods import S4T
from keras_s4t.methods import BatchNormOnly
from keras_s4t.methods import ReplayS4T

STILL = {"contrast": 0.0, "brightness": 0.0, "color": 0.0, "noise": 0.0}


def make_adapter(optimizer=None, source=None, **options):
    """An adapter of all tasks, prepared on the source."""
    task_list = tiny.make_tasks()
    s4t = tiny.make_s4t(task_list)
    network = tiny.make_network(task_list)
    tiny.fill(keras_s4t.TargetAdapter(network, s4t))
    options = {"memory_size": 4, "replay_batch_size": 3, "seed": 0, **options}
    method = ReplayS4T.from_trained(s4t, image_size=tiny.SIZE, **options)
    adapter = keras_s4t.TargetAdapter(network, method)
    source = source or tiny.make_arrays(4, seed=5)
    adapter.collect(keras_s4t.data.ArrayBatches(source, 2), verbose=0)
    adapter.compile(optimizer or keras.optimizers.SGD(1e-2), metrics=None)
    return adapter


def loss_of(adapter, images):
    return adapter.train_on_batch(images, return_dict=True)["loss"]


def weights(adapter):
    return tiny.numpy_values(adapter.network.trainable_variables)


def test_it_has_the_layers_of_what_was_trained():
    task_list = tiny.make_tasks()
    s4t = tiny.make_s4t(task_list, synchronizer_share=0.3)
    network = tiny.make_network(task_list)
    tiny.fill(keras_s4t.TargetAdapter(network, s4t))
    method = ReplayS4T.from_trained(s4t, image_size=tiny.SIZE)
    assert method.missing == ("statistics",)
    assert method.synchronizer_share["depth"] == 0.3
    pairs = zip(s4t.layers_of_source, method.layers_of_source, strict=True)
    for old, new in pairs:
        for a, b in zip(old.variables, new.variables, strict=True):
            assert a is not b
            first, second = tiny.numpy_values([a, b])
            np.testing.assert_array_equal(first, second)


@pytest.mark.eager
def test_replay_is_the_source_loss_of_stored_images():
    # One image, as it is: what is drawn does not matter.
    source = tiny.make_arrays(1, seed=5)
    adapter = make_adapter(
        source=source,
        memory_size=1,
        replay_batch_size=2,
        teacher_weight=0.0,
        replay_weight=0.5,
        restyles=False,
    )
    images, labels, masks = keras.tree.map_structure(
        lambda array: np.repeat(array, 2, axis=0), source
    )
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(), tiny.make_s4t(source_weights=(0.0, 0.0))
    )
    pairs = zip(
        trainer.network.variables, adapter.network.variables, strict=True
    )
    for new, old in pairs:
        new.assign(ops.copy(old.value))
    trainer.compile(keras.optimizers.SGD(0.0), metrics=None)
    logs = trainer.train_on_batch(
        np.rint(images), labels, masks, return_dict=True
    )
    target, *_ = tiny.make_arrays(2)
    # Labels are stored in float16.
    np.testing.assert_allclose(
        loss_of(adapter, target), 0.5 * logs["loss"], rtol=2e-3
    )


def test_stored_images_take_the_style_of_the_target():
    losses = {}
    for restyles in (False, True):
        adapter = make_adapter(teacher_weight=0.0, restyles=restyles)
        target = tiny.make_arrays(4)[0]
        losses[restyles] = [
            loss_of(adapter, images) for images in (target, 0.2 * target)
        ]
        if not restyles:
            adapter.reset()
            again = loss_of(adapter, 0.2 * target)
            np.testing.assert_allclose(again, losses[False][0], rtol=1e-4)
    assert not np.allclose(*losses.values(), rtol=1e-3)


def test_the_teacher_is_a_moving_average():
    adapter = make_adapter(
        teacher_momentum=0.75, jitter=STILL, replay_weight=0.0
    )
    images, *_ = tiny.make_arrays(4)
    expected = history = None
    for _ in range(3):
        before = weights(adapter)
        adapter.train_on_batch(images)
        # The first step takes the weights as they are.
        expected = [
            b if expected is None else 0.75 * e + 0.25 * b
            for b, e in zip(before, expected or before, strict=True)
        ]
        received = tiny.numpy_values(adapter.method.teacher.averages)
        for a, b in zip(received, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
        assert history is None or tiny.moved(
            adapter.network.trainable_variables, history
        )
        history = weights(adapter)
    adapter.reset()
    assert not tiny.numpy_values([adapter.method.teacher.num_steps])[0]


def test_the_teacher_is_the_mean_of_decoders_mirror_and_synchronizer():
    adapter = make_adapter(
        keras.optimizers.SGD(0.0),
        jitter=STILL,
        teacher_weight=1.0,
        replay_weight=0.0,
    )
    method, tasks = adapter.method, adapter.tasks
    images, *_ = tiny.make_arrays(4)
    loss = loss_of(adapter, images)
    network = adapter.network
    size = images.shape[1:3]
    # All with the statistics of the images, which the moving ones are not.
    features = network.encode(images, True)
    plain = network.decode(features, size, True)
    flipped = np.ascontiguousarray(images[:, :, ::-1])
    mirror = network.decode(network.encode(flipped, True), size, True)
    joint = method.synchronizer.unmasked(method.project(features))
    student = adapter.decode(adapter.encode(images), size)
    plain, mirror, joint, student = keras.tree.map_structure(
        ops.convert_to_numpy, (plain, mirror, joint, student)
    )
    mirror = {name: x[:, :, ::-1] for name, x in mirror.items()}
    if "normals" in mirror:
        mirror["normals"] = mirror["normals"] * np.float32([-1, 1, 1])

    def space(name, x):
        if name == "semseg":
            exps = np.exp(x - x.max(axis=-1, keepdims=True))
            return exps / exps.sum(axis=-1, keepdims=True)
        if name == "normals":
            norms = np.linalg.norm(x, axis=-1, keepdims=True)
            return x / np.maximum(norms, 1e-2)
        return x

    expected = 0.0
    for task in tasks:
        a, b, c = (
            space(task.name, x[task.name]) for x in (plain, mirror, joint)
        )
        first = (a + b) / 2
        if task.name == "normals":
            first = space("normals", first)
        mean = 0.5 * first + 0.5 * c
        target = np.log(mean + 1e-7) if task.name == "semseg" else mean
        expected += task.weight * float(
            task.divergence(student[task.name], target.astype("float32"))
        )
    np.testing.assert_allclose(loss, expected, rtol=1e-3)


@pytest.mark.eager
def test_without_a_learning_rate_it_is_batch_norm_only():
    adapter = make_adapter(keras.optimizers.SGD(0.0))
    control = adapter.source_copy(BatchNormOnly())
    control.compile(metrics=None)
    for seed in range(2):
        images, *_ = tiny.make_arrays(4, seed=seed)
        adapter.train_on_batch(images)
        control.train_on_batch(images)
    pairs = zip(
        adapter.network.variables, control.network.variables, strict=True
    )
    for a, b in pairs:
        first, second = tiny.numpy_values([a, b])
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


@pytest.mark.eager
@pytest.mark.slow
def test_goes_on_after_saving(tmp_path):
    adapter = make_adapter(keras.optimizers.Adam(1e-3))
    images, *_ = tiny.make_arrays(4)
    adapter.train_on_batch(images)
    adapter.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    for model in (adapter, loaded):
        model.train_on_batch(images)
    pairs = zip(adapter.variables, loaded.variables, strict=True)
    for a, b in pairs:
        np.testing.assert_array_equal(*tiny.numpy_values([a, b]))
    loaded.reset()
    adapter.reset()
    for a, b in zip(weights(adapter), weights(loaded), strict=True):
        np.testing.assert_array_equal(a, b)


SCRIPT = """
import sys
import keras
import numpy as np
import tiny
import keras_s4t
adapter = keras_s4t.TargetAdapter.from_preset(sys.argv[1])
memory = adapter.method.memory
np.savez(sys.argv[2], *tiny.numpy_values(memory.variables))
"""


@pytest.mark.eager
@pytest.mark.slow
def test_the_memory_survives_on_another_backend(tmp_path):
    adapter = make_adapter()
    adapter.save_to_preset(tmp_path / "preset")
    run_under_other_backend(SCRIPT, tmp_path / "preset", tmp_path / "m.npz")
    values = tiny.numpy_values(adapter.method.memory.variables)
    assert np.ptp(values[0]) > 100
    with np.load(tmp_path / "m.npz") as loaded:
        for i, value in enumerate(values):
            np.testing.assert_array_equal(loaded[f"arr_{i}"], value)


@pytest.mark.eager
def test_layers_may_be_frozen_afterwards():
    adapter = make_adapter()
    images, *_ = tiny.make_arrays(4)
    adapter.train_on_batch(images)
    adapter.network.decoder.trainable = False
    adapter.compile(keras.optimizers.SGD(1e-2), metrics=None)
    before = tiny.numpy_values(adapter.network.decoder.variables)
    adapter.train_on_batch(images)
    assert not tiny.moved(adapter.network.decoder.variables, before)


@pytest.mark.eager
def test_a_target_of_one_color_and_one_image():
    adapter = make_adapter()
    for images in (
        np.full((1, tiny.SIZE, tiny.SIZE, 3), 90, "float32"),
        np.zeros((3, tiny.SIZE, tiny.SIZE, 3), "uint8"),
    ):
        assert np.isfinite(loss_of(adapter, images))
    for value in weights(adapter):
        assert np.isfinite(value).all()


@pytest.mark.eager
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x, y, m: (x,), "must hold labels"),
        (lambda x, y, m: (x, {"depth": y["depth"]}), "labels of all tasks"),
        (lambda x, y, m: (x[:2], {k: v[:2] for k, v in y.items()}), "at least"),
        (lambda x, y, m: (x, {**y, "depth": y["depth"][:, :4]}), "shape"),
    ],
)
def test_sources_that_cannot_be_stored(change, text):
    adapter = make_adapter()
    before = tiny.numpy_values(adapter.method.variables)
    batch = change(*tiny.make_arrays(4))
    with pytest.raises(ValueError, match=text):
        adapter.collect([batch], verbose=0)
    assert not tiny.moved(adapter.method.variables, before)


@pytest.mark.eager
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"teacher_weight": -1.0}, "`teacher_weight`"),
        ({"replay_weight": float("inf")}, "`replay_weight`"),
        ({"teacher_momentum": 1.5}, "`teacher_momentum`"),
        ({"teacher_weight": 0.0, "replay_weight": 0.0}, "must be positive"),
        ({"replay_batch_size": 0}, "`replay_batch_size`"),
        ({"update": "all"}, "`update` must be one of"),
        ({"synchronizer_share": 2.0}, "`synchronizer_share`"),
        ({"synchronizer_share": {"depth": 0.5}}, "`synchronizer_share`"),
        ({"memory_size": 0}, "`size`"),
    ],
)
def test_bad_options(options, text):
    with pytest.raises(ValueError, match=text):
        make_adapter(**options)


@pytest.mark.eager
def test_it_takes_all_tasks_of_the_network():
    method = ReplayS4T(tiny.make_tasks(2), image_size=tiny.SIZE)
    with pytest.raises(ValueError, match="must be all"):
        keras_s4t.TargetAdapter(tiny.make_network(), method)


@pytest.mark.eager
def test_it_is_made_of_what_was_trained():
    s4t = S4T(tiny.make_tasks(), synchronizer=tiny.SYNCHRONIZER, latent_dim=4)
    keras_s4t.TargetAdapter(tiny.make_network(), s4t)
    method = ReplayS4T.from_trained(s4t, image_size=tiny.SIZE)
    assert method.missing == ("training", "statistics")


@pytest.mark.eager
@pytest.mark.slow
def test_the_live_adapter_runs_it(tmp_path):
    adapter = make_adapter()
    before = weights(adapter)
    images, *_ = tiny.make_arrays(4, size=(32, 32))
    with keras_s4t.live.LiveAdapter(adapter, window=2, adapt_every=2) as live:
        for image in images:
            values = live(image)
        live.save(tmp_path / "live")
    assert values["semseg"].shape == (32, 32)
    assert tiny.moved(adapter.network.trainable_variables, before)
    loaded = keras_s4t.live.LiveAdapter.load(tmp_path / "live")
    memory = adapter.method.memory.variables
    copied = loaded.adapter.method.memory.variables
    for a, b in zip(memory, copied, strict=True):
        np.testing.assert_array_equal(*tiny.numpy_values([a, b]))
