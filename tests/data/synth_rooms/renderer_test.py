"""Tests of label conventions: z-depth, normals, classes."""

import numpy as np

from keras_s4t.data.synth_rooms.classes import CLASS_NAMES
from keras_s4t.data.synth_rooms.classes import IGNORE_CLASS
from keras_s4t.data.synth_rooms.rendering.camera import Camera
from keras_s4t.data.synth_rooms.rendering.camera import CameraPose
from keras_s4t.data.synth_rooms.rendering.intersection import intersect


def image_plane(sample):
    """Coordinates of pixel centers at unit depth, x right and y up."""
    size = sample.camera.size
    offset = (np.arange(size) + 0.5 - size / 2) / sample.camera.focal_length
    return np.broadcast_to(offset, (size, size)), np.broadcast_to(
        -offset[:, None], (size, size)
    )


def test_camera_frame():
    """Yaw 0 looks along +y, with x to the right and z up."""
    pose = CameraPose((1.0, 2.0, 1.5), 0.0, 0.0, 0.0, 90.0)
    camera = Camera(pose, 2)
    np.testing.assert_allclose(camera.focal_length, 1.0)
    origins, directions = camera.rays()
    np.testing.assert_allclose(origins, np.tile([[1], [2], [1.5]], 4))
    expected = np.array(
        [[-0.5, 1, 0.5], [0.5, 1, 0.5], [-0.5, 1, -0.5], [0.5, 1, -0.5]]
    )
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(directions.T, expected, atol=1e-6)


def test_camera_angles():
    """Positive yaw turns left, negative pitch looks down."""
    left = Camera(CameraPose((0, 0, 0), np.pi / 2, 0.0, 0.0, 60.0), 3)
    np.testing.assert_allclose(-left.rotation[:, 2], (-1, 0, 0), atol=1e-6)
    down = Camera(CameraPose((0, 0, 0), 0.0, -np.pi / 6, 0.0, 60.0), 3)
    forward = (0, np.cos(np.pi / 6), -0.5)
    np.testing.assert_allclose(-down.rotation[:, 2], forward, atol=1e-6)
    rolled = Camera(CameraPose((0, 0, 0), 0.4, -0.2, 0.3, 60.0), 3)
    np.testing.assert_allclose(
        rolled.rotation.T @ rolled.rotation, np.eye(3), atol=1e-6
    )


def test_depth_is_along_the_optical_axis(sample):
    distances, _ = intersect(sample.packed, *sample.camera.rays())
    x, y = image_plane(sample)
    depth = sample.rendering.depth
    np.testing.assert_allclose(
        depth * np.sqrt(1 + x**2 + y**2),
        distances.reshape(depth.shape),
        rtol=2e-4,
    )
    assert 0 < depth.min() and depth.max() < 9


def test_normals_are_unit_and_face_the_camera(sample):
    normals = sample.rendering.normals
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-4)
    x, y = image_plane(sample)
    toward_camera = np.stack([-x, -y, np.ones_like(x)], -1)
    assert ((normals * toward_camera).sum(-1) > -1e-4).all()


def test_normals_agree_with_the_depth(sample):
    """Cross products of back-projected neighbors, where depth is planar."""
    x, y = image_plane(sample)
    depth, normals = sample.rendering.depth, sample.rendering.normals
    points = np.stack([x, y, -np.ones_like(x)], -1) * depth[..., None]
    right = points[1:-1, 2:] - points[1:-1, :-2]
    up = points[:-2, 1:-1] - points[2:, 1:-1]
    numeric = np.cross(right, up)
    numeric /= np.linalg.norm(numeric, axis=-1, keepdims=True)
    center, part = normals[1:-1, 1:-1], sample.rendering.part
    flat = np.ones(center.shape[:2], bool)
    inner, head, tail = slice(1, -1), slice(None, -2), slice(2, None)
    for there in ((inner, head), (inner, tail), (head, inner), (tail, inner)):
        flat &= part[there] == part[inner, inner]
        flat &= (normals[there] * center).sum(-1) > 0.99999
    assert flat.mean() > 0.5
    cosine = np.clip((numeric * center).sum(-1)[flat], -1, 1)
    angle = np.degrees(np.arccos(cosine))
    assert np.percentile(angle, 99) < 0.5 and angle.max() < 3


def test_floor_normals_point_up(sample):
    """World up in the camera frame is the last row of the rotation."""
    on_floor = sample.rendering.part == -1 - 4
    assert on_floor.any()
    up = np.broadcast_to(sample.camera.rotation[2], (on_floor.sum(), 3))
    np.testing.assert_allclose(
        sample.rendering.normals[on_floor], up, atol=1e-5
    )


def test_classes_follow_the_parts(sample):
    rendering, packed = sample.rendering, sample.packed
    known = {*range(len(CLASS_NAMES)), IGNORE_CLASS}
    assert set(np.unique(rendering.class_id)) <= known
    on_part = rendering.part >= 0
    part = rendering.part[on_part]
    np.testing.assert_array_equal(
        rendering.class_id[on_part], packed.part_class[part]
    )
    np.testing.assert_array_equal(
        rendering.instance[on_part], packed.part_instance[part]
    )


def test_radiance_is_finite_and_lit(sample):
    radiance = sample.rendering.radiance
    assert np.isfinite(radiance).all()
    assert radiance.min() >= 0 and radiance.max() <= 1.5
    assert radiance.std() > 0.02
