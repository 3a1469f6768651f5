"""Compares the ray caster with analytic distances and with marching."""

import numpy as np
import pytest

from keras_s4t.data.synth_rooms.rendering.hits import describe_hits
from keras_s4t.data.synth_rooms.rendering.intersection import intersect
from keras_s4t.data.synth_rooms.rendering.intersection import occluded
from keras_s4t.data.synth_rooms.rendering.packed_scene import PackedScene
from keras_s4t.data.synth_rooms.rendering.primitives import BOX
from keras_s4t.data.synth_rooms.rendering.primitives import ELLIPSOID
from keras_s4t.data.synth_rooms.rendering.primitives import FRUSTUM
from keras_s4t.data.synth_rooms.room.pose import pitch_rotation
from keras_s4t.data.synth_rooms.room.pose import yaw_rotation
from keras_s4t.data.synth_rooms.room.scene import Ambient
from keras_s4t.data.synth_rooms.room.scene import Group
from keras_s4t.data.synth_rooms.room.scene import Material
from keras_s4t.data.synth_rooms.room.scene import Part
from keras_s4t.data.synth_rooms.room.scene import Scene


def pack(part, rotation=None):
    """A room of 4 x 4 x 2.5 meters with one part around (2, 2, 1)."""
    rotation = np.eye(3) if rotation is None else rotation
    gray = (0.5, 0.5, 0.5)
    scene = Scene(
        room_type="living",
        size=np.array([4.0, 4.0, 2.5]),
        groups=[Group(rotation, np.array([2.0, 2.0, 1.0]), 3, 2, [part])],
        materials=[
            Material("plain", gray, gray, 1.0, 1.0, 0.0, 0.0, 0, (0, 0, 0))
        ],
        shell=[0] * 6,
        lights=[],
        ambient=Ambient(1.0, 0, 0),
        footprints=[],
    )
    return PackedScene(scene)


def column(*vector):
    return np.array(vector, np.float32)[:, None]


@pytest.mark.parametrize(
    "part, distance, normal",
    [
        (Part(BOX, (-0.5,) * 3, (0.5,) * 3, 0), 1.5, (0, -1, 0)),
        (Part(ELLIPSOID, (0, 0, 0), (0.3, 0.7, 0.2), 0), 1.3, (0, -1, 0)),
        (Part(FRUSTUM, (0, 0, -0.5), (0.4, 0.4, 0.5), 0), 1.6, (0, -1, 0)),
        # Half way up, the cone's radius is 0.4 and its slope -0.4.
        (
            Part(FRUSTUM, (0, 0, -0.5), (0.6, 0.2, 0.5), 0),
            1.6,
            (0, -1 / np.hypot(1, 0.4), 0.4 / np.hypot(1, 0.4)),
        ),
    ],
)
def test_distance_and_normal_are_analytic(part, distance, normal):
    packed = pack(part)
    origin, direction = column(2, 0, 1), column(0, 1, 0)
    distances, parts = intersect(packed, origin, direction)
    np.testing.assert_allclose(distances, distance, rtol=1e-5)
    assert parts[0] == 0
    hits = describe_hits(packed, origin, direction, distances, parts)
    np.testing.assert_allclose(hits.point[0], (2, distance, 1), atol=1e-5)
    np.testing.assert_allclose(hits.normal[0], normal, atol=1e-5)
    assert (hits.class_id[0], hits.instance[0]) == (2, 3)
    for margin, expected in ((0.1, True), (-0.1, False)):
        limit = np.array([distance + margin], np.float32)
        assert occluded(packed, origin, direction, limit)[0] == expected


def test_caps_of_a_frustum():
    packed = pack(Part(FRUSTUM, (0, 0, -0.5), (0.6, 0.2, 0.5), 0))
    for origin, direction, distance in (
        (column(2.1, 2, 2.5), column(0, 0, -1), 1.0),
        (column(2.5, 2, 0), column(0, 0, 1), 0.5),
    ):
        distances, parts = intersect(packed, origin, direction)
        np.testing.assert_allclose(distances, distance, rtol=1e-5)
        hits = describe_hits(packed, origin, direction, distances, parts)
        np.testing.assert_allclose(hits.normal, -direction.T, atol=1e-6)
    # Beside the upper cap, the ray hits the lateral surface at radius 0.4.
    distances, _ = intersect(packed, column(2.4, 2, 2.5), column(0, 0, -1))
    np.testing.assert_allclose(distances, 1.5, rtol=1e-5)


def test_rotated_box():
    """The edge of a cube rotated by 45 degrees is nearer by sqrt(2)."""
    cube = Part(BOX, (-0.5,) * 3, (0.5,) * 3, 0)
    rotation = yaw_rotation(np.pi / 4)
    distances, _ = intersect(
        pack(cube, rotation), column(2, 0, 1), column(0, 1, 0)
    )
    np.testing.assert_allclose(distances, 2 - np.sqrt(0.5), rtol=1e-5)
    packed = pack(cube, pitch_rotation(np.pi / 6))
    origin, direction = column(2, 0, 1), column(0, 1, 0)
    distances, parts = intersect(packed, origin, direction)
    np.testing.assert_allclose(
        distances, 2 - 0.5 / np.cos(np.pi / 6), rtol=1e-5
    )
    hits = describe_hits(packed, origin, direction, distances, parts)
    normal = (0, -np.cos(np.pi / 6), -np.sin(np.pi / 6))
    np.testing.assert_allclose(hits.normal[0], normal, atol=1e-5)


