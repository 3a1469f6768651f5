"""Choice of the camera pose from several candidates."""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms.classes import CLASS_IDS
from keras_s4t.data.synth_rooms.classes import IGNORE_CLASS
from keras_s4t.data.synth_rooms.random_stream import RandomStream
from keras_s4t.data.synth_rooms.rendering.camera import Camera
from keras_s4t.data.synth_rooms.rendering.camera import CameraPose
from keras_s4t.data.synth_rooms.rendering.intersection import intersect

CANDIDATES = 6
TRIES = 40
PROBE_SIZE = 16
FIRST_FURNITURE_CLASS = CLASS_IDS["floor"] + 1


def choose_viewpoint(packed, domain, key):
    """Chooses a pose that shows many pieces of furniture at a suitable size."""
    stream = RandomStream(*key, "camera")
    camera = draw_camera(packed.scene, domain, stream)
    poses = [
        dataclasses.replace(camera, position=(x, y, camera.height), yaw=yaw)
        for x, y, yaw in _candidates(packed.scene, stream)
    ]
    return poses[int(np.argmax(score_views(packed, poses)))]


def draw_camera(scene, domain, stream):
    """Draws the camera of a room, in its corner, looking along +y.

    Args:
        scene: `Scene`.
        domain: `Domain`.
        stream: `RandomStream`.

    Returns:
        `CameraPose`.
    """
    height = stream.within(domain.camera_height)
    pitch = np.radians(stream.within(domain.camera_pitch))
    roll = np.radians(stream.within(domain.camera_roll))
    field_of_view = stream.within(domain.field_of_view)
    height = min(height, scene.size[2] - 0.2)
    return CameraPose((0.0, 0.0, height), 0.0, pitch, roll, field_of_view)


def score_views(packed, poses):
    """Scores of views, rendered at a small size.

    They increase with the number of classes, the number of pieces and the area
    of furniture, and decrease with dominant pieces and near obstacles.

    Args:
        packed: `PackedScene`.
        poses: list of `CameraPose`.

    Returns:
        list of floats.
    """
    cameras = [Camera(pose, PROBE_SIZE) for pose in poses]
    rays = [camera.rays() for camera in cameras]
    distances, parts = intersect(
        packed,
        np.concatenate([origins for origins, _ in rays], 1),
        np.concatenate([directions for _, directions in rays], 1),
    )
    return [
        _score(packed, distance, part)
        for distance, part in zip(
            np.split(distances, len(poses)),
            np.split(parts, len(poses)),
            strict=True,
        )
    ]


def _candidates(scene, stream):
    """Free camera positions, each with a yaw toward the center of the room."""
    width, depth, _ = scene.size
    places = []
    for _ in range(TRIES):
        draws = [stream.uniform() for _ in range(6)]
        x, y = _standing_place(width, depth, *draws[:4])
        if any(_is_blocked(x, y, footprint) for footprint in scene.footprints):
            continue
        target_x = width / 2 + (draws[4] - 0.5) * 0.6 * width
        target_y = depth / 2 + (draws[5] - 0.5) * 0.6 * depth
        if np.hypot(target_x - x, target_y - y) < 1.2:
            continue
        places.append((x, y, np.arctan2(-(target_x - x), target_y - y)))
        if len(places) == CANDIDATES:
            break
    if not places:
        yaw = np.arctan2(-(width / 2 - 0.3), depth / 2 - 0.3)
        places.append((0.3, 0.3, yaw))
    return places


def _standing_place(width, depth, a, b, against_wall, wall):
    """Position near a wall in most cases, anywhere otherwise."""
    x, y = 0.3 + a * (width - 0.6), 0.3 + b * (depth - 0.6)
    if against_wall < 0.75:
        return (
            (0.25 + 0.2 * a, y),
            (width - 0.25 - 0.2 * a, y),
            (x, 0.25 + 0.2 * b),
            (x, depth - 0.25 - 0.2 * b),
        )[int(wall * 4)]
    return x, y


def _is_blocked(x, y, footprint):
    return (
        abs(x - footprint.x) < footprint.width / 2 + 0.3
        and abs(y - footprint.y) < footprint.depth / 2 + 0.3
        and footprint.height > 0
    )


def _score(packed, distance, part):
    """Score of one view."""
    part = part[part >= 0]
    class_id, instance = packed.part_class[part], packed.part_instance[part]
    furniture = (class_id >= FIRST_FURNITURE_CLASS) & (class_id != IGNORE_CLASS)
    rays = len(distance)
    areas = np.bincount(instance[furniture], minlength=1) / rays
    kinds = np.bincount(class_id[furniture], minlength=1) / rays
    return (
        (kinds > 0.01).sum()
        + 0.3 * (areas > 0.01).sum()
        + 4 * min(areas.sum(), 0.5)
        - 5 * max(areas.max() - 0.4, 0)
        - 8 * (distance < 0.45).mean()
    )
