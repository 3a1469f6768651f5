"""Potted plants."""

import numpy as np

from keras_s4t.data.synth_rooms.room.colors import from_hsv


def add_plant(room, height):
    """Adds a potted plant, a bush or a fan of leaves."""
    shape, palette, build = room.layout, room.palette, room.builder
    pot = _draw_pot(room)
    leaves = [_draw_leaf(room) for _ in range(2)]
    soil = palette.add(
        "noise",
        from_hsv(0.07, 0.5, 0.2),
        from_hsv(0.07, 0.5, 0.1),
        frequency=40,
    )
    rim = height * shape.uniform(0.25, 0.4)
    radius = shape.uniform(0.1, 0.17) * min(1.0, height)
    build.cylinder(0, 0, 0, rim, radius * 0.72, pot, radius)
    build.cylinder(0, 0, rim - 0.01, rim + 0.005, radius * 0.85, soil)
    if shape.chance(0.5):
        _add_bush(room, height, rim, leaves)
    else:
        _add_fan(room, height, rim, leaves)


def _add_bush(room, height, rim, leaves):
    shape, build = room.layout, room.builder
    build.cylinder(0, 0, rim, height * 0.75, 0.015, room.palette.wood())
    for clump in range(shape.integer(5, 8)):
        angle = shape.uniform(0, 6.28)
        out = shape.uniform(0.02, 0.17) * height
        radius = shape.uniform(0.08, 0.15) * height
        build.ellipsoid(
            out * np.cos(angle),
            out * np.sin(angle),
            height * shape.uniform(0.6, 0.93),
            (radius, radius, radius * 0.85),
            leaves[clump % 2],
        )


def _add_fan(room, height, rim, leaves):
    shape, build = room.layout, room.builder
    for leaf in range(shape.integer(7, 11)):
        # Close to the golden angle, so that leaves do not coincide.
        yaw = leaf * 2.4 + shape.uniform(-0.3, 0.3)
        lean = shape.uniform(0.15, 0.9)
        half_length = (height - rim) * shape.uniform(0.35, 0.55)
        build.tilt(0, 0, rim, yaw=yaw, pitch=-lean)
        build.ellipsoid(
            0,
            0,
            half_length,
            (shape.uniform(0.03, 0.06), 0.012, half_length),
            leaves[leaf % 2],
        )


def _draw_pot(room):
    if room.look.chance(0.5):
        return room.palette.paint()
    return room.palette.add(
        "noise",
        from_hsv(0.05, 0.55, room.look.uniform(0.4, 0.65)),
        from_hsv(0.05, 0.5, 0.35),
        frequency=10,
        contrast=0.4,
    )


def _draw_leaf(room):
    look = room.look
    return room.palette.add(
        "noise",
        from_hsv(
            look.uniform(0.24, 0.38),
            look.uniform(0.45, 0.75),
            look.uniform(0.25, 0.55),
        ),
        from_hsv(look.uniform(0.25, 0.4), 0.7, 0.2),
        frequency=25,
        contrast=0.8,
    )
