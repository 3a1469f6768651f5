"""Pose of furniture, and rotations."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Pose:
    """A position on the floor and a direction.

    Furniture has its origin on the floor and faces its local -y.

    Attributes:
        x: float, meters.
        y: float, meters.
        yaw: float, radians, counterclockwise seen from above.
    """

    x: float
    y: float
    yaw: float

    def point(self, right, back):
        """Returns the world x and y of a point given in the local frame."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return self.x + c * right - s * back, self.y + s * right + c * back

    def in_front(self, distance):
        """Returns the world x and y of the point `distance` meters in front."""
        return self.point(0.0, -distance)

    def extent(self, width, depth):
        """Returns approximate extents along the world x and y axes."""
        return (width, depth) if abs(np.cos(self.yaw)) > 0.5 else (depth, width)


def yaw_rotation(angle):
    """Rotation about z as a `(3, 3)` matrix."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def pitch_rotation(angle):
    """Rotation about x as a `(3, 3)` matrix."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def roll_rotation(angle):
    """Rotation about y as a `(3, 3)` matrix."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
