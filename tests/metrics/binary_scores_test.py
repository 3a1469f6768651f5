import numpy as np
import pytest

from keras_s4t import metrics

# tp = 2, fp = 1, fn = 1, tn = 3, and a pixel without a label. A probability of
# 0.5 is not positive.
LABELS = np.array([1, 1, 0, 1, 0, 0, 0, np.nan]).reshape(1, 2, 4, 1)
OUTPUTS = np.array([0.9, 0.6, 0.7, 0.5, 0, 0.5, 0.4, 1]).reshape(1, 2, 4, 1)
SCORES = {
    metrics.BinaryAccuracy: 5 / 7,
    metrics.BinaryIoU: 2 / 4,
    metrics.BinaryF1: 4 / 6,
}


@pytest.mark.parametrize("make", SCORES)
def test_by_hand(make):
    metric = make()
    metric.update_state(LABELS, OUTPUTS, np.isfinite(LABELS))
    assert float(metric.result()) == pytest.approx(SCORES[make])


@pytest.mark.parametrize("make", SCORES)
def test_nothing_positive(make):
    metric = make()
    metric.update_state(np.zeros((1, 2, 4, 1)), 0.1 * OUTPUTS)
    if make is metrics.BinaryAccuracy:
        assert float(metric.result()) == 1
    else:
        assert np.isnan(float(metric.result()))


@pytest.mark.parametrize("make", SCORES)
def test_several_channels(make):
    with pytest.raises(ValueError, match="one channel. Received: 2 channels"):
        make().update_state(np.zeros((1, 2, 4, 2)), np.zeros((1, 2, 4, 2)))
