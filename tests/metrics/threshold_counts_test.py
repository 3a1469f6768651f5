import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.metrics import AveragePrecision
from keras_s4t.metrics import OptimalThresholdF1
from keras_s4t.metrics.threshold_counts import dilate


def dilated(maps, radius):
    """Where a square of `2 * radius + 1` pixels has a true one, by loops."""
    result = np.zeros_like(maps)
    for i, y, x in zip(*np.nonzero(maps), strict=True):
        rows = slice(max(y - radius, 0), y + radius + 1)
        columns = slice(max(x - radius, 0), x + radius + 1)
        result[i, rows, columns] = True
    return result


def precision_and_recall(labels, outputs, weights, radius):
    """At every threshold, straight from the definition."""
    outputs = np.where(weights > 0, outputs, 0)
    is_label = (labels >= 0.5) & (weights > 0)
    for threshold in np.arange(101) / 100:
        is_predicted = outputs >= np.float32(threshold)
        right = is_predicted & dilated(is_label, radius)
        found = is_label & dilated(is_predicted, radius)
        predicted = (weights * is_predicted).sum()
        yield (
            (weights * right).sum() / predicted if predicted else 0.0,
            (weights * found).sum() / (weights * is_label).sum(),
        )


def expected_odsf(*arguments):
    pairs = list(precision_and_recall(*arguments))[1:-1]
    return max(2 * p * r / (p + r) if p + r else 0.0 for p, r in pairs)


def expected_ap(*arguments):
    precision, recall = zip(*precision_and_recall(*arguments), strict=True)
    steps = np.array(recall) - np.array([*recall[1:], 0])
    return (steps * precision).sum()


def make_edges(seed=0, size=(14, 18)):
    """Thin edges, predictions beside them, and weights."""
    rng = np.random.default_rng(seed)
    labels = (rng.uniform(size=(3, *size)) < 0.05).astype("float32")
    moved = np.roll(labels, 1, axis=2)
    outputs = 0.6 * rng.uniform(size=labels.shape) + 0.4 * moved
    weights = rng.choice([0, 0.5, 1], size=labels.shape, p=[0.2, 0.3, 0.5])
    return labels, outputs.astype("float32"), weights


EAGER = pytest.mark.eager


# The diagonal is 22.8 pixels: a radius of 0, 1 and 2 pixels.
@pytest.mark.parametrize(
    "tolerance, radius",
    [(0.05, 1), *(pytest.param(*x, marks=EAGER) for x in ((0, 0), (0.1, 2)))],
)
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    "make, expected",
    [(OptimalThresholdF1, expected_odsf), (AveragePrecision, expected_ap)],
)
def test_formula(make, expected, tolerance, radius, weighted):
    labels, outputs, weights = make_edges()
    metric = make(tolerance)
    if not weighted:
        weights = np.ones_like(weights)
    for i in range(2):
        part = slice(2 * i, 2 * i + 2)
        metric.update_state(
            labels[part, ..., None],
            outputs[part, ..., None],
            weights[part, ..., None] if weighted else None,
        )
    value = expected(labels, outputs, weights, radius)
    assert 0.05 < value < 0.99
    assert float(metric.result()) == pytest.approx(value, rel=1e-5)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="sizes are always known"
)
@pytest.mark.parametrize("make", [OptimalThresholdF1, AveragePrecision])
def test_sizes_that_a_graph_does_not_know(make):
    import tensorflow as tf

    arrays = [x[..., None] for x in make_edges()]
    metric = make(0.1)
    metric.update_state(*arrays)
    spec = tf.TensorSpec((None, None, None, 1))
    update = tf.function(metric.update_state, input_signature=[spec] * 3)
    expected = float(metric.result())
    metric.reset_state()
    update(*(tf.constant(x, "float32") for x in arrays))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("radius", [0, 1, 3])
def test_dilation(radius):
    labels, *_ = make_edges()
    received = dilate(ops.convert_to_tensor(labels[..., None]), radius)
    received = ops.convert_to_numpy(received)[..., 0]
    np.testing.assert_array_equal(received, dilated(labels, radius))


def test_the_tolerance_forgives_what_is_near():
    labels = np.zeros((1, 256, 256, 1), "float32")
    labels[:, 100] = 1
    for shift, expected in ((0, 1), (2, 1), (3, 0)):
        outputs = np.roll(labels, shift, axis=1)
        metric = OptimalThresholdF1()
        metric.update_state(labels, outputs)
        assert float(metric.result()) == pytest.approx(expected, abs=1e-6)
    # Not thinned, and not matched one to one.
    thick = np.maximum(labels, np.roll(labels, 2, axis=1))
    metric = OptimalThresholdF1()
    metric.update_state(labels, thick)
    assert float(metric.result()) == 1


@pytest.mark.parametrize("make", [OptimalThresholdF1, AveragePrecision])
def test_no_edge_in_the_labels(make):
    _, outputs, _ = make_edges()
    metric = make()
    metric.update_state(0 * outputs[..., None], outputs[..., None])
    assert np.isnan(float(metric.result()))


@pytest.mark.eager
def test_probabilities_at_a_threshold_reach_it():
    labels = np.array([0, 1], "float32").reshape(1, 1, 2, 1)
    metric = OptimalThresholdF1()
    # All of them where nothing is compiled.
    step = 1 if keras.backend.backend() == "torch" else 14
    for i in range(1, 100, step):
        # Neither is rounded to the threshold below.
        outputs = np.array([i / 100 - 1e-6, i / 100], "float32")
        metric.reset_state()
        metric.update_state(labels, outputs.reshape(labels.shape))
        assert float(metric.result()) == 1, i


@pytest.mark.parametrize(
    "arguments", [{"tolerance": -0.1}, {"tolerance": 1}, {"positive": 0}]
)
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="must be .*Received: "):
        AveragePrecision(**arguments)
