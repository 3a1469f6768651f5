"""A pinhole camera."""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms.rendering.vectors import rotate_columns


@dataclasses.dataclass(frozen=True)
class CameraPose:
    """Position and orientation of a camera.

    Attributes:
        position: three floats, world frame, meters.
        yaw: float, radians; 0 looks along +y, positive angles turn left.
        pitch: float, radians; negative looks down.
        roll: float, radians.
        field_of_view: float, horizontal, degrees.
    """

    position: tuple
    yaw: float
    pitch: float
    roll: float
    field_of_view: float

    @property
    def height(self):
        """Height above the floor in meters."""
        return self.position[2]


class Camera:
    """A camera with a square picture.

    Args:
        pose: `CameraPose`.
        size: int, side of the picture in pixels.

    Attributes:
        position: float32 `(3,)`, world frame, meters.
        rotation: float32 `(3, 3)`, world from camera; its columns are the
            camera's right, up and backward directions.
        focal_length: float, pixels.
    """

    def __init__(self, pose, size):
        self.pose = pose
        self.size = size
        self.position = np.asarray(pose.position, np.float32)
        self.rotation = _rotation(pose)
        angle = np.radians(pose.field_of_view)
        self.focal_length = 0.5 * size / np.tan(angle / 2)

    @property
    def pixel_size(self):
        """Size of a pixel at a distance of one meter, float32."""
        return np.float32(1 / self.focal_length)

    def rays(self, right=0.5, down=0.5, pixels=None):
        """Returns rays through one point of every pixel.

        Args:
            right: float in `[0, 1]`, position inside the pixel.
            down: float in `[0, 1]`, position inside the pixel.
            pixels: int array of shape `(count,)`, row-major indices; all
                pixels if `None`.

        Returns:
            Tuple of origins and unit directions, float32 arrays of shape
            `(3, count)`, world frame.
        """
        if pixels is None:
            pixels = np.arange(self.size * self.size)
        row, column = np.divmod(pixels, self.size)
        toward = np.stack(
            [
                (column + right - self.size / 2) / self.focal_length,
                -(row + down - self.size / 2) / self.focal_length,
                -np.ones(len(pixels)),
            ]
        )
        length = np.sqrt((toward * toward).sum(0))
        toward = (toward / length).astype(np.float32)
        directions = rotate_columns(self.rotation, toward)
        return np.repeat(self.position[:, None], len(pixels), 1), directions


def _rotation(pose):
    cos_yaw, sin_yaw = np.cos(pose.yaw), np.sin(pose.yaw)
    cos_pitch, sin_pitch = np.cos(pose.pitch), np.sin(pose.pitch)
    forward = np.array([-sin_yaw * cos_pitch, cos_yaw * cos_pitch, sin_pitch])
    right = np.array([cos_yaw, sin_yaw, 0.0])
    up = np.cross(right, forward)
    c, s = np.cos(pose.roll), np.sin(pose.roll)
    right, up = c * right + s * up, -s * right + c * up
    return np.stack([right, up, -forward], 1).astype(np.float32)
