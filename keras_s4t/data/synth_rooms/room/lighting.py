"""Lights of a room: a ceiling lamp and the window."""

import numpy as np

from keras_s4t.data.synth_rooms.classes import CEILING_INSTANCE
from keras_s4t.data.synth_rooms.room.colors import black_body
from keras_s4t.data.synth_rooms.room.pose import Pose
from keras_s4t.data.synth_rooms.room.pose import yaw_rotation
from keras_s4t.data.synth_rooms.room.scene import Light


def add_ceiling_lamp(room):
    """Adds a ceiling lamp and returns its `Light`."""
    look, domain = room.look, room.domain
    x = _lamp_place(room, room.width)
    y = _lamp_place(room, room.depth)
    radius = look.within(domain.key_radius)
    shade = room.palette.add(
        "plain", (0.95, 0.93, 0.88), contrast=0.05, emission=1.2
    )
    room.builder.begin(
        "wall",
        Pose(x, y, 0.0),
        z=room.height - 0.1,
        instance=CEILING_INSTANCE,
    )
    room.builder.cylinder(0, 0, 0.02, 0.1, min(0.28, radius + 0.05), shade)
    power = look.within(domain.key_power)
    return Light(
        position=np.array([x, y, room.height - 0.16]),
        half_width=np.array([radius, 0, 0]),
        half_height=np.array([0, radius, 0]),
        normal=None,
        color=power * black_body(look.within(domain.key_kelvin)),
    )


def window_light(window):
    """Returns the `Light` of a window."""
    pose = window.pose
    x, y = pose.in_front(0.22)
    half_width = np.array([window.width / 2.2, 0, 0])
    return Light(
        position=np.array([x, y, window.sill + window.height / 2]),
        half_width=yaw_rotation(pose.yaw) @ half_width,
        half_height=np.array([0, 0, window.height / 2.2]),
        normal=np.array([np.sin(pose.yaw), -np.cos(pose.yaw), 0.0]),
        color=window.power * window.tone,
    )


def _lamp_place(room, extent):
    """Position along one axis, with an offset from the center."""
    offset = room.layout.uniform(-1, 1)
    offset = offset * room.look.within(room.domain.key_offset) * extent
    return np.clip(extent / 2 + offset, 0.3, extent - 0.3)