def test_miss():
    packed = pack(Part(ELLIPSOID, (0, 0, 0), (0.3, 0.3, 0.3), 0))
    _, parts = intersect(packed, column(2.31, 0, 1), column(0, 1, 0))
    assert parts[0] < 0
    _, parts = intersect(packed, column(2.29, 0, 1), column(0, 1, 0))
    assert parts[0] == 0


@pytest.mark.parametrize(
    "axis, sign, distance, face, class_id",
    [
        (0, 1, 3.0, 1, 0),
        (0, -1, 1.0, 0, 0),
        (1, 1, 3.0, 3, 0),
        (1, -1, 1.0, 2, 0),
        (2, -1, 0.5, 4, 1),
        (2, 1, 2.0, 5, 0),
    ],
)
def test_shell(axis, sign, distance, face, class_id):
    packed = pack(Part(BOX, (-0.1,) * 3, (0.1,) * 3, 0))
    origin = column(1, 1, 0.5)
    direction = np.zeros((3, 1), np.float32)
    direction[axis] = sign
    distances, parts = intersect(packed, origin, direction)
    np.testing.assert_allclose(distances, distance, rtol=1e-6)
    assert parts[0] == -1 - face
    hits = describe_hits(packed, origin, direction, distances, parts)
    np.testing.assert_array_equal(hits.normal, -direction.T)
    assert hits.class_id[0] == class_id
    assert not occluded(packed, origin, direction, np.full(1, 9, np.float32))[0]


def is_inside(packed, points, shrink=0.0):
    """Point membership in float64, independent of the ray equations."""
    inside = np.zeros(len(points), bool)
    for part in range(len(packed.part_shape)):
        group = packed.part_group[part]
        rotation = packed.group_rotation[group].astype(float)
        local = (points - packed.group_position[group]) @ rotation
        low = packed.part_low[part].astype(float)
        high = packed.part_high[part].astype(float)
        if packed.part_shape[part] == BOX:
            member = (local > low + shrink) & (local < high - shrink)
            member = member.all(1)
        elif packed.part_shape[part] == ELLIPSOID:
            member = (((local - low) / (high - shrink)) ** 2).sum(1) < 1
        else:
            share = (local[:, 2] - low[2]) / (high[2] - low[2])
            radius = high[0] + (high[1] - high[0]) * share
            out = np.hypot(local[:, 0] - low[0], local[:, 1] - low[1])
            member = (
                (local[:, 2] > low[2] + shrink)
                & (local[:, 2] < high[2] - shrink)
                & (out < radius - shrink)
            )
        inside |= member
    return inside


def some_rays(sample, count):
    pixels = np.random.default_rng(0).choice(
        sample.camera.size**2, count, replace=False
    )
    return sample.camera.rays(pixels=pixels)


def test_nearest_hit_by_marching(sample):
    origins, directions = some_rays(sample, 120)
    distances, parts = intersect(sample.packed, origins, directions)
    # There is no part in front of the hit ...
    steps = np.linspace(0, 1, 300) * (distances[:, None] - 2e-3)
    points = origins.T[:, None] + steps[..., None] * directions.T[:, None]
    points = points.reshape(-1, 3).astype(float)
    assert not is_inside(sample.packed, points, shrink=1e-3).any()
    # ... and a part directly behind it, except at grazed corners.
    on_part = parts >= 0
    behind = origins + (distances + 5e-4) * directions
    behind = behind.T[on_part].astype(float)
    assert on_part.sum() > 20
    assert is_inside(sample.packed, behind).mean() > 0.97


def test_occluded_is_a_nearer_hit_of_a_part(sample):
    origins, directions = some_rays(sample, 400)
    distances, parts = intersect(sample.packed, origins, directions)
    factors = np.random.default_rng(1).choice([0.95, 1.05], 400)
    # Furniture may overlap with the walls: stop in front of them.
    factors[parts < 0] = 0.99
    limits = (distances * factors).astype(np.float32)
    expected = factors > 1
    assert 10 < expected.sum() < 390
    np.testing.assert_array_equal(
        occluded(sample.packed, origins, directions, limits), expected
    )


def test_chunks_do_not_matter(sample, monkeypatch):
    origins, directions = some_rays(sample, 400)
    whole = intersect(sample.packed, origins, directions)
    monkeypatch.setattr(
        "keras_s4t.data.synth_rooms.rendering.intersection.CHUNK", 64
    )
    pieces = intersect(sample.packed, origins, directions)
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(a, b)
