import numpy as np
import pytest

from keras_s4t.metrics import MeanIoU

NUM_CLASSES = 5


def one_hot(ids):
    return np.eye(NUM_CLASSES, dtype="float32")[ids]


def expected_iou(labels, predictions, weights):
    """IoU of every class, straight from its definition."""
    iou = []
    for c in range(NUM_CLASSES):
        is_label, is_prediction = labels == c, predictions == c
        union = (weights * (is_label | is_prediction)).sum()
        intersection = (weights * (is_label & is_prediction)).sum()
        iou.append(intersection / max(union, 1e-8))
    return np.array(iou)


@pytest.fixture
def ids():
    rng = np.random.default_rng(0)
    labels = rng.integers(NUM_CLASSES, size=(2, 6, 7))
    predictions = np.where(
        rng.uniform(size=labels.shape) < 0.6,
        labels,
        rng.integers(NUM_CLASSES, size=labels.shape),
    )
    return labels, predictions


def test_formula(ids):
    labels, predictions = ids
    rng = np.random.default_rng(1)
    logits = one_hot(predictions) + rng.uniform(size=(2, 6, 7, 1))
    metric = MeanIoU(NUM_CLASSES)
    metric.update_state(labels, logits)
    expected = expected_iou(labels, predictions, 1)
    np.testing.assert_allclose(metric.class_iou(), expected, rtol=1e-6)
    assert float(metric.result()) == pytest.approx(expected.mean())


def test_weights_and_ignored_pixels(ids):
    labels, predictions = ids
    labels[0, :2] = 255
    weights = np.random.default_rng(1).choice([0, 0.5, 1], size=labels.shape)
    metric = MeanIoU(NUM_CLASSES)
    metric.update_state(labels, one_hot(predictions), weights[..., None])
    weights[0, :2] = 0
    np.testing.assert_allclose(
        metric.class_iou(),
        expected_iou(labels, predictions, weights),
        rtol=1e-6,
    )


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_ids_that_are_no_class(ids, dtype):
    labels, predictions = ids
    ignored = np.zeros(labels.shape, bool)
    ignored[0, 0, :4] = True
    labels[0, 0, :4] = [NUM_CLASSES, 200, 254, 255]
    if dtype == "int64":
        labels[0, 0, 1] = -1
    metric = MeanIoU(NUM_CLASSES, ignore_class=None)
    metric.update_state(labels.astype(dtype), one_hot(predictions))
    expected = expected_iou(labels, predictions, ~ignored)
    np.testing.assert_allclose(metric.class_iou(), expected, rtol=1e-6)


def test_ignore_class_may_be_a_class(ids):
    labels, predictions = ids
    metric = MeanIoU(NUM_CLASSES, ignore_class=0)
    metric.update_state(labels, one_hot(predictions))
    expected = expected_iou(labels, predictions, labels != 0)
    np.testing.assert_allclose(metric.class_iou(), expected, rtol=1e-6)
    assert expected[0] == 0


@pytest.mark.eager
@pytest.mark.parametrize(
    "absent, expected", [("zero", (1 / 2 + 1 / 2) / 5), ("skip", 1 / 2)]
)
def test_absent_classes(absent, expected):
    # Class 0: one hit of two pixels. Class 3: one hit, one false positive.
    labels = np.array([[[0, 0, 3, 255]]])
    predictions = np.array([[[0, 3, 3, 4]]])
    metric = MeanIoU(NUM_CLASSES, absent=absent)
    assert np.isnan(float(metric.result()))
    metric.update_state(labels, one_hot(predictions))
    assert float(metric.result()) == pytest.approx(expected)


@pytest.mark.eager
def test_skip_keeps_classes_that_are_only_predicted():
    metric = MeanIoU(NUM_CLASSES, absent="skip")
    metric.update_state(np.array([[[0, 0]]]), one_hot([[[0, 1]]]))
    assert float(metric.result()) == pytest.approx((1 / 2 + 0) / 2)


def test_ids_as_predictions(ids):
    labels, predictions = ids
    predictions[0, 0, 0] = NUM_CLASSES
    metric = MeanIoU(NUM_CLASSES, sparse_y_pred=True)
    metric.update_state(labels, predictions.astype("int32"))
    known = predictions < NUM_CLASSES
    expected = expected_iou(labels, predictions, known)
    np.testing.assert_allclose(metric.class_iou(), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="Received:.*y_pred.shape"):
        metric.update_state(labels, one_hot(labels))


def test_counts_of_large_images_are_exact():
    # Float32 cannot tell 2**24 from 2**24 + 1: the sums of one image must
    # stay below.
    labels = np.zeros((1, 1000, 1000), "int32")
    labels[0, 0, :3] = 1
    metric = MeanIoU(NUM_CLASSES, sparse_y_pred=True)
    for _ in range(3):
        metric.update_state(labels, 0 * labels)
    matrix = np.array(metric.confusion_matrix)
    assert matrix[0, 0] == 3 * (1e6 - 3)
    assert matrix[1, 0] == 9


@pytest.mark.parametrize(
    "arguments",
    [{"num_classes": 0}, {"num_classes": 3, "absent": "nan"}],
)
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="must be.*Received"):
        MeanIoU(**arguments)


@pytest.mark.slow
def test_counts_beyond_the_digits_of_float32():
    labels = np.zeros((1, 8196, 2048), "uint8")
    metric = MeanIoU(2, sparse_y_pred=True)
    metric.update_state(labels, labels)
    assert int(np.array(metric.confusion_matrix)[0, 0]) == labels.size
    assert labels.size > 2**24


def test_counts_of_many_updates_and_of_weights():
    labels = np.zeros((1, 1024, 1024), "uint8")
    predictions = labels.copy()
    predictions[:, ::4] = 1
    metric = MeanIoU(2, sparse_y_pred=True)
    for _ in range(33):
        metric.update_state(labels, predictions)
    assert float(metric.class_iou()[0]) == pytest.approx(0.75, abs=1e-6)
    half = np.full((*labels.shape, 1), 0.5, "float32")
    metric.update_state(labels, predictions, half)
    expected = 33.5 * 2**18 * np.array([[3, 1], [0, 0]])
    np.testing.assert_array_equal(metric.confusion_matrix, expected)
