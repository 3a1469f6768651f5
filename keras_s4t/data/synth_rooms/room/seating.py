"""Placement of sofas, armchairs and chairs."""

import numpy as np

from keras_s4t.data.synth_rooms.furniture.chair import BACK_STYLES
from keras_s4t.data.synth_rooms.furniture.chair import ChairDesign
from keras_s4t.data.synth_rooms.furniture.chair import add_chair
from keras_s4t.data.synth_rooms.furniture.chair import draw_chair_materials
from keras_s4t.data.synth_rooms.furniture.sofa import add_sofa
from keras_s4t.data.synth_rooms.room.pose import Pose

QUARTER_TURN = np.pi / 2
TRIES = 8


def place_sofa(room, width=None):
    """Places a sofa at a wall and returns its `Pose` or `None`.

    The width is drawn if it is `None`.
    """
    shape = room.layout
    if width is None:
        width = shape.uniform(1.5, 2.3)
    pose = room.plan.against_wall(shape, width, 0.98, 0.85)
    if pose is not None:
        room.builder.begin("sofa", pose)
        is_corner = width > 1.9 and shape.chance(0.25)
        add_sofa(room, width, "corner" if is_corner else "plain")
    return pose


def place_armchair(room):
    """Places an armchair that faces the center of the room."""
    shape = room.layout
    for _ in range(TRIES):
        width = shape.uniform(0.8, 1.0)
        x = shape.uniform(0.7, room.width - 0.7)
        y = shape.uniform(0.7, room.depth - 0.7)
        if room.plan.is_free(x, y, width + 0.1, 1.05):
            room.plan.take(x, y, width + 0.1, 1.05, 0.85)
            away = np.arctan2(x - room.width / 2, -(y - room.depth / 2))
            yaw = away + np.pi + shape.uniform(-0.2, 0.2)
            yaw = round(yaw / QUARTER_TURN) * QUARTER_TURN
            yaw = yaw + shape.uniform(-0.25, 0.25)
            room.builder.begin("sofa", Pose(x, y, yaw))
            add_sofa(room, width, "plain")
            return


def place_single_chair(room):
    """Places a chair anywhere in the room."""
    shape = room.layout
    for _ in range(TRIES):
        x = shape.uniform(0.5, room.width - 0.5)
        y = shape.uniform(0.5, room.depth - 0.5)
        if room.plan.is_free(x, y, 0.5, 0.5):
            design = ChairDesign.draw(shape)
            room.plan.take(x, y, 0.5, 0.5, design.height)
            room.builder.begin("chair", Pose(x, y, shape.uniform(0, 6.28)))
            style = shape.choice(BACK_STYLES)
            add_chair(room.builder, design, style, *draw_chair_materials(room))
            return


def place_desk_chair(room, desk, depth):
    """Places a chair in front of the pose of a desk of a given depth."""
    shape = room.layout
    x, y = desk.in_front(depth / 2 + shape.uniform(0.1, 0.45))
    design = ChairDesign.draw(shape)
    if room.plan.is_free(x, y, 0.5, 0.5, gap=-0.2):
        room.plan.take(x, y, 0.5, 0.5, design.height)
        yaw = desk.yaw + np.pi + shape.uniform(-0.6, 0.6)
        room.builder.begin("chair", Pose(x, y, yaw))
        style = shape.choice(["office", "office", "panel", "slat"])
        add_chair(room.builder, design, style, *draw_chair_materials(room))


def place_chairs_around(room, table, width, depth, count=None):
    """Places at most `count` equal chairs around the pose of a table.

    The number is drawn if `count` is `None`.
    """
    shape = room.layout
    design = ChairDesign.draw(shape)
    style = shape.choice(BACK_STYLES)
    x, y = table.extent(width, depth)
    # A reduced footprint, so that chairs can be pushed under the table.
    room.plan.take(table.x, table.y, x - 0.5, y - 0.4, design.height)
    if count is None:
        count = shape.integer(2, 6)
    materials = draw_chair_materials(room)
    places = sorted(_chair_places(width, depth), key=lambda _: shape.uniform())
    for right, back, turn in places[:count]:
        out = shape.uniform(0.02, 0.3) + 0.08
        x, y = table.point(
            right + np.sin(turn) * out, back - np.cos(turn) * out
        )
        if _is_chair_place(room, x, y):
            room.plan.take(x, y, 0.3, 0.3, design.height)
            yaw = table.yaw + turn + np.pi + shape.uniform(-0.3, 0.3)
            room.builder.begin("chair", Pose(x, y, yaw))
            add_chair(room.builder, design, style, *materials)


def _chair_places(width, depth):
    """Positions at the border of a table, with the angle that faces away."""
    left, right = (-width / 2, 0, -QUARTER_TURN), (width / 2, 0, QUARTER_TURN)
    if width > 1.25:
        return [
            (-width / 4, -depth / 2, 0.0),
            (width / 4, -depth / 2, 0.0),
            (-width / 4, depth / 2, np.pi),
            (width / 4, depth / 2, np.pi),
            left,
            right,
        ]
    return [(0, -depth / 2, 0.0), (0, depth / 2, np.pi), left, right]


def _is_chair_place(room, x, y):
    return (
        0.3 < x < room.width - 0.3
        and 0.3 < y < room.depth - 0.3
        and room.plan.is_free(x, y, 0.42, 0.42, gap=-0.2)
    )
