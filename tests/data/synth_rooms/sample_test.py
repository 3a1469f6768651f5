"""Tests of determinism, independence, domains and contents of rooms."""

import numpy as np
import pytest

from keras_s4t.data.synth_rooms import CLASS_NAMES
from keras_s4t.data.synth_rooms.classes import IGNORE_CLASS
from keras_s4t.data.synth_rooms.sample import render_scene

pytestmark = pytest.mark.eager

SIZE = 32
COUNT = 12


def labels_of(sample):
    rendering = sample.rendering
    return {
        "class_id": rendering.class_id,
        "instance": rendering.instance,
        "depth": rendering.depth,
        "normals": rendering.normals,
        "edges": sample.edges,
    }


@pytest.fixture(scope="module")
def samples():
    """The same rooms in several domains."""
    return {
        domain: [render_scene(domain, "test", i, SIZE) for i in range(COUNT)]
        for domain in ("source", "evening", "sensor", "clutter", "robot")
    }


def images(samples):
    return np.stack([sample.image for sample in samples]).astype(float)


def test_rooms_are_deterministic():
    first = render_scene("mixed", "train", 3, SIZE)
    second = render_scene("mixed", "train", 3, SIZE)
    np.testing.assert_array_equal(first.image, second.image)
    for name, label in labels_of(first).items():
        np.testing.assert_array_equal(label, labels_of(second)[name])


@pytest.mark.parametrize(
    "split, index, seed", [("train", 4, 0), ("test", 3, 0), ("train", 3, 1)]
)
def test_index_split_and_seed_give_other_rooms(split, index, seed):
    one = render_scene("source", "train", 3, SIZE)
    other = render_scene("source", split, index, SIZE, seed)
    difference = np.abs(one.rendering.depth - other.rendering.depth)
    assert difference.mean() > 0.1


def test_size_keeps_the_view():
    small = render_scene("source", "train", 0, 24)
    large = render_scene("source", "train", 0, 72)
    assert small.camera.pose == large.camera.pose
    # Centers of low-resolution pixels are centers of high-resolution ones.
    np.testing.assert_array_equal(
        small.rendering.part, large.rendering.part[1::3, 1::3]
    )


@pytest.mark.parametrize("domain", ["evening", "retro", "sensor"])
def test_photometric_domains_keep_the_labels(domain):
    source = render_scene("source", "test", 0, SIZE)
    target = render_scene(domain, "test", 0, SIZE)
    for name, label in labels_of(source).items():
        np.testing.assert_array_equal(label, labels_of(target)[name])
    difference = np.abs(source.image.astype(int) - target.image)
    assert difference.mean() > 8


def test_all_domains_share_the_room(samples):
    for domain in ("clutter", "robot"):
        for source, target in zip(
            samples["source"], samples[domain], strict=True
        ):
            one, other = source.packed.scene, target.packed.scene
            assert one.room_type == other.room_type
            np.testing.assert_array_equal(one.size, other.size)


def test_evening_is_darker_and_warmer(samples):
    source, evening = images(samples["source"]), images(samples["evening"])
    assert evening.mean() < 0.8 * source.mean()
    warmth, source_warmth = (
        x[..., 0].mean() / x[..., 2].mean() for x in (evening, source)
    )
    assert warmth > 1.3 * source_warmth


def test_sensor_is_flatter(samples):
    contrast, source_contrast = (
        images(samples[domain]).std((1, 2)).mean()
        for domain in ("sensor", "source")
    )
    assert contrast < 0.8 * source_contrast


def test_robot_is_lower_and_wider(samples):
    for source, robot in zip(samples["source"], samples["robot"], strict=True):
        assert robot.camera.position[2] < source.camera.position[2]
        assert robot.camera.focal_length < source.camera.focal_length


def test_clutter_has_more_small_objects(samples):
    shares = {
        domain: np.mean(
            [s.rendering.class_id == IGNORE_CLASS for s in samples[domain]]
        )
        for domain in ("source", "clutter")
    }
    assert shares["clutter"] > 2 * shares["source"] > 0


def test_every_class_is_common():
    seen = np.stack(
        [
            np.bincount(
                render_scene("source", "train", i, 24)
                .rendering.class_id.ravel()
                .clip(0, len(CLASS_NAMES)),
                minlength=len(CLASS_NAMES) + 1,
            )
            > 0
            for i in range(60)
        ]
    )
    for name, share in zip(CLASS_NAMES, seen.mean(0)[:-1], strict=True):
        assert share > 0.2, name


def test_parts_stay_inside_the_room(samples):
    """Only tilted parts and lamps may reach beyond the walls."""
    for sample in samples["clutter"]:
        packed = sample.packed
        low = packed.bound_center.min(0)
        high = packed.bound_center.max(0)
        assert (low > -0.05).all() and (high < packed.size + 0.05).all()
