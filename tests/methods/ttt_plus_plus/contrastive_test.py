import gradients
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.ttt_plus_plus.contrastive import nt_xent


def numpy_nt_xent(views, temperature):
    """The definition: one softmax per view over all others, in float64."""
    views = np.float64(views)
    views = views / np.linalg.norm(views, axis=-1, keepdims=True)
    count = len(views) // 2
    losses = []
    for i in range(2 * count):
        similarities = np.exp(views @ views[i] / temperature)
        partner = (i + count) % (2 * count)
        others = [j for j in range(2 * count) if j != i]
        losses.append(
            -np.log(similarities[partner] / similarities[others].sum())
        )
    return np.mean(losses)


def random_views(num_images=5, channels=4):
    rng = np.random.default_rng(0)
    return rng.normal(size=(2 * num_images, channels)).astype("float32")


def test_two_orthogonal_samples_with_identical_views():
    views = np.float32([[1, 0], [0, 1], [1, 0], [0, 1]])
    loss = float(nt_xent(views))
    assert loss == pytest.approx(np.log(1 + 2 * np.exp(-2)), rel=1e-6)
    assert loss == pytest.approx(0.2395448, abs=1e-6)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_is_the_definition(temperature):
    views = random_views()
    assert float(nt_xent(views, temperature)) == pytest.approx(
        numpy_nt_xent(views, temperature), rel=1e-5
    )


def test_only_directions_count():
    views = random_views()
    lengths = np.random.default_rng(1).uniform(0.1, 9, (10, 1))
    longer = (views * lengths).astype("float32")
    assert float(nt_xent(views)) == pytest.approx(
        float(nt_xent(longer)), rel=1e-5
    )


def test_a_gradient_step_reduces_the_loss_and_is_finite_at_zero():
    views = random_views()
    views[3] = 0
    value, gradient = gradients.value_and_gradient(nt_xent, views)
    assert np.isfinite(gradient).all()
    norms = np.abs(gradient).sum(-1)
    assert (norms[[0, 1, 2, 4]] > 0).all()
    views[[0, 5]] -= 0.1 * gradient[[0, 5]]
    assert float(nt_xent(views)) < value


@pytest.mark.eager
def test_a_single_image_has_no_negatives():
    value, gradient = gradients.value_and_gradient(nt_xent, random_views(1))
    assert value == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


def test_half_precision_is_computed_in_float32():
    views = ops.cast(random_views(), "bfloat16")
    exact = ops.convert_to_numpy(ops.cast(views, "float32"))
    assert float(nt_xent(views)) == pytest.approx(
        numpy_nt_xent(exact, 0.5), rel=1e-5
    )
