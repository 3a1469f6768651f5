import numpy as np
import pytest
import tiny

from keras_s4t.data import ArrayBatches


def test_batches_of_all_arrays_in_order():
    images, labels, masks = tiny.make_arrays(5, count=2)
    batches = ArrayBatches((images, labels, masks), 2)
    assert len(batches) == batches.num_batches == 3
    assert [len(batches[i][0]) for i in range(3)] == [2, 2, 1]
    for i in range(3):
        rows = slice(2 * i, 2 * i + 2)
        batch_images, batch_labels, batch_masks = batches[i]
        np.testing.assert_array_equal(batch_images, images[rows])
        for received, given in ((batch_labels, labels), (batch_masks, masks)):
            assert list(received) == ["semseg", "depth"]
            for name in given:
                np.testing.assert_array_equal(received[name], given[name][rows])


def test_images_alone_keep_their_dtype():
    images = np.arange(2 * 4 * 4 * 3, dtype="uint8").reshape(2, 4, 4, 3)
    batches = ArrayBatches(images, 8)
    assert len(batches) == 1
    batch = batches[0]
    np.testing.assert_array_equal(batch, images)
    assert batch.dtype == "uint8"


@pytest.mark.parametrize(
    "change, batch_size, message",
    [
        (lambda x, y, m: (x, y, m), 0, "8 images, batch_size=0"),
        (lambda x, y, m: (x[:0], y, m), 2, "0 images"),
        (lambda x, y, m: x[:0], 2, "0 images"),
        (lambda x, y, m: x[0], 2, r"images.shape=\(16, 16, 3\)"),
        (lambda x, y, m: [x, y], 2, "images.dtype=<class 'list'>"),
        (lambda x, y, m: (x.astype("int32"), y, m), 2, "dtype=int32"),
        (lambda x, y, m: (x[:6], y, m), 2, r"lengths \[6, 8, 8, 8, 8\]"),
        (lambda x, y, m: (x, {**y, "depth": y["depth"][:3]}), 2, "lengths"),
    ],
)
def test_bad_arrays(change, batch_size, message):
    arrays = change(*tiny.make_arrays(count=2))
    with pytest.raises(ValueError, match=message):
        ArrayBatches(arrays, batch_size)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_pixel_that_is_not_finite(value):
    images, labels, _ = tiny.make_arrays(count=2)
    images[7, 3, 5, 1] = value
    for arrays in (images, (images, labels)):
        with pytest.raises(ValueError, match="finite. Received: 1 values"):
            ArrayBatches(arrays, 4)
