import math

import numpy as np
import pytest

from keras_s4t import metrics

NAN, INF = math.nan, math.inf


def value(metric, labels, outputs, mask=None):
    metric.update_state(labels, outputs, mask)
    return float(metric.result())


FORMULAS = {
    "abs_rel": lambda y, p: (np.abs(y - p) / y).mean(),
    "sq_rel": lambda y, p: (np.square(y - p) / y).mean(),
    "rmse_log": lambda y, p: np.sqrt(
        np.square(np.log(y) - np.log(np.maximum(p, 1e-3))).mean()
    ),
    "delta1": lambda y, p: ((p > 0) & (ratio(y, p) < 1.25)).mean(),
    "delta2": lambda y, p: ((p > 0) & (ratio(y, p) < 1.25**2)).mean(),
    "delta3": lambda y, p: ((p > 0) & (ratio(y, p) < 1.25**3)).mean(),
}


def ratio(labels, outputs):
    outputs = np.where(outputs > 0, outputs, NAN)
    return np.maximum(labels / outputs, outputs / labels)


def make(name):
    return {
        "abs_rel": metrics.AbsoluteRelativeError,
        "sq_rel": metrics.SquaredRelativeError,
        "rmse_log": metrics.RootMeanSquaredLogError,
        "delta1": metrics.ShareWithinFactor,
        "delta2": lambda: metrics.ShareWithinFactor(1.25**2),
        "delta3": lambda: metrics.ShareWithinFactor(1.25**3),
    }[name]()


every_metric = pytest.mark.parametrize("name", FORMULAS)


def make_depths():
    """Depths, predictions with zeros and negative ones, and weights."""
    rng = np.random.default_rng(0)
    labels = rng.uniform(0.5, 8, (2, 6, 7, 1))
    outputs = labels * np.exp(rng.normal(0, 0.4, labels.shape))
    outputs[0, 0, :2, 0] = [0, -1]
    return labels, outputs, rng.integers(0, 3, labels.shape).astype("float32")


@every_metric
def test_formula(name):
    labels, outputs, _ = make_depths()
    expected = FORMULAS[name](labels, outputs)
    assert value(make(name), labels, outputs) == pytest.approx(
        expected, rel=1e-4
    )


@every_metric
def test_weights(name):
    labels, outputs, weights = make_depths()
    # A weight of 2 counts as two pixels.
    repeats = weights.astype(int).ravel()
    pair = [np.repeat(x.ravel(), repeats) for x in (labels, outputs)]
    assert value(make(name), labels, outputs, weights) == pytest.approx(
        FORMULAS[name](*pair), rel=1e-4
    )


@every_metric
@pytest.mark.parametrize("undefined", [0.0, -1.0, NAN, INF])
def test_labels_without_a_relative_error_do_not_count(name, undefined):
    labels, outputs, _ = make_depths()
    expected = FORMULAS[name](labels[:1], outputs[:1])
    labels[1] = undefined
    # Not even if the prediction is lost there.
    outputs[1, 0, 0] = NAN
    mask = np.ones_like(labels)
    assert value(make(name), labels, outputs, mask) == pytest.approx(
        expected, rel=1e-4
    )
    labels[:] = undefined
    assert math.isnan(value(make(name), labels, outputs, mask))


def test_predictions_that_have_no_logarithm():
    labels = np.full((1, 1, 3, 1), 2.0)
    outputs = np.array([0.0, -5.0, 1e-9]).reshape(labels.shape)
    received = value(metrics.RootMeanSquaredLogError(), labels, outputs)
    assert received == pytest.approx(math.log(2 / 1e-3), rel=1e-5)
    received = value(metrics.RootMeanSquaredLogError(0.5), labels, outputs)
    assert received == pytest.approx(math.log(4), rel=1e-5)
    assert value(metrics.ShareWithinFactor(1e9), labels, outputs) == 0


def test_the_factor_itself_is_not_within():
    labels = np.full((1, 1, 4, 1), 4.0)
    outputs = np.array([5.0, 4.999, 3.2001, 2.0]).reshape(labels.shape)
    assert value(metrics.ShareWithinFactor(1.25), labels, outputs) == 0.5


def test_errors_of_channels_are_summed():
    labels = np.array([2.0, 4.0]).reshape(1, 1, 1, 2)
    outputs = np.array([3.0, 3.0]).reshape(1, 1, 1, 2)
    assert value(
        metrics.AbsoluteRelativeError(), labels, outputs
    ) == pytest.approx(0.5 + 0.25)
    assert value(metrics.MeanAbsoluteError(), labels, outputs) == 2
    # All channels must be within.
    assert value(metrics.ShareWithinFactor(1.4), labels, outputs) == 0
    assert value(metrics.ShareWithinFactor(1.6), labels, outputs) == 1


@pytest.mark.parametrize(
    "make_wrong",
    [
        lambda: metrics.ShareWithinFactor(1.0),
        lambda: metrics.RootMeanSquaredLogError(0.0),
    ],
)
def test_wrong_arguments(make_wrong):
    with pytest.raises(ValueError, match="must be .*Received: "):
        make_wrong()
