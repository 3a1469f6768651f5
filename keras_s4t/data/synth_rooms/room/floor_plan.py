"""Occupied parts of the floor."""

import math

from keras_s4t.data.synth_rooms.room.pose import Pose
from keras_s4t.data.synth_rooms.room.scene import Footprint

HALF_TURN = math.pi
QUARTER_TURN = math.pi / 2


class FloorPlan:
    """Footprints of the furniture in a rectangular room.

    Walls are numbered 0 (+y), 1 (-x), 2 (-y) and 3 (+x).

    Args:
        width: float, extent of the room along x, meters.
        depth: float, extent of the room along y, meters.
    """

    walls = (0, 1, 2, 3)

    def __init__(self, width, depth):
        self.width = width
        self.depth = depth
        self.footprints = []

    def is_free(self, x, y, width, depth, gap=0.06):
        """Whether a rectangle is inside the room and overlaps nothing.

        Args:
            x: float, center, meters.
            y: float, center, meters.
            width: float, extent along x, meters.
            depth: float, extent along y, meters.
            gap: float, half of the minimum distance, meters. Negative values
                allow overlap.
        """
        return self._is_inside(x, y, width, depth) and all(
            abs(x - f.x) * 2 >= width + f.width + 2 * gap
            or abs(y - f.y) * 2 >= depth + f.depth + 2 * gap
            for f in self.footprints
        )

    def take(self, x, y, width, depth, height):
        """Marks a rectangle as occupied. See `Footprint`."""
        self.footprints.append(Footprint(x, y, width, depth, height))

    def wall_length(self, wall):
        """Length of a wall in meters."""
        return self.width if wall in (0, 2) else self.depth

    def wall_pose(self, wall, along, offset=0.0):
        """Pose with the back to a wall.

        Args:
            wall: int, number of the wall.
            along: float, position along the wall, meters.
            offset: float, distance from the wall, meters.
        """
        return (
            Pose(along, self.depth - offset, 0.0),
            Pose(offset, along, QUARTER_TURN),
            Pose(along, offset, HALF_TURN),
            Pose(self.width - offset, along, -QUARTER_TURN),
        )[wall]

    def against_wall(
        self, stream, width, depth, height, tries=14, reserve=True
    ):
        """Finds a free place for furniture with its back to a wall.

        Args:
            stream: `RandomStream`.
            width: float, extent along the wall, meters.
            depth: float, extent away from the wall, meters.
            height: float, meters.
            tries: int. Maximum number of tries.
            reserve: bool. Whether to mark the place as occupied.

        Returns:
            `Pose`, or `None` if no free place was found.
        """
        for _ in range(tries):
            wall = stream.choice(self.walls)
            length = self.wall_length(wall)
            if length < width + 0.1:
                continue
            margin = width / 2 + 0.05
            along = stream.uniform(margin, length - margin)
            pose = self.wall_pose(wall, along, depth / 2 + 0.03)
            extent = (width, depth) if wall in (0, 2) else (depth, width)
            if self.is_free(pose.x, pose.y, *extent, gap=0.05):
                if reserve:
                    self.take(pose.x, pose.y, *extent, height)
                return pose
        return None

    def _is_inside(self, x, y, width, depth):
        return (
            x - width / 2 >= 0.01
            and x + width / 2 <= self.width - 0.01
            and y - depth / 2 >= 0.01
            and y + depth / 2 <= self.depth - 0.01
        )
