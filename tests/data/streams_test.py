"""Streams by themselves and in `fit`, for every kind of dataset."""

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.callbacks import AdaptationCurve
from keras_s4t.callbacks import ResetToSource
from keras_s4t.data import ArrayBatches
from keras_s4t.data import online_stream

KINDS = ["tf.data", "PyDataset", "arrays"]


def make_stream(kind, arrays, steps, batch_size=2):
    """A stream of arrays by way of each kind of dataset."""
    if kind == "tf.data":
        import tensorflow as tf

        dataset = tf.data.Dataset.from_tensor_slices(arrays)
        return online_stream(dataset.batch(batch_size), steps)
    if kind == "PyDataset":
        return online_stream(ArrayBatches(arrays, batch_size), steps)
    return online_stream(arrays, steps, batch_size)


def read(stream):
    """All batches, in NumPy."""
    if hasattr(stream, "as_numpy_iterator"):
        return list(stream.as_numpy_iterator())
    return [stream[i] for i in range(len(stream))]


def length(stream):
    is_dataset = hasattr(stream, "cardinality")
    return int(stream.cardinality()) if is_dataset else stream.num_batches


@pytest.mark.parametrize("labeled", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_batch_is_repeated_in_order(kind, labeled):
    arrays = tiny.make_arrays(5, count=2)
    if not labeled:
        arrays = arrays[0]
    stream = make_stream(kind, arrays, steps=3)
    received = read(stream)
    starts = [0, 0, 0, 2, 2, 2, 4, 4, 4]  # the last batch has one image
    assert length(stream) == len(received) == len(starts)
    for start, batch in zip(starts, received, strict=True):
        expected = keras.tree.map_structure(
            lambda x, start=start: x[start : start + 2], arrays
        )
        keras.tree.assert_same_structure(batch, expected)
        for a, b in zip(
            keras.tree.flatten(batch), keras.tree.flatten(expected), strict=True
        ):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype


class RandomBatches(keras.utils.PyDataset):
    """Batches of random images: no two readings are the same."""

    def __init__(self, num_batches):
        super().__init__()
        self.size = num_batches
        self.reads = []

    @property
    def num_batches(self):
        return self.size

    def __getitem__(self, index):
        self.reads.append(index)
        images, *_ = tiny.make_arrays(2, seed=len(self.reads))
        return (images,)


def test_a_batch_is_read_once():
    batches = RandomBatches(2)
    received = read(online_stream(batches, steps=3))
    assert batches.reads == [0, 1]
    for step in (1, 2):
        np.testing.assert_array_equal(received[0][0], received[step][0])
    assert not np.array_equal(received[2][0], received[3][0])


@pytest.mark.parametrize(
    "data, steps, message",
    [
        (np.zeros((2, 4, 4, 3), "uint8"), 0, "steps=0"),
        (np.zeros((0, 4, 4, 3), "uint8"), 1, "0 images"),
        (np.zeros((2, 4, 4), "uint8"), 1, "images.shape"),
        (np.full((2, 4, 4, 3), np.nan), 1, "96 values that are NaN"),
        (RandomBatches(0), 1, "Received: 0 batches"),
        (RandomBatches(None), 1, "Received: None batches"),
    ],
)
def test_bad_streams(data, steps, message):
    with pytest.raises(ValueError, match=message):
        online_stream(data, steps)


def test_nan_in_a_py_dataset_raises_when_it_is_read():
    images, *_ = tiny.make_arrays(4)
    batches = ArrayBatches(images, 2)
    images[3, 0, 0, 0] = np.nan
    stream = online_stream(batches, steps=2)
    np.testing.assert_array_equal(stream[1], images[:2])
    with pytest.raises(ValueError, match="1 values"):
        stream[2]


@pytest.mark.parametrize(
    "change, steps, message",
    [
        (lambda d: d, 0, "steps=0"),
        (lambda d: d.take(0), 1, "is empty"),
        (lambda d: d.repeat(), 1, "is infinite"),
        (lambda d: d.filter(lambda x: True), 1, "is unknown"),
        (lambda d: d.unbatch(), 1, "is unknown|images.shape"),
        (lambda d: d.map(lambda x: {"image": x}), 1, "dtype=<class 'dict'>"),
    ],
)
def test_bad_tf_data_streams(change, steps, message):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(np.zeros((2, 4, 4, 3), "float32"))
    with pytest.raises(ValueError, match=message):
        online_stream(change(dataset), steps)


def make_adapter():
    """An adapter whose batch norm statistics, and nothing else, move."""
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(tiny.make_tasks(2)),
        keras_s4t.methods.BatchNormOnly(),
    )
    tiny.fill(adapter)
    adapter.compile("sgd")
    return adapter


def adapt(adapter, stream, *callbacks):
    """Adapts from the source; the network's values afterwards."""
    adapter.reset()
    adapter.fit(stream, callbacks=list(callbacks), verbose=0)
    return tiny.numpy_values(adapter.network.weights)


def assert_same(values, expected):
    for a, b in zip(values, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["tf.data", "PyDataset"])
def test_a_reset_before_every_batch_keeps_the_last_adaptation(kind):
    arrays = tiny.make_arrays(4, count=2)
    adapter = make_adapter()
    source = tiny.numpy_values(adapter.network.weights)
    last = keras.tree.map_structure(lambda x: x[2:], arrays)
    expected = adapt(adapter, make_stream(kind, last, steps=2))
    stream = make_stream(kind, arrays, steps=2)
    assert_same(adapt(adapter, stream, ResetToSource(every=2)), expected)
    for result in (source, adapt(adapter, stream)):
        with pytest.raises(AssertionError):
            assert_same(result, expected)


def test_nan_within_tf_data_loses_nothing_done_before():
    from tensorflow.errors import InvalidArgumentError

    arrays = tiny.make_arrays(4, count=2)
    first = keras.tree.map_structure(lambda x: x[:2], arrays)
    adapter = make_adapter()
    expected = adapt(adapter, make_stream("tf.data", first, steps=2))
    arrays[0][3, 0, 0, 0] = np.nan
    curve = AdaptationCurve(ArrayBatches(first, 2))
    with pytest.raises(InvalidArgumentError, match="must be finite"):
        adapt(adapter, make_stream("tf.data", arrays, steps=2), curve)
    assert curve.steps == [0, 1, 2]
    assert_same(tiny.numpy_values(adapter.network.weights), expected)


def test_fit_keeps_the_order_of_a_py_dataset():
    images, *_ = tiny.make_arrays(8, count=2)
    adapter = make_adapter()
    network = adapter.network
    mean = network.moving_statistics[0]
    (expected,) = tiny.numpy_values([mean])
    conv = next(
        layer for layer in network.encoder.layers if "conv" in layer.name
    )
    features = keras.ops.convert_to_numpy(conv(network.normalization(images)))
    for image_mean in features.mean(axis=(1, 2)):
        expected = 0.9 * expected + 0.1 * image_mean
    adapt(adapter, make_stream("PyDataset", images, 1, batch_size=1))
    assert_same(tiny.numpy_values([mean]), [expected])
