import keras
import numpy as np
import pytest

from keras_s4t.methods.s4t import RandomMasking

TASKS = ["depth", "edge", "normals", "semseg"]


def maps(strategy, mask_ratio=0.8, num_tokens=256, tasks=TASKS, seed=0):
    masking = RandomMasking(num_tokens, tasks, mask_ratio, strategy, seed=seed)
    drawn = masking.visible_maps(3)
    return np.stack([keras.ops.convert_to_numpy(drawn[t]) for t in tasks], 1)


@pytest.mark.parametrize(
    "mask_ratio, num_visible",
    [
        (0, 256),
        (0.1, 230),
        (0.25, 192),
        (0.5, 128),
        (0.7, 76),
        (0.75, 64),
        (0.8, 51),
        (0.9, 25),
    ],
)
def test_number_of_visible_patches(mask_ratio, num_visible):
    masking = RandomMasking(256, TASKS, mask_ratio)
    assert masking.num_visible == num_visible
    kept, restore = masking.visible_tokens(2)
    assert tuple(kept.shape) == (2, num_visible)
    assert tuple(restore.shape) == (2, 256)


def test_restore_is_the_inverse_of_the_order():
    masking = RandomMasking(16, TASKS, 0.5, seed=0)
    kept, restore = map(keras.ops.convert_to_numpy, masking.visible_tokens(4))
    for indices, inverse in zip(kept, restore, strict=True):
        assert len(set(indices)) == 8
        np.testing.assert_array_equal(inverse[indices], np.arange(8))


def test_shared_is_one_set_for_all_tasks():
    visible = maps("shared")
    assert (visible == visible[:, :1]).all()
    assert (visible.sum(-1) == 51).all()
    assert (visible[0] != visible[1]).any()


def test_random_draws_for_each_task():
    visible = maps("random")
    assert (visible.sum(-1) == 51).all()
    assert (visible[:, 0] != visible[:, 1]).any()


def test_disjoint_shows_no_patch_twice():
    visible = maps("disjoint")
    assert visible.sum(1).max() == 1
    assert (visible.sum(-1) == 51).all()
    assert (maps("disjoint", 0.1).sum(-1) == 64).all()


def test_hide_tasks_hides_whole_tasks():
    visible = maps("hide_tasks")
    assert (visible.min(-1) == visible.max(-1)).all()
    assert (visible[..., 0].sum(1) == 1).all()
    assert (maps("hide_tasks", 0.1)[..., 0].sum(1) == 3).all()


def test_masks_do_not_depend_on_the_order_of_tasks():
    for strategy in ("random", "disjoint", "hide_tasks"):
        masks = {}
        for order in (TASKS, TASKS[::-1]):
            masking = RandomMasking(16, order, 0.5, strategy, seed=1)
            drawn = masking.visible_maps(2)
            masks[tuple(order)] = {
                name: keras.ops.convert_to_numpy(drawn[name]) for name in TASKS
            }
        first, second = masks.values()
        for name in TASKS:
            np.testing.assert_array_equal(first[name], second[name])


def test_every_call_draws_anew():
    masking = RandomMasking(64, TASKS, 0.5, seed=0)
    first = keras.ops.convert_to_numpy(masking.visible_tokens(1)[0])
    second = keras.ops.convert_to_numpy(masking.visible_tokens(1)[0])
    assert (first != second).any()


@pytest.mark.parametrize("mask_ratio", [-0.1, 1, 1.2])
def test_mask_ratio_must_be_a_share(mask_ratio):
    with pytest.raises(ValueError, match=r"range \[0, 1\).*mask_ratio="):
        RandomMasking(16, TASKS, mask_ratio)


def test_something_must_stay_visible():
    with pytest.raises(ValueError, match="at least one patch"):
        RandomMasking(4, TASKS, 0.9)


def test_unknown_strategy_lists_the_valid_ones():
    with pytest.raises(ValueError, match="hide_tasks.*'stripes'"):
        RandomMasking(16, TASKS, 0.5, "stripes")
