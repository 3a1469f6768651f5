"""Metrics beside the best-kept libraries: equal, or the reason stated."""

import warnings

import keras
import numpy as np
import pytest

from keras_s4t import curves
from keras_s4t import metrics

pytestmark = pytest.mark.eager

NUM_CLASSES = 5


@pytest.fixture(scope="module")
def torchmetrics():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("torchmetrics")


@pytest.fixture(scope="module")
def sklearn_metrics():
    return pytest.importorskip("sklearn.metrics")


@pytest.fixture(params=["all", "absent", "ignored"])
def maps(request):
    """Labels and predictions of four images."""
    rng = np.random.default_rng(0)
    labels = rng.integers(NUM_CLASSES, size=(4, 9, 11))
    predictions = np.where(
        rng.uniform(size=labels.shape) < 0.6,
        labels,
        rng.integers(NUM_CLASSES, size=labels.shape),
    )
    if request.param == "absent":
        # Class 4 occurs nowhere, class 3 in predictions alone.
        labels[labels >= 3] = 0
        predictions[predictions == 4] = 1
    if request.param == "ignored":
        labels[rng.uniform(size=labels.shape) < 0.3] = 255
    return labels, predictions


def ours(metric, labels, predictions):
    metric.update_state(labels, predictions)
    return float(metric.result())


def mean_iou(labels, predictions, absent):
    metric = metrics.MeanIoU(NUM_CLASSES, absent=absent, sparse_y_pred=True)
    return ours(metric, labels, predictions)


def tensors(torchmetrics, *arrays):
    import torch

    return [torch.from_numpy(np.asarray(array)) for array in arrays]


# Keras's asks for int64 on JAX.
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning")
def test_mean_iou_of_keras(maps):
    labels, predictions = maps
    metric = keras.metrics.MeanIoU(NUM_CLASSES, ignore_class=255)
    metric.update_state(labels, predictions)
    expected = float(metric.result())
    assert mean_iou(labels, predictions, "skip") == pytest.approx(expected)


def test_mean_iou_of_torchmetrics(maps, torchmetrics):
    labels, predictions = maps
    jaccard = torchmetrics.JaccardIndex(
        "multiclass", num_classes=NUM_CLASSES, ignore_index=255
    )
    expected = jaccard(*tensors(torchmetrics, predictions, labels)).item()
    assert mean_iou(labels, predictions, "skip") == pytest.approx(expected)


def test_mean_iou_of_scikit_learn(maps, sklearn_metrics):
    labels, predictions = maps
    known = labels != 255
    expected = sklearn_metrics.jaccard_score(
        labels[known],
        predictions[known],
        labels=range(NUM_CLASSES),
        average="macro",
        zero_division=0,
    )
    assert mean_iou(labels, predictions, "zero") == pytest.approx(expected)


def test_per_image_mean_iou_of_torchmetrics(maps, torchmetrics):
    labels, predictions = maps
    if (labels == 255).any():
        pytest.skip("torchmetrics has no ignored class here")
    from torchmetrics.segmentation import MeanIoU

    metric = MeanIoU(NUM_CLASSES, input_format="index")
    expected = metric(*tensors(torchmetrics, predictions, labels)).item()
    metric = metrics.PerImageMeanIoU(NUM_CLASSES, sparse_y_pred=True)
    received = ours(metric, labels, predictions)
    assert received == pytest.approx(expected)
    # Pooled over the images it is another number.
    pooled = mean_iou(labels, predictions, "skip")
    assert received != pytest.approx(pooled, rel=1e-4)


