import functools

import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_s4t import tasks
from keras_s4t.models import MultiTaskModel

NUM_OUTPUTS = {"semseg": 4, "depth": 1, "normals": 3, "edge": 1}


@functools.cache
def network():
    """One network for all tests; none of them changes it."""
    network = tiny.make_network(tiny.make_tasks(4))
    tiny.fill(network)
    return network


def to_numpy(outputs):
    return {k: ops.convert_to_numpy(v) for k, v in outputs.items()}


def make_images(size=(16, 16)):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, *size, 3)).astype("uint8")


@pytest.mark.parametrize("size", [(16, 16), (18, 22)])
def test_outputs_have_the_size_of_the_images(size):
    outputs = to_numpy(network()(make_images(size)))
    assert list(outputs) == list(NUM_OUTPUTS)
    for name, output in outputs.items():
        assert output.shape == (2, *size, NUM_OUTPUTS[name])
        assert output.dtype == "float32" and np.isfinite(output).all()


def test_symbolic_outputs():
    inputs = keras.KerasTensor((None, 16, 16, 3))
    outputs = network()(inputs)
    for name, output in outputs.items():
        assert output.shape == (None, 16, 16, NUM_OUTPUTS[name])


def test_integer_images_equal_float_ones():
    images = make_images()
    from_integers = to_numpy(network()(images))
    from_floats = to_numpy(network()(images.astype("float32")))
    predicted = network().predict(images, verbose=0)
    for name in NUM_OUTPUTS:
        np.testing.assert_array_equal(from_integers[name], from_floats[name])
        np.testing.assert_allclose(
            predicted[name], from_floats[name], rtol=1e-4, atol=1e-4
        )


def test_images_are_normalized_by_mean_and_std():
    model = MultiTaskModel(
        tiny.TinyBackbone(),
        [tasks.depth()],
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 1.0, 2.0),
    )
    images = make_images()
    normalized = ops.convert_to_numpy(model.normalization(images))
    expected = (images / 255 - [0.1, 0.2, 0.3]) / [0.5, 1.0, 2.0]
    np.testing.assert_allclose(normalized, expected, atol=1e-5)
    default = ops.convert_to_numpy(network().normalization(images))
    expected = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(default, expected, atol=1e-5)


def test_call_is_encode_then_decode():
    images = make_images()
    features = network().encode(images)
    assert {k: tuple(v.shape) for k, v in features.items()} == {
        "P2": (2, 8, 8, 6),
        "P3": (2, 4, 4, 12),
    }
    assert network().features_shape == {
        "P2": (None, None, None, 6),
        "P3": (None, None, None, 12),
    }
    decoded = to_numpy(network().decode(features, (16, 16)))
    expected = to_numpy(network()(images))
    smaller = to_numpy(network().decode(features, (5, 7)))
    for name in NUM_OUTPUTS:
        np.testing.assert_array_equal(decoded[name], expected[name])
        assert smaller[name].shape == (2, 5, 7, NUM_OUTPUTS[name])


def test_training_uses_and_follows_the_statistics_of_the_batch():
    model = network()
    images = make_images()
    source = tiny.numpy_values(model.variables)
    inference = to_numpy(model(images))
    training = to_numpy(model(images, training=True))
    moved = tiny.moved(model.variables, source)
    for variable, value in zip(model.variables, source, strict=True):
        variable.assign(value)
    assert moved == {id(v) for v in model.moving_statistics}
    assert np.abs(training["depth"] - inference["depth"]).max() > 1e-3


def test_variables_of_batch_norm():
    model = network()
    assert len(model.batch_norms) == 2
    assert [v.name for v in model.affine_variables] == ["gamma", "beta"] * 2
    names = [v.name for v in model.moving_statistics]
    assert names == ["moving_mean", "moving_variance"] * 2
    assert all(v.trainable for v in model.affine_variables)


def test_postprocess():
    predictions = to_numpy(network()(make_images()))
    values = to_numpy(network().postprocess(predictions))
    assert list(values) == list(NUM_OUTPUTS)
    np.testing.assert_array_equal(
        values["semseg"], predictions["semseg"].argmax(axis=-1)
    )
    np.testing.assert_array_equal(
        values["depth"], np.maximum(predictions["depth"], 0)
    )
    lengths = np.linalg.norm(values["normals"], axis=-1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-4)
    np.testing.assert_array_equal(
        values["edge"], np.clip(predictions["edge"], 0, 1)
    )


def test_saves_and_loads(tmp_path):
    path = tmp_path / "network.keras"
    network().save(path)
    loaded = keras.saving.load_model(path)
    assert type(loaded) is MultiTaskModel
    assert loaded.mean == network().mean and loaded.std == network().std
    for task, other in zip(network().tasks, loaded.tasks, strict=True):
        assert task.get_config() == other.get_config()
    # 2 convolutions, 2 batch norms, 4 decoders: nothing is stored twice.
    assert len(loaded.weights) == len(network().weights) == 2 + 2 * 4 + 4 * 2
    for a, b in zip(
        tiny.numpy_values(network().weights),
        tiny.numpy_values(loaded.weights),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)
    images = make_images()
    expected = to_numpy(network()(images))
    for name, output in to_numpy(loaded(images)).items():
        np.testing.assert_allclose(output, expected[name], atol=1e-6)


@pytest.mark.parametrize("names", [[], ["depth", "edge", "depth"]])
def test_tasks_are_there_and_different(names):
    task_list = [tasks.get(name) for name in names]
    with pytest.raises(ValueError, match="different names") as error:
        MultiTaskModel(None, task_list)
    assert str(names) in str(error.value)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda x: x[0], r"images.shape=\(16, 16, 3\)"),
        (lambda x: x[..., :1], r"images.shape=\(2, 16, 16, 1\)"),
        (lambda x: x.astype("int32"), "images.dtype=int32"),
        (lambda x: x > 127, "images.dtype=bool"),
    ],
)
def test_other_images(change, message):
    with pytest.raises(ValueError, match=message):
        network()(change(make_images()))


def test_compute_dtype_follows_the_policy():
    model = MultiTaskModel(
        tiny.TinyBackbone(), [tasks.depth()], dtype="mixed_bfloat16"
    )
    images = make_images()
    assert model.normalization(images).dtype == ops.zeros((), "bfloat16").dtype
    assert model.decoders["depth"].compute_dtype == "bfloat16"
    clone = MultiTaskModel.from_config(model.get_config())
    assert clone.dtype_policy.name == "mixed_bfloat16"
