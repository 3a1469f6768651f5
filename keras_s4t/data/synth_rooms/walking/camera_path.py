"""The poses of a camera that walks through one room."""

import dataclasses
import functools

import numpy as np

from keras_s4t.data.synth_rooms.random_stream import RandomStream
from keras_s4t.data.synth_rooms.rendering.packed_scene import PackedScene
from keras_s4t.data.synth_rooms.rendering.viewpoint import draw_camera
from keras_s4t.data.synth_rooms.room.room_builder import build_room
from keras_s4t.data.synth_rooms.walking.floor import Floor
from keras_s4t.data.synth_rooms.walking.gaze import plan_gaze
from keras_s4t.data.synth_rooms.walking.route import plan_route

# Meters per frame, and how much the pace varies.
PACE = 0.06
PACE_VARIATION = 0.25
FRAMES_PER_PACE_WAVE = 31
# A step lifts the camera, and every other one tilts it to the same side.
FRAMES_PER_STEP = 7
LIFT = 0.012
TILT = np.radians(0.4)


@dataclasses.dataclass(frozen=True)
class CameraPath:
    """Where the camera is and where it looks.

    Attributes:
        places: float array of shape `(frames, 2)`, meters.
        yaws: float array of shape `(frames,)`, radians.
    """

    places: np.ndarray
    yaws: np.ndarray

    def pose(self, step, camera):
        """The pose of one frame.

        Args:
            step: int, number of the frame.
            camera: `CameraPose` that the domain of the frame gives this room.

        Returns:
            `CameraPose`.
        """
        x, y = self.places[step]
        phase = np.pi * step / FRAMES_PER_STEP
        return dataclasses.replace(
            camera,
            position=(x, y, camera.height - LIFT * np.cos(2 * phase)),
            yaw=self.yaws[step],
            roll=camera.roll + TILT * np.sin(phase),
        )


@functools.lru_cache(maxsize=2)
def plan_path(domain, key, frames):
    """Plans the way of a camera through a room. It is kept for the next frame.

    Args:
        domain: `Domain` that furnishes the room.
        key: tuple of ints, `(seed, split, index)`.
        frames: int, number of frames.

    Returns:
        `CameraPath`.
    """
    packed = PackedScene(build_room(domain, key))
    stream = RandomStream(*key, "walk")
    camera = draw_camera(packed.scene, domain, RandomStream(*key, "camera"))
    start = stream.uniform(0, 2 * np.pi)
    wave = 2 * np.pi * np.arange(frames - 1) / FRAMES_PER_PACE_WAVE + start
    steps = PACE * (1 + PACE_VARIATION * np.sin(wave))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    places = plan_route(Floor(packed.scene), along, stream)
    return CameraPath(places, plan_gaze(packed, places, camera))
