import numpy as np
import pytest
from keras import ops

from keras_s4t import losses
from keras_s4t import tasks

OUTPUTS = np.array([-3.0, 0.0, 0.25, 2.0], "float32").reshape(1, 2, 2, 1)
CLIPPED = [0, 0, 0.25, 1]
SIGMOID = 1 / (1 + np.exp([3, 0, -0.25, -2]))


@pytest.mark.parametrize(
    "loss, function, divergence, probabilities",
    [
        (
            "l1",
            losses.absolute_error,
            losses.gaussian_kl_divergence,
            CLIPPED,
        ),
        (
            "mse",
            losses.squared_error,
            losses.gaussian_kl_divergence,
            CLIPPED,
        ),
        (
            "balanced_bce",
            losses.balanced_binary_cross_entropy,
            losses.bernoulli_kl_divergence,
            SIGMOID,
        ),
    ],
)
def test_losses_and_what_their_outputs_mean(
    loss, function, divergence, probabilities
):
    task = tasks.edge(loss)
    assert task.loss is function
    assert task.divergence is divergence
    values = ops.convert_to_numpy(task.postprocess(OUTPUTS))
    np.testing.assert_allclose(values.ravel(), probabilities, rtol=1e-5)


def test_outputs():
    task = tasks.edge()
    assert task.loss is losses.absolute_error
    assert task.num_outputs == 1
    assert task.label_shape((4, 6)) == (4, 6, 1)


def test_unknown_loss():
    valid = r"\['balanced_bce', 'l1', 'mse'\]"
    with pytest.raises(ValueError, match=f"{valid}.*loss='bce'"):
        tasks.edge("bce")


def test_picture_of_an_edge_is_black():
    task = tasks.edge()
    values = np.array([[0.0, 0.5, 1.0]])[..., None]
    assert task.value_range([values]) == (0.0, 1.0)
    picture = task.picture(values, task.value_range([values]))
    white, gray, black = picture[0]
    assert (white == 255).all() and (black == 0).all()
    assert (abs(gray.astype(int) - 128) < 8).all()
    np.testing.assert_array_equal(task.picture(values), picture)


def test_an_aligned_metric_has_another_name():
    task = tasks.edge(alignment="batch_affine")
    metric = task.make_metric()
    assert metric.name == task.metric_key == "edge_batch_affine_rmse"
    edges = np.random.default_rng(0).uniform(size=(2, 3, 4, 1))
    metric.update_state(edges, 255 * edges)
    np.testing.assert_allclose(float(metric.result()), 0, atol=1e-5)
    again = tasks.Task.from_config(task.get_config())
    assert again.metric_key == task.metric_key
