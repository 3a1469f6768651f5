"""Sofas and armchairs."""

import numpy as np


def add_sofa(room, width, style):
    """Adds a `"plain"` or `"corner"` sofa for one to three people."""
    shape, palette, build = room.layout, room.palette, room.builder
    cloth, foot = palette.fabric(), palette.wood()
    cushion = cloth if shape.chance(0.7) else palette.fabric()
    depth = shape.uniform(0.8, 0.95)
    seat_height = shape.uniform(0.38, 0.45)
    back_height = shape.uniform(0.72, 0.9)
    arm_width, arm_height = shape.uniform(0.12, 0.24), shape.uniform(0.54, 0.66)
    foot_height = shape.uniform(0.04, 0.12)
    base_height = seat_height - foot_height - 0.1
    build.box(0, 0, foot_height, width, depth, base_height, cloth)
    _add_feet(build, width, depth, foot_height, foot)
    _add_arms(room, width, depth, arm_width, foot_height, arm_height, cloth)
    back = shape.uniform(0.16, 0.24)
    build.box(
        0,
        depth / 2 - back / 2,
        foot_height,
        width,
        back,
        back_height - foot_height,
        cloth,
    )
    inner_width = width - 2 * arm_width
    seats = 1 if width < 1.2 else (2 if width < 1.9 else 3)
    seat_width = inner_width / seats
    for seat in range(seats):
        x = -inner_width / 2 + seat_width * (seat + 0.5)
        build.box(
            x,
            -back / 2,
            seat_height - 0.1,
            seat_width - 0.015,
            depth - back,
            0.13,
            cushion,
        )
        build.tilt(x, depth / 2 - back - 0.07, seat_height + 0.02, pitch=-0.16)
        height = back_height - seat_height + 0.02
        build.box(0, 0, 0, seat_width - 0.03, 0.15, height, cushion)
        build.untilt()
    if style == "corner":
        side = shape.choice([-1, 1])
        x = side * (width / 2 - arm_width - seat_width / 2 + 0.02)
        y = -depth / 2 - 0.3
        build.box(x, y, foot_height, seat_width, 0.6, base_height, cloth)
        build.box(
            x, y, seat_height - 0.1, seat_width - 0.02, 0.6, 0.13, cushion
        )
    for _ in range(shape.integer(0, 3)):
        reach = inner_width / 2 - 0.2
        build.tilt(
            shape.uniform(-reach, reach),
            depth / 2 - back - 0.22,
            seat_height + 0.2,
            pitch=-0.35,
            roll=shape.uniform(-0.4, 0.4),
        )
        build.ellipsoid(0, 0, 0, (0.21, 0.07, 0.2), palette.fabric())


def _add_feet(build, width, depth, height, material):
    for side in (-1, 1):
        for end in (-1, 1):
            x, y = side * (width / 2 - 0.06), end * (depth / 2 - 0.06)
            build.box(x, y, 0, 0.05, 0.05, height, material)


def _add_arms(room, width, depth, arm_width, bottom, top, material):
    build = room.builder
    x = width / 2 - arm_width / 2
    for side in (-1, 1):
        build.box(side * x, 0, bottom, arm_width, depth, top - bottom, material)
    if room.layout.chance(0.4):
        for side in (-1, 1):
            build.tilt(side * x, 0, top, pitch=np.pi / 2)
            radius = arm_width * 0.62
            build.cylinder(0, 0, -depth / 2, depth / 2, radius, material)
        build.untilt()