def test_root_mean_squared_error(torchmetrics, sklearn_metrics):
    labels, predictions = np.random.default_rng(0).uniform(
        1, 5, (2, 3, 8, 9, 1)
    )
    labels, predictions = labels.astype("f"), predictions.astype("f")
    received = ours(metrics.RootMeanSquaredError(), labels, predictions)
    metric = torchmetrics.MeanSquaredError(squared=False)
    pair = tensors(torchmetrics, predictions, labels)
    assert received == pytest.approx(metric(*pair).item())
    expected = sklearn_metrics.root_mean_squared_error(
        labels.ravel(), predictions.ravel()
    )
    assert received == pytest.approx(expected)
    keras_metric = keras.metrics.RootMeanSquaredError()
    keras_metric.update_state(labels, predictions)
    assert received == pytest.approx(float(keras_metric.result()))


def depths(count=2):
    """Labels and predictions of depth, positive."""
    return np.random.default_rng(0).uniform(0.5, 5, (2, count, 8, 9, 1))


def test_mean_absolute_error(torchmetrics, sklearn_metrics):
    labels, predictions = depths().astype("f")
    received = ours(metrics.MeanAbsoluteError(), labels, predictions)
    pair = tensors(torchmetrics, predictions, labels)
    expected = torchmetrics.MeanAbsoluteError()(*pair).item()
    assert received == pytest.approx(expected)
    expected = sklearn_metrics.mean_absolute_error(
        labels.ravel(), predictions.ravel()
    )
    assert received == pytest.approx(expected)


def test_absolute_relative_error(torchmetrics, sklearn_metrics):
    labels, predictions = depths().astype("f")
    received = ours(metrics.AbsoluteRelativeError(), labels, predictions)
    pair = tensors(torchmetrics, predictions, labels)
    metric = torchmetrics.MeanAbsolutePercentageError()
    assert received == pytest.approx(metric(*pair).item())
    expected = sklearn_metrics.mean_absolute_percentage_error(
        labels.ravel(), predictions.ravel()
    )
    assert received == pytest.approx(expected)


def test_root_mean_squared_log_error(sklearn_metrics):
    labels, predictions = depths().astype("f")
    received = ours(metrics.RootMeanSquaredLogError(), labels, predictions)
    expected = sklearn_metrics.root_mean_squared_error(
        np.log(labels.ravel()), np.log(predictions.ravel())
    )
    assert received == pytest.approx(expected, rel=1e-5)
    # Theirs adds 1 before the logarithm.
    other = sklearn_metrics.root_mean_squared_log_error(
        labels.ravel(), predictions.ravel()
    )
    assert received != pytest.approx(other, rel=0.1)


def test_accuracies_of_classes(maps, torchmetrics, sklearn_metrics):
    labels, predictions = maps
    known = labels != 255
    pair = labels[known], predictions[known]
    options = {"num_classes": NUM_CLASSES, "sparse_y_pred": True}
    received = ours(metrics.PixelAccuracy(**options), labels, predictions)
    expected = sklearn_metrics.accuracy_score(*pair)
    assert received == pytest.approx(expected)
    accuracy = torchmetrics.Accuracy(
        "multiclass", num_classes=NUM_CLASSES, average="micro"
    )
    theirs = accuracy(*tensors(torchmetrics, *pair[::-1])).item()
    assert received == pytest.approx(theirs)
    received = ours(metrics.MeanAccuracy(**options), labels, predictions)
    with warnings.catch_warnings():
        # A class is predicted that no label has.
        warnings.simplefilter("ignore")
        expected = sklearn_metrics.balanced_accuracy_score(*pair)
    assert received == pytest.approx(expected)
    accuracy = torchmetrics.Accuracy(
        "multiclass", num_classes=NUM_CLASSES, average="macro"
    )
    theirs = accuracy(*tensors(torchmetrics, *pair[::-1])).item()
    # It counts a class that is only predicted as 0.
    only_predicted = set(pair[1]) - set(pair[0])
    found = len(set(pair[0]))
    theirs *= (found + len(only_predicted)) / found
    assert received == pytest.approx(theirs)


