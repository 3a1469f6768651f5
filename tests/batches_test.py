"""Batches of any kind, on every backend."""

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.batches import as_batches

IMAGES, LABELS, MASKS = tiny.make_arrays(8, count=2)


def loader(of_tuples):
    """A `DataLoader` of PyTorch, whatever the backend."""
    torch = pytest.importorskip("torch")
    images = torch.from_numpy(IMAGES)
    if of_tuples:
        images = torch.utils.data.TensorDataset(images)
    return torch.utils.data.DataLoader(images, batch_size=4)


def grain_dataset(kind):
    """Batches of grain: with a length, or an iterable without one."""
    grain = pytest.importorskip("grain")
    dataset = grain.MapDataset.source(list(IMAGES)).batch(4)
    return dataset if kind == "map" else dataset.to_iter_dataset()


def hugging_face(kind):
    """Images of a dataset of Hugging Face, read as its documentation says."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"image": datasets.Array3D(IMAGES.shape[1:], "float32")}
    )
    dataset = datasets.Dataset.from_dict({"image": list(IMAGES)}, features)
    if kind == "tf":
        return dataset.to_tf_dataset(columns="image", batch_size=4)
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(
        dataset.with_format("torch"),
        batch_size=4,
        collate_fn=lambda rows: torch.stack([row["image"] for row in rows]),
    )


# What is read, and its batches per epoch, `None` where that is unknown.
KINDS = {
    "list": (lambda: [IMAGES[:4], IMAGES[4:]], 2),
    "list_of_tuples": (lambda: [(IMAGES[:4],), (IMAGES[4:],)], 2),
    "list_with_labels": (
        lambda: [
            keras.tree.map_structure(
                lambda x, i=i: x[i : i + 4], (IMAGES, LABELS, MASKS)
            )
            for i in (0, 4)
        ],
        2,
    ),
    "generator": (lambda: (IMAGES[i : i + 4] for i in (0, 4)), None),
    "loader_of_tensors": (lambda: loader(False), 2),
    "loader_of_tuples": (lambda: loader(True), 2),
    "grain_map": (lambda: grain_dataset("map"), 2),
    "grain_iter": (lambda: grain_dataset("iter"), None),
    "hugging_face_tf": (lambda: hugging_face("tf"), 2),
    "hugging_face_loader": (lambda: hugging_face("loader"), 2),
}


def make_adapter():
    task_list = tiny.make_tasks(2)
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(task_list), keras_s4t.methods.BatchNormOnly()
    )
    tiny.fill(adapter)
    adapter.compile()
    return adapter


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [None, 2])
def test_adapts_as_with_arrays(kind, steps):
    make, length = KINDS[kind]
    adapter = make_adapter()
    images = np.repeat(IMAGES.reshape(2, 4, *IMAGES.shape[1:]), steps or 1, 0)
    stream = images.reshape(-1, *IMAGES.shape[1:])
    adapter.fit(stream, batch_size=4, verbose=0)
    expected = tiny.numpy_values(adapter.network.moving_statistics)
    adapter.reset()
    data = make()
    if steps:
        data = keras_s4t.data.online_stream(data, steps=steps)
        if length:
            assert len(data) == length * steps
    adapter.fit(data, verbose=0)
    received = tiny.numpy_values(adapter.network.moving_statistics)
    for a, b in zip(expected, received, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["list", "loader_of_tensors"])
def test_epochs_begin_anew(kind):
    adapter = make_adapter()
    history = adapter.fit(KINDS[kind][0](), epochs=2, verbose=0).history
    assert len(history["loss"]) == 2


@pytest.mark.eager
def test_evaluates_a_list():
    adapter = make_adapter()
    expected = adapter.evaluate(
        keras_s4t.data.ArrayBatches((IMAGES, LABELS, MASKS), 4),
        verbose=0,
        return_dict=True,
    )
    received = adapter.evaluate(
        KINDS["list_with_labels"][0](), verbose=0, return_dict=True
    )
    assert received == pytest.approx(expected)


@pytest.mark.parametrize("data", [[], iter([])])
def test_nothing(data):
    with pytest.raises(ValueError, match="must be batches.*Received: none"):
        make_adapter().fit(data, verbose=0)


def test_order():
    batches = as_batches([IMAGES[:4], IMAGES[4:]])
    np.testing.assert_array_equal(batches[0], IMAGES[:4])
    np.testing.assert_array_equal(batches[0], IMAGES[:4])
    np.testing.assert_array_equal(batches[1], IMAGES[4:])
    np.testing.assert_array_equal(batches[0], IMAGES[:4])
    batches = as_batches([IMAGES[:4]] * 3)
    batches[0]
    with pytest.raises(ValueError, match="in order.*batch 2 after batch 0"):
        batches[2]


@pytest.mark.parametrize(
    "data", [None, IMAGES, (IMAGES, LABELS), {"image": IMAGES}]
)
def test_what_keras_reads_is_left_alone(data):
    assert as_batches(data) is data
