import keras
import numpy as np
import pytest

from keras_s4t import tasks
from keras_s4t.metrics import PerImageMeanIoU

NUM_CLASSES = 3


def expected_mean(labels, predictions, weights, absent):
    """From the definition, image by image."""
    images = []
    for label, prediction, weight in zip(
        labels, predictions, weights, strict=True
    ):
        weight = weight * (label < NUM_CLASSES)
        if not weight.any():
            continue
        iou = []
        for c in range(NUM_CLASSES):
            union = (weight * ((label == c) | (prediction == c))).sum()
            if union or absent == "zero":
                common = (weight * ((label == c) & (prediction == c))).sum()
                iou.append(common / max(union, 1e-8))
        images.append(np.mean(iou))
    return np.mean(images)


def make_maps():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(NUM_CLASSES, size=(2, 6, 4, 5))
    labels[0] = predictions[0] = 0
    labels[1, :2] = 255
    labels[2] = 255
    weights = rng.choice([0, 0.5, 1], size=labels.shape)
    weights[3] = 0
    return labels, predictions, weights


@pytest.mark.parametrize("absent", ["skip", "zero"])
@pytest.mark.parametrize("weighted", [True, False])
def test_formula(absent, weighted):
    labels, predictions, weights = make_maps()
    if not weighted:
        weights = np.ones_like(weights)
    metric = PerImageMeanIoU(NUM_CLASSES, absent=absent, sparse_y_pred=True)
    assert np.isnan(float(metric.result()))
    for part in (slice(0, 4), slice(4, 6)):
        mask = weights[part][..., None] if weighted else None
        metric.update_state(labels[part], predictions[part], mask)
    expected = expected_mean(labels, predictions, weights, absent)
    assert float(metric.result()) == pytest.approx(expected)


@pytest.mark.eager
def test_logits():
    labels, predictions, _ = make_maps()
    metric = PerImageMeanIoU(NUM_CLASSES)
    metric.update_state(labels, np.eye(NUM_CLASSES, dtype="f")[predictions])
    expected = expected_mean(labels, predictions, np.ones(labels.shape), "skip")
    assert float(metric.result()) == pytest.approx(expected)


def test_as_the_metric_of_the_task():
    task = tasks.semseg(NUM_CLASSES, average="images")
    assert task.metric_key == "semseg_per_image_miou"
    metric = task.make_metric()
    assert type(metric) is PerImageMeanIoU and metric.sparse_y_pred
    clone = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(task)
    )
    assert clone.metric_key == task.metric_key
    assert tasks.semseg(NUM_CLASSES).metric_key == "semseg_miou"
    with pytest.raises(ValueError, match="'images', 'pixels'.*'classes'"):
        tasks.semseg(NUM_CLASSES, average="classes")
