"""Streams by themselves and in `fit`, for every kind of dataset."""

import adapters
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


def make_stream(kind, arrays, steps, batch_size=adapters.BATCH_SIZE):
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
    if hasattr(stream, "cardinality"):
        return int(stream.cardinality())
    return stream.num_batches


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_batch_is_repeated_in_order(kind, labelled):
    arrays = tiny.make_arrays(5, count=2)
    if not labelled:
        arrays = arrays[0]
    stream = make_stream(kind, arrays, steps=3)
    received = read(stream)
    # The last batch has one image.
    starts = [0, 0, 0, 2, 2, 2, 4, 4, 4]
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


def test_one_step_is_the_default():
    images, *_ = tiny.make_arrays(4)
    assert length(online_stream(images, batch_size=2)) == 2
    assert length(online_stream(images)) == 1


class CountingBatches(keras.utils.PyDataset):
    """Batches of random images: no two readings are the same."""

    num_batches = 2

    def __init__(self):
        super().__init__()
        self.reads = []

    def __getitem__(self, index):
        self.reads.append(index)
        images, *_ = tiny.make_arrays(2, seed=len(self.reads))
        return (images,)


def test_a_batch_is_read_once():
    batches = CountingBatches()
    received = read(online_stream(batches, steps=3))
    assert batches.reads == [0, 1]
    for step in (1, 2):
        np.testing.assert_array_equal(received[0][0], received[step][0])
    assert not np.array_equal(received[2][0], received[3][0])


def bad_batches(num_batches):
    class Batches(keras.utils.PyDataset):
        def __getitem__(self, index):
            return (np.zeros((1, 4, 4, 3), "float32"),)

    Batches.num_batches = num_batches
    return Batches()


@pytest.mark.parametrize(
    "data, steps, message",
    [
        (np.zeros((2, 4, 4, 3), "uint8"), 0, "steps=0"),
        (np.zeros((0, 4, 4, 3), "uint8"), 1, "0 images"),
        (np.zeros((2, 4, 4), "uint8"), 1, "images.shape"),
        (np.full((2, 4, 4, 3), np.nan), 1, "96 values that are NaN"),
        (bad_batches(0), 1, "Received: 0 batches"),
        (bad_batches(None), 1, "Received: None batches"),
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


def test_nan_within_tf_data_raises_before_its_step():
    from tensorflow.errors import InvalidArgumentError

    arrays = adapters.make_target(2)
    adapter = adapters.source_adapter()
    stream = online_stream(adapters.dataset(arrays).take(1), steps=2)
    adapter.fit(stream, verbose=0)
    expected = adapters.state(adapter)

    adapter.reset()
    arrays[0][3, 0, 0, 0] = np.nan
    curve = AdaptationCurve(adapters.batches(adapters.make_target(1, seed=1)))
    stream = online_stream(adapters.dataset(arrays), steps=2)
    with pytest.raises(InvalidArgumentError, match="must be finite"):
        adapter.fit(stream, callbacks=[curve], verbose=0)
    assert curve.steps == [0, 1, 2]
    for a, b in zip(adapters.state(adapter), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", ["tf.data", "PyDataset"])
def test_a_reset_before_every_batch_keeps_the_last_adaptation(kind):
    arrays = adapters.make_target(2)
    adapter = adapters.source_adapter()
    source = adapters.state(adapter)
    last = keras.tree.map_structure(lambda x: x[adapters.BATCH_SIZE :], arrays)
    adapter.fit(make_stream("arrays", last, steps=2), verbose=0)
    expected = adapters.state(adapter)
    assert any(
        not np.array_equal(a, b) for a, b in zip(expected, source, strict=True)
    )
    adapter.reset()
    adapter.fit(
        make_stream(kind, arrays, steps=2),
        callbacks=[ResetToSource(every=2)],
        verbose=0,
    )
    for a, b in zip(adapters.state(adapter), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_fit_keeps_the_order_of_a_py_dataset():
    images, *_ = tiny.make_arrays(8)
    network = tiny.make_network(tiny.make_tasks(1))
    tiny.fill(network)
    adapter = keras_s4t.TargetAdapter(
        network, keras_s4t.methods.BatchNormOnly()
    )
    adapter.compile("sgd", metrics=None)
    adapter.fit(make_stream("PyDataset", images, 1, 1), verbose=0)
    reset_mean = network.moving_statistics[0]
    first_conv = next(
        layer
        for layer in network.encoder.layers
        if isinstance(layer, keras.layers.Conv2D)
    )
    features = keras.ops.convert_to_numpy(
        first_conv(network.normalization(images))
    )
    adapted = keras.ops.convert_to_numpy(reset_mean)
    adapter.reset()
    mean = np.array(keras.ops.convert_to_numpy(reset_mean))
    for image_mean in features.mean(axis=(1, 2)):
        mean = 0.9 * mean + 0.1 * image_mean
    np.testing.assert_allclose(adapted, mean, rtol=1e-4, atol=1e-5)
