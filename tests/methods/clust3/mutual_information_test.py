import keras
import numpy as np
import pytest
from gradients import value_and_gradient
from keras import ops

from keras_s4t.methods.clust3.mutual_information import mutual_information_loss

FIRST = np.array([[2, 0], [0, 2], [1, 1]], "float32")
SECOND = np.array([[2, 0], [2, 0], [0, 1]], "float32")


def loss_of(logits, **kwargs):
    loss = mutual_information_loss(np.asarray(logits, "float32"), **kwargs)
    return ops.convert_to_numpy(loss)


def softmax(logits):
    exponentials = np.exp(np.asarray(logits, "float64"))
    return exponentials / exponentials.sum(-1, keepdims=True)


def entropy(p):
    return -(p * np.log(p)).sum(-1)


def negative_mutual_information(logits):
    p = softmax(logits)
    return entropy(p).mean() - entropy(p.mean(0))


@pytest.mark.parametrize(
    "logits, conditional, marginal, expected",
    [
        (FIRST, 0.4746050, 0.6931472, -0.2185422),
        (SECOND, 0.4376236, 0.6292247, -0.1916010),
    ],
)
def test_golden_values(logits, conditional, marginal, expected):
    p = softmax(logits)
    assert entropy(p).mean() == pytest.approx(conditional, abs=1e-7)
    assert entropy(p.mean(0)) == pytest.approx(marginal, abs=1e-7)
    assert loss_of(logits) == pytest.approx(expected, abs=1e-6)


def test_is_a_divergence_from_uniform_clusters_up_to_a_constant():
    p = softmax(SECOND)
    marginal = p.mean(0)
    divergence = (marginal * np.log(2 * marginal)).sum()
    assert divergence == pytest.approx(0.0639225, abs=1e-7)
    expected = entropy(p).mean() + divergence - np.log(2)
    assert loss_of(SECOND) == pytest.approx(expected, abs=1e-6)


def test_ends_of_the_range():
    constant = np.tile(np.array([3.0, -1.0, 0.5]), (7, 1))
    assert loss_of(constant) == pytest.approx(0, abs=1e-6)
    balanced = 200 * np.tile(np.eye(5), (3, 1))
    assert loss_of(balanced) == pytest.approx(-np.log(5), abs=1e-6)


def test_order_of_samples_and_clusters_changes_nothing():
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(20, 5))
    expected = negative_mutual_information(logits)
    for shuffled in (
        logits,
        rng.permutation(logits),
        rng.permutation(logits, axis=1),
    ):
        assert loss_of(shuffled) == pytest.approx(expected, rel=1e-5)


def test_clusterings_have_nothing_to_do_with_each_other():
    logits = 2 * np.random.default_rng(0).normal(size=(20, 3, 5))
    losses = loss_of(logits)
    assert losses.shape == (3,)
    expected = [negative_mutual_information(logits[:, i]) for i in range(3)]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_legacy_kl():
    logits = 2 * np.random.default_rng(0).normal(size=(20, 3, 5))
    losses = loss_of(logits, legacy_kl=True)
    for i, loss in enumerate(losses):
        q = softmax(logits[:, i].mean(0))
        divergence = (np.log(1 / 5 / q) / 5).sum()
        expected = entropy(softmax(logits[:, i])).mean() + divergence / 5
        assert loss == pytest.approx(expected, rel=1e-5)
    assert loss_of(np.zeros((4, 2)), legacy_kl=True) == pytest.approx(np.log(2))


def test_gradient():
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    value, gradient = value_and_gradient(mutual_information_loss, logits)
    assert value == pytest.approx(negative_mutual_information(logits), rel=1e-5)
    for index in np.ndindex(*logits.shape):
        step = np.zeros_like(logits, "float64")
        step[index] = 1e-5
        difference = negative_mutual_information(
            logits + step
        ) - negative_mutual_information(logits - step)
        assert gradient[index] == pytest.approx(difference / 2e-5, abs=1e-5)


def test_a_cluster_that_nothing_is_in():
    logits = np.array([[2, 0, -1000], [0, 2, -1000], [1, 1, -1000]], "float32")
    value, gradient = value_and_gradient(mutual_information_loss, logits)
    assert value == pytest.approx(loss_of(FIRST), abs=1e-6)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient[:, :2]).max() > 0.01


def test_result_is_float32():
    logits = ops.cast(ops.convert_to_tensor(FIRST), "bfloat16")
    loss = mutual_information_loss(logits)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    assert float(loss) == pytest.approx(-0.2185422, abs=1e-6)


def test_one_axis_is_not_enough():
    with pytest.raises(ValueError, match=r"must have shape.*\(3,\)"):
        mutual_information_loss(np.zeros(3))
