import keras
import numpy as np
import pytest

from keras_s4t.metrics import ClassIoU
from keras_s4t.metrics import MeanAccuracy
from keras_s4t.metrics import PixelAccuracy

NAMES = ["wall", "floor", "lamp"]
# The class 2 is predicted once, and has no label.
LABELS = np.array([[[0, 0, 0, 1, 255]]])
PREDICTIONS = np.array([[[0, 0, 1, 2, 2]]])


def updated(metric, predictions=PREDICTIONS, mask=None):
    metric.update_state(LABELS, predictions, mask)
    return metric


def test_by_hand():
    accuracy = updated(PixelAccuracy(3, sparse_y_pred=True))
    assert float(accuracy.result()) == pytest.approx(2 / 4)
    accuracy = updated(MeanAccuracy(3, sparse_y_pred=True))
    assert float(accuracy.result()) == pytest.approx((2 / 3 + 0) / 2)
    iou = updated(ClassIoU(3, NAMES, sparse_y_pred=True, name="x_iou"))
    received = {key: float(value) for key, value in iou.result().items()}
    expected = {"x_iou/wall": 2 / 3, "x_iou/floor": 0, "x_iou/lamp": 0}
    assert received == pytest.approx(expected)


def test_a_class_without_a_pixel_has_no_iou():
    iou = ClassIoU(4, sparse_y_pred=True)
    assert all(np.isnan(float(value)) for value in iou.result().values())
    received = updated(iou).result()
    assert list(received) == [f"iou/class {i}" for i in range(4)]
    assert np.isnan(float(received["iou/class 3"]))
    assert float(received["iou/class 0"]) == pytest.approx(2 / 3)


def test_logits_that_are_no_numbers():
    predictions = PREDICTIONS.copy()
    predictions[..., 0] = -1
    iou = updated(ClassIoU(3, NAMES, sparse_y_pred=True), predictions)
    assert all(np.isnan(float(value)) for value in iou.result().values())


def test_weights():
    mask = np.array([1, 0.5, 1, 0, 1]).reshape(1, 1, 5, 1)
    accuracy = updated(PixelAccuracy(3, sparse_y_pred=True), mask=mask)
    assert float(accuracy.result()) == pytest.approx(1.5 / 2.5)
    accuracy = updated(MeanAccuracy(3, sparse_y_pred=True), mask=mask)
    assert float(accuracy.result()) == pytest.approx(1.5 / 2.5)


def test_serializes():
    metric = ClassIoU(3, NAMES, None, True, "parts_iou")
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(metric)
    )
    assert copy.get_config() == metric.get_config()
    assert list(copy.result()) == [f"parts_iou/{name}" for name in NAMES]


@pytest.mark.parametrize("names", [NAMES[:2], ["a", "a", "b"]])
def test_one_name_per_class(names):
    with pytest.raises(ValueError, match="one name per class.*Received: "):
        ClassIoU(3, names)
