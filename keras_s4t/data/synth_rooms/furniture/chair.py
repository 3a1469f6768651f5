"""Chairs."""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms.furniture.legs import add_legs

BACK_STYLES = ("panel", "slat", "spindle")


@dataclasses.dataclass(frozen=True)
class ChairDesign:
    """Shape of all chairs of a set.

    `height` is the height of the backrest and `lean` its tilt in radians.
    """

    width: float
    depth: float
    seat_height: float
    height: float
    leg_radius: float
    has_round_legs: bool
    has_cushion: bool
    lean: float
    has_arms: bool

    @classmethod
    def draw(cls, shape):
        """Draws a design from a `RandomStream`."""
        return cls(
            width=shape.uniform(0.4, 0.48),
            depth=shape.uniform(0.4, 0.46),
            seat_height=shape.uniform(0.43, 0.48),
            height=shape.uniform(0.82, 1.02),
            leg_radius=shape.uniform(0.014, 0.022),
            has_round_legs=shape.chance(0.5),
            has_cushion=shape.chance(0.55),
            lean=shape.uniform(0.05, 0.2),
            has_arms=shape.chance(0.2),
        )


def draw_chair_materials(room):
    """Returns the materials of frame and seat."""
    palette = room.palette
    frame = palette.metal() if room.look.chance(0.3) else palette.wood()
    return frame, palette.fabric()


def add_chair(build, design, style, frame, seat):
    """Adds a chair in one of `BACK_STYLES` or the style `"office"`."""
    if style == "office":
        _add_office_chair(build, design, frame, seat)
        return
    width, depth, z = design.width, design.depth, design.seat_height
    add_legs(
        build,
        width,
        depth,
        z - 0.04,
        frame,
        design.leg_radius,
        design.has_round_legs,
        inset=0.0,
    )
    build.box(0, 0, z - 0.045, width, depth, 0.035, frame)
    if design.has_cushion:
        build.box(0, -0.01, z - 0.01, width * 0.94, depth * 0.92, 0.045, seat)
    build.tilt(0, depth / 2 - 0.02, z - 0.03, pitch=-design.lean)
    _add_back(build, design, style, frame, seat)
    if design.has_arms:
        build.untilt()
        for side in (-1, 1):
            x = side * (width / 2 - 0.015)
            build.box(x, -0.02, z + 0.17, 0.045, depth * 0.9, 0.025, frame)
            build.box(x, -depth * 0.36, z - 0.04, 0.03, 0.03, 0.21, frame)


def _add_back(build, design, style, frame, seat):
    width, height = design.width, design.height - design.seat_height
    if style == "panel":
        material = seat if design.has_cushion else frame
        build.box(0, 0, 0.0, width, 0.03, height, material)
    elif style == "slat":
        for side in (-1, 1):
            x = side * (width / 2 - 0.02)
            build.box(x, 0, 0, 0.035, 0.03, height, frame)
        for slat in range(3):
            z = height * (0.3 + 0.26 * slat)
            build.box(0, 0, z, width - 0.05, 0.018, 0.06, frame)
    else:
        for spindle in range(5):
            x = -width / 2 + 0.03 + spindle * (width - 0.06) / 4
            build.cylinder(x, 0, 0, height - 0.05, 0.011, frame)
        build.box(0, 0, height - 0.06, width, 0.03, 0.07, frame)


def _add_office_chair(build, design, frame, seat):
    width, depth, z = design.width, design.depth, design.seat_height
    build.box(0, 0, z - 0.08, width, depth, 0.08, seat)
    build.cylinder(0, 0, 0.09, z - 0.08, 0.03, frame)
    for foot in range(5):
        build.tilt(0, 0, 0.07, yaw=foot * 2 * np.pi / 5)
        build.box(0.14, 0, -0.02, 0.28, 0.045, 0.035, frame)
        build.ellipsoid(0.27, 0, -0.035, (0.03, 0.03, 0.035), frame)
    build.untilt()
    for side in (-1, 1):
        x = side * (width / 2 + 0.02)
        build.box(x, 0.02, z + 0.16, 0.05, depth * 0.6, 0.03, frame)
        build.box(x, 0.06, z - 0.05, 0.03, 0.04, 0.22, frame)
    build.tilt(0, depth / 2 - 0.02, z, pitch=-0.14)
    build.box(0, 0.03, 0.1, width * 0.95, 0.06, design.height - z, seat)
