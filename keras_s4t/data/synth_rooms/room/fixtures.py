"""Fixtures of the walls: window, door, baseboard and pictures."""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms.classes import WALL_INSTANCE
from keras_s4t.data.synth_rooms.room.colors import black_body
from keras_s4t.data.synth_rooms.room.colors import from_hsv
from keras_s4t.data.synth_rooms.room.pose import Pose


@dataclasses.dataclass(frozen=True)
class Window:
    """A window, an opening and a light.

    Attributes:
        wall: int.
        pose: `Pose` on the wall.
        sill: float, meters above the floor.
        width: float, meters.
        height: float, meters.
        power: float, brightness of the daylight.
        tone: float64 `(3,)`, color of the daylight.
    """

    wall: int
    pose: Pose
    sill: float
    width: float
    height: float
    power: float
    tone: np.ndarray


def add_window(room):
    """Adds a window with frame, panes and optional curtains. Returns it."""
    shape, look, plan = room.layout, room.look, room.plan
    wall = shape.integer(0, 3)
    length = plan.wall_length(wall)
    width = shape.uniform(0.9, min(2.2, length - 0.8))
    height = shape.uniform(0.9, 1.3)
    sill = shape.uniform(0.75, 1.0)
    margin = width / 2 + 0.3
    pose = plan.wall_pose(wall, shape.uniform(margin, length - margin))
    power = look.within(room.domain.window_power)
    tone = black_body(look.within(room.domain.window_kelvin))
    window = Window(wall, pose, sill, width, height, power, tone)
    _add_panes(room, window)
    if shape.chance(0.45):
        _add_curtains(room, window)
    return window


def add_door(room, window):
    """Adds an optional door on another wall, with free floor before it."""
    shape, palette, build = room.layout, room.palette, room.builder
    if not shape.chance(0.6):
        return
    walls = [wall for wall in room.plan.walls if wall != window.wall]
    wall = shape.choice(walls)
    along = shape.uniform(0.6, room.plan.wall_length(wall) - 0.6)
    pose = room.plan.wall_pose(wall, along)
    leaf = palette.wood() if room.look.chance(0.5) else palette.paint()
    build.begin("wall", pose, instance=WALL_INSTANCE)
    build.box(0, -0.015, 0, 0.95, 0.05, 2.08, palette.paint())
    build.box(0, -0.035, 0, 0.82, 0.04, 2.0, leaf)
    build.ellipsoid(0.34, -0.09, 1.0, (0.03, 0.03, 0.03), palette.metal())
    extent = (0.9, 0.7) if wall in (0, 2) else (0.7, 0.9)
    room.plan.take(*pose.in_front(0.35), *extent, height=0.0)


def add_baseboard(room):
    """Adds a baseboard along all walls."""
    material = room.palette.white(0.04, 0.7, 0.95)
    for wall in room.plan.walls:
        length = room.plan.wall_length(wall)
        pose = room.plan.wall_pose(wall, length / 2)
        room.builder.begin("wall", pose, instance=WALL_INSTANCE)
        room.builder.box(0, -0.008, 0, length, 0.016, 0.08, material)


def add_pictures(room, window):
    """Adds up to three framed pictures, none on the wall of the window."""
    shape, look, build = room.layout, room.look, room.builder
    for _ in range(shape.integer(0, 3)):
        wall = shape.integer(0, 3)
        if wall == window.wall:
            continue
        length = room.plan.wall_length(wall)
        width, height = shape.uniform(0.35, 0.9), shape.uniform(0.35, 0.7)
        margin = width / 2 + 0.2
        along = shape.uniform(margin, length - margin)
        pose = room.plan.wall_pose(wall, along)
        build.begin("wall", pose, instance=WALL_INSTANCE)
        z = shape.uniform(1.35, 1.6)
        frame = room.palette.wood()
        build.box(0, -0.012, z, width, 0.024, height, frame)
        canvas = room.palette.add(
            "picture",
            from_hsv(look.uniform(), look.uniform(0.2, 0.7), 0.85),
            from_hsv(look.uniform(), 0.6, 0.35),
            frequency=look.uniform(2, 6),
            gloss=0.1,
        )
        build.box(
            0, -0.026, z + 0.03, width - 0.06, 0.006, height - 0.06, canvas
        )


def _add_panes(room, window):
    palette, build = room.palette, room.builder
    if room.look.chance(0.4):
        frame = palette.paint()
    else:
        frame = palette.plain(0.1, 0.03, 0.9)
    sky = np.clip(0.75 * window.tone, 0, 1.2)
    glass = palette.add(
        "noise",
        sky,
        sky * np.array([0.75, 0.85, 0.8]),
        frequency=1.1,
        contrast=0.8,
        gloss=0.2,
        emission=0.15 + 1.3 * window.power,
    )
    build.begin("wall", window.pose, instance=WALL_INSTANCE)
    build.box(
        0,
        -0.02,
        window.sill - 0.05,
        window.width + 0.12,
        0.06,
        window.height + 0.1,
        frame,
    )
    panes = 2 if window.width < 1.4 else 3
    pane = window.width / panes
    for i in range(panes):
        x = -window.width / 2 + (i + 0.5) * window.width / panes
        build.box(
            x, -0.05, window.sill, pane - 0.05, 0.02, window.height, glass
        )


def _add_curtains(room, window):
    cloth = room.palette.fabric()
    top = window.sill + window.height + 0.12
    for side in (-1, 1):
        for fold in range(3):
            x = side * (window.width / 2 + 0.05 + 0.1 * fold)
            hem = 0.05 if room.layout.chance(0.5) else window.sill - 0.2
            room.builder.cylinder(x, -0.11, hem, top, 0.055, cloth)
