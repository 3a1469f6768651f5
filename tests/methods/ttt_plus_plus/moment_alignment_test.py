import gradients
import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.ttt_plus_plus.moment_alignment import MomentAlignment

WEIGHTS = (0.05, 0.2)
MEAN_WEIGHT = 0.5


def make_alignment(**kwargs):
    alignment = MomentAlignment(queue_size=8, **kwargs)
    alignment.build((None, 2, 3, 4), (None, 5))
    return alignment


def make_batch(seed, images=3):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(seed, 1, (images, 2, 3, 4)).astype("float32"),
        rng.normal(seed, 1, (images, 5)).astype("float32"),
    )


def collected(seeds=(1, 2, 3), **kwargs):
    alignment = make_alignment(**kwargs)
    for seed in seeds:
        alignment.collect(*map(ops.convert_to_tensor, make_batch(seed)))
    return alignment


def loss_of(alignment, batch):
    return float(ops.convert_to_numpy(alignment(*batch)))


def moments(x):
    x = np.float64(x)
    return x.mean(0), np.cov(x.T)


def distances(first, second):
    """Of means, averaged over channels, and of covariances, by 4 d^2."""
    channels = len(first[0])
    mean = ((first[0] - second[0]) ** 2).mean()
    coral = ((first[1] - second[1]) ** 2).sum() / (4 * channels**2)
    return np.array([mean, coral])


def expected_loss(sources, samples, num_images, with_covariance=True):
    """Of features or of projections, from the batches of both domains."""
    first, *others = map(moments, sources)
    chance = np.mean([distances(m, first) for m in others], axis=0)
    # Of batches of 3 images each.
    mean, coral = distances(
        moments(samples), moments(np.concatenate(sources))
    ) / (chance * 3 / num_images)
    return coral * with_covariance + MEAN_WEIGHT * mean


def by_kind(seeds, images=3):
    features, projections = zip(
        *(make_batch(s, images) for s in seeds), strict=True
    )
    return [x.reshape(-1, 4) for x in features], list(projections)


def test_by_hand_and_the_covariance_of_projections_waits_for_half_the_queue():
    source_features, source_projections = by_kind((1, 2, 3))
    alignment = collected()
    for step, count in enumerate((3, 6, 8)):
        targets = list(range(10, 11 + step))
        features, projections = by_kind(targets)
        latest = np.concatenate(projections[::-1])[:8]
        assert len(latest) == count
        expected = WEIGHTS[0] * expected_loss(
            source_features, features[-1], 3
        ) + WEIGHTS[1] * expected_loss(
            source_projections, latest, count, with_covariance=count >= 4
        )
        loss = loss_of(alignment, make_batch(targets[-1]))
        assert loss == pytest.approx(expected, rel=1e-3)


def test_nothing_to_do_where_the_target_is_what_was_collected():
    alignment = collected([4])
    batch = make_batch(4)
    assert loss_of(alignment, batch) == pytest.approx(0, abs=1e-4)
    # Six entries now, enough for a covariance, which is another one only by
    # counting every image twice.
    assert loss_of(alignment, batch) < 0.02
    assert loss_of(alignment, make_batch(9)) > 1


def test_collecting_leaves_the_queue_alone():
    queue = collected().queue
    for variable in queue.variables:
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), 0)


@pytest.mark.parametrize("images", [1, 3])
def test_gradients_are_finite_from_the_first_step_on(images):
    alignment = collected()
    features, projections = make_batch(10, images)
    for _ in range(3):
        value, gradient = gradients.value_and_gradient(
            lambda x: alignment(features, x), projections
        )
        assert np.isfinite(value)
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0
        # JAX left its tracers in the queue.
        alignment.queue.set_weights(
            [np.ones((8, 5), "float32"), np.array(images)]
        )


def test_weights():
    batch = make_batch(10)
    both, features, projections, nothing = (
        loss_of(collected(align_weights=weights), batch)
        for weights in (WEIGHTS, (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))
    )
    assert nothing == 0
    assert both == pytest.approx(
        WEIGHTS[0] * features + WEIGHTS[1] * projections, rel=1e-5
    )
    without_means = collected(align_weights=(0.0, 1.0), mean_weight=0.0)
    assert loss_of(without_means, batch) == 0


def test_serializes():
    alignment = MomentAlignment(7, (1.0, 2.0), 3.0)
    config = keras.saving.serialize_keras_object(alignment)
    clone = keras.saving.deserialize_keras_object(config)
    assert clone.get_config() == alignment.get_config()


@pytest.mark.parametrize(
    "kwargs", [{"align_weights": (-1.0, 1.0)}, {"mean_weight": -0.5}]
)
def test_weights_must_not_be_negative(kwargs):
    ((name, value),) = kwargs.items()
    with pytest.raises(ValueError, match=f"negative.*{name}="):
        MomentAlignment(**kwargs)
