import numpy as np
import pytest
from keras import ops

from keras_s4t import losses
from keras_s4t import tasks

LOGITS = np.array([-3.0, 0.0, 0.25, 2.0], "float32").reshape(1, 2, 2, 1)


def test_outputs_are_logits():
    task = tasks.binary("saliency")
    assert (task.name, task.title) == ("saliency", "Saliency")
    assert task.num_outputs == 1 and task.label_shape((4, 6)) == (4, 6, 1)
    assert task.metric_key == "saliency_iou" and task.higher_is_better
    assert task.divergence is losses.bernoulli_kl_divergence
    values = ops.convert_to_numpy(task.postprocess(LOGITS))
    np.testing.assert_allclose(values, 1 / (1 + np.exp(-LOGITS)), rtol=1e-5)


@pytest.mark.parametrize("positive_weight", [0.5, 0.9])
def test_loss_is_the_cross_entropy(positive_weight):
    task = tasks.binary("saliency", positive_weight=positive_weight)
    labels = np.array([0, 1, 0, 1], "float32").reshape(LOGITS.shape)
    mask = np.array([1, 1, 1, 0], "float32").reshape(LOGITS.shape)
    p = 1 / (1 + np.exp(-LOGITS.astype("float64")))
    values = -2 * np.where(
        labels > 0,
        positive_weight * np.log(p),
        (1 - positive_weight) * np.log(1 - p),
    )
    expected = values.ravel()[:3].mean()
    received = float(task.loss(labels, LOGITS, mask))
    assert received == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("convert", [np.asarray, ops.convert_to_tensor])
def test_what_is_missing(convert):
    task = tasks.binary("saliency")
    label = np.array([0, 1, np.nan, 255], "float32").reshape(LOGITS.shape)
    known = task.label.is_known(convert(label))
    known = np.array(ops.convert_to_numpy(known)).ravel()
    # 255 is no missing value but a mistake.
    np.testing.assert_array_equal(known, [True, True, False, True])
    values = label[known.reshape(label.shape)][:, None]
    (text,) = task.label.suspicions(values)
    assert "divided by 255. Received: values in [0, 255]" in text
    assert not task.label.suspicions(values[:2])


def test_picture():
    task = tasks.binary("saliency")
    values = np.array([[0.0, 1.0, np.nan]])[..., None]
    assert task.value_range([values]) == (0.0, 1.0)
    low, high, missing = task.picture(values, (0.0, 1.0))[0]
    assert (low != high).any() and (missing == 255).all()
    assert isinstance(task.legend, str)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="Received: positive_weight=2"):
        tasks.binary("saliency", positive_weight=2)
