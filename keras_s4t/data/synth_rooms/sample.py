"""Renders the room of an index."""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms import domains
from keras_s4t.data.synth_rooms.rendering.camera import Camera
from keras_s4t.data.synth_rooms.rendering.edges import find_edges
from keras_s4t.data.synth_rooms.rendering.packed_scene import PackedScene
from keras_s4t.data.synth_rooms.rendering.renderer import Rendering
from keras_s4t.data.synth_rooms.rendering.renderer import render
from keras_s4t.data.synth_rooms.rendering.sensor import take_picture
from keras_s4t.data.synth_rooms.rendering.viewpoint import choose_viewpoint
from keras_s4t.data.synth_rooms.room.room_builder import build_room

SPLITS = {"train": 0, "validation": 1, "test": 2}


@dataclasses.dataclass
class Sample:
    """A rendered room with its geometry.

    Attributes:
        image: uint8 `(size, size, 3)`, RGB.
        edges: bool `(size, size)`, one pixel thick.
        rendering: `Rendering`, the geometry buffers.
        packed: `PackedScene`, to which part ids refer.
        camera: `Camera`, with the focal length in pixels.
    """

    image: np.ndarray
    edges: np.ndarray
    rendering: Rendering
    packed: PackedScene
    camera: Camera


def render_scene(domain, split, index, size, seed=0):
    """Renders a room with its raw geometry buffers.

    Args:
        domain: `Domain` or the name of one.
        split: str, `"train"`, `"validation"` or `"test"`.
        index: int, number of the room.
        size: int, side of the picture in pixels.
        seed: int.

    Returns:
        `Sample`.
    """
    domain = domains.get(domain)
    key = (seed, SPLITS[split], index)
    packed = PackedScene(build_room(domain, key))
    pose = choose_viewpoint(packed, domain, key)
    return render_view(packed, pose, size, domain, key)


def render_view(packed, pose, size, domain, key, noise=None):
    """Renders a room as seen from a pose.

    Args:
        packed: `PackedScene`.
        pose: `CameraPose`.
        size: int, side of the picture in pixels.
        domain: `Domain`.
        key: tuple of ints, `(seed, split, index)`.
        noise: Optional `RandomStream`, see `take_picture`.

    Returns:
        `Sample`.
    """
    camera = Camera(pose, size)
    rendering = render(packed, camera)
    return Sample(
        image=take_picture(
            rendering.radiance, rendering.depth, domain, key, noise
        ),
        edges=find_edges(
            rendering.instance,
            rendering.depth,
            rendering.normals,
            camera.focal_length,
        ),
        rendering=rendering,
        packed=packed,
        camera=camera,
    )
