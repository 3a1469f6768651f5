"""Collects the parts of a room."""

import numpy as np

from keras_s4t.data.synth_rooms.classes import CLASS_IDS
from keras_s4t.data.synth_rooms.classes import FIRST_FURNITURE_INSTANCE
from keras_s4t.data.synth_rooms.rendering.primitives import BOX
from keras_s4t.data.synth_rooms.rendering.primitives import ELLIPSOID
from keras_s4t.data.synth_rooms.rendering.primitives import FRUSTUM
from keras_s4t.data.synth_rooms.room.pose import pitch_rotation
from keras_s4t.data.synth_rooms.room.pose import roll_rotation
from keras_s4t.data.synth_rooms.room.pose import yaw_rotation
from keras_s4t.data.synth_rooms.room.scene import Group
from keras_s4t.data.synth_rooms.room.scene import Part


class SceneBuilder:
    """Collects parts, one instance at a time.

    Lengths are in meters, in the frame set by the last `begin`, `tilt` or
    `untilt`.

    Example:
    ```python
    builder = SceneBuilder()
    builder.begin("table", Pose(2.0, 1.5, 0.0))
    builder.box(0, 0, 0.7, 1.2, 0.8, 0.04, material=0)
    builder.groups[0].parts
    ```
    """

    def __init__(self):
        self.groups = []
        self.next_instance = FIRST_FURNITURE_INSTANCE
        self._frame = None
        self._current = None

    def begin(self, class_name, pose, z=0.0, instance=None):
        """Starts an instance.

        Args:
            class_name: str, one of `CLASS_NAMES` or `"void"`.
            pose: `Pose` of the instance's frame.
            z: float, height of its origin.
            instance: int, id of an existing instance; a new one if `None`.
        """
        if instance is None:
            instance = self.next_instance
            self.next_instance += 1
        self._frame = Group(
            yaw_rotation(pose.yaw),
            np.array([pose.x, pose.y, z]),
            instance,
            CLASS_IDS[class_name],
        )
        self._open(self._frame)

    def tilt(self, x, y, z, pitch=0.0, yaw=0.0, roll=0.0):
        """Continues in a tilted frame with its origin at a point.

        Angles are in radians: pitch about the local x axis, yaw about z and
        roll about y.
        """
        frame = self._frame
        rotation = (
            frame.rotation
            @ yaw_rotation(yaw)
            @ pitch_rotation(pitch)
            @ roll_rotation(roll)
        )
        position = frame.position + frame.rotation @ np.array([x, y, z])
        self._open(Group(rotation, position, frame.instance, frame.class_id))

    def untilt(self):
        """Continues in the frame of the instance."""
        self._current = self._frame

    def box(self, x, y, z, width, depth, height, material):
        """Adds a box, given the center of its base and its sizes."""
        low = (x - width / 2, y - depth / 2, z)
        high = (x + width / 2, y + depth / 2, z + height)
        self._add(BOX, low, high, material)

    def cylinder(self, x, y, z0, z1, radius, material, top_radius=None):
        """Adds an upright cylinder or capped cone from `z0` to `z1`."""
        top_radius = radius if top_radius is None else top_radius
        self._add(FRUSTUM, (x, y, z0), (radius, top_radius, z1), material)

    def ellipsoid(self, x, y, z, radii, material):
        """Adds an ellipsoid, given its center and its three radii."""
        self._add(ELLIPSOID, (x, y, z), radii, material)

    def _open(self, group):
        self.groups.append(group)
        self._current = group

    def _add(self, shape, low, high, material):
        self._current.parts.append(Part(shape, low, high, material))