def binaries():
    """Labels, and probabilities with two decimals."""
    rng = np.random.default_rng(0)
    labels = (rng.uniform(size=(2, 9, 11, 1)) < 0.3).astype("float32")
    noise = rng.uniform(size=labels.shape)
    return labels, np.round(0.6 * noise + 0.3 * labels, 2).astype("float32")


@pytest.mark.parametrize(
    "metric, scikit_learn, torch_name",
    [
        (metrics.BinaryAccuracy, "accuracy_score", "Accuracy"),
        (metrics.BinaryIoU, "jaccard_score", "JaccardIndex"),
        (metrics.BinaryF1, "f1_score", "F1Score"),
    ],
)
def test_binary_scores(
    metric, scikit_learn, torch_name, torchmetrics, sklearn_metrics
):
    labels, probabilities = binaries()
    received = ours(metric(), labels, probabilities)
    function = getattr(sklearn_metrics, scikit_learn)
    expected = function(labels.ravel(), probabilities.ravel() > 0.5)
    assert 0 < received < 1 and received == pytest.approx(expected)
    pair = tensors(torchmetrics, probabilities, labels.astype("int32"))
    theirs = getattr(torchmetrics, torch_name)("binary")(*pair).item()
    assert received == pytest.approx(theirs)


def test_average_precision(torchmetrics, sklearn_metrics):
    labels, probabilities = binaries()
    received = ours(metrics.AveragePrecision(), labels, probabilities)
    expected = sklearn_metrics.average_precision_score(
        labels.ravel(), probabilities.ravel()
    )
    assert 0.3 < received < 1 and received == pytest.approx(expected)
    metric = torchmetrics.AveragePrecision("binary", thresholds=101)
    # Their thresholds are rounded otherwise, which matters for two decimals.
    noise = np.random.default_rng(1).uniform(size=labels.shape).astype("f")
    pair = tensors(torchmetrics, noise, labels.astype("int32"))
    received = ours(metrics.AveragePrecision(), labels, noise)
    assert received == pytest.approx(metric(*pair).item(), rel=1e-5)


def test_angular_error(sklearn_metrics):
    labels, predictions = np.random.default_rng(0).normal(size=(2, 2, 4, 5, 3))
    received = ours(metrics.MeanAngularError(), labels, predictions)
    cosines = sklearn_metrics.pairwise.paired_cosine_distances(
        labels.reshape(-1, 3), predictions.reshape(-1, 3)
    )
    expected = np.degrees(np.arccos(1 - cosines)).mean()
    assert received == pytest.approx(expected, rel=1e-5)


def test_dynamic_time_warping_of_roots():
    dtw = pytest.importorskip("dtaidistance.dtw")
    pair = {"a": [0.0, 1, 2, 3], "b": [0.0, 0, 2, 4]}
    # The sum of distances, and the root of the sum of squared ones.
    assert curves.dynamic_time_warping(pair) == 2
    first, second = map(np.array, pair.values())
    assert dtw.distance(first, second, inner_dist="euclidean") == 2
    assert dtw.distance(first, second) == pytest.approx(2**0.5)


def test_step_variance_of_a_population():
    peaks = [3, 5, 9]
    series = {str(i): np.eye(12)[peak] for i, peak in enumerate(peaks)}
    received = curves.step_variance(series)
    assert received == pytest.approx(np.var(peaks)) == pytest.approx(56 / 9)
    # A sample's variance divides by one less.
    assert np.var(peaks, ddof=1) == pytest.approx(28 / 3)


def test_cosine_similarity(torchmetrics, sklearn_metrics):
    first, second = np.random.default_rng(0).normal(size=(2, 12))
    received = curves.cosine_similarity({"a": first, "b": second})
    changes = np.diff([first, second])
    expected = sklearn_metrics.pairwise.cosine_similarity(changes)[0, 1]
    assert received == pytest.approx(expected)
    similarity = torchmetrics.functional.pairwise_cosine_similarity(
        *tensors(torchmetrics, changes[:1], changes[1:])
    )
    assert received == pytest.approx(similarity.item())
