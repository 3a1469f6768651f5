"""Placement of coffee tables, dining tables and desks."""

import numpy as np

from keras_s4t.data.synth_rooms.furniture.table import add_table
from keras_s4t.data.synth_rooms.furniture.television import add_television
from keras_s4t.data.synth_rooms.room.pose import Pose
from keras_s4t.data.synth_rooms.room.room import Surface
from keras_s4t.data.synth_rooms.room.seating import place_chairs_around
from keras_s4t.data.synth_rooms.room.seating import place_desk_chair

TRIES = 20


def place_coffee_table(room, sofa):
    """Places a coffee table in front of the pose of a sofa."""
    shape = room.layout
    x, y = sofa.in_front(shape.uniform(0.98, 1.2))
    width, depth = shape.uniform(0.7, 1.15), shape.uniform(0.45, 0.65)
    height = shape.uniform(0.36, 0.46)
    style = shape.choice(["coffee", "coffee", "round"])
    extent = sofa.extent(width, depth)
    if not room.plan.is_free(x, y, *extent, gap=0.02):
        return
    room.plan.take(x, y, *extent, height)
    pose = Pose(x, y, sofa.yaw)
    yaw = sofa.yaw + shape.uniform(-0.08, 0.08)
    room.builder.begin("table", Pose(x, y, yaw))
    add_table(room, width, depth, height, style)
    if style == "round":
        width = depth = min(width, depth)
    room.surfaces.append(Surface(pose, width, depth, height))


def place_dining_table(room, chairs=None):
    """Places a dining table with at most `chairs` chairs, drawn if `None`."""
    for _ in range(TRIES):
        pose, width, depth, height, style = _draw_dining_table(room)
        extent = pose.extent(width, depth)
        if not room.plan.is_free(pose.x, pose.y, *extent, gap=0.3):
            continue
        room.builder.begin("table", pose)
        add_table(room, width, depth, height, style)
        place_chairs_around(room, pose, width, depth, chairs)
        room.plan.take(pose.x, pose.y, *extent, height)
        room.surfaces.append(Surface(pose, width * 0.7, depth * 0.7, height))
        return


def place_desk(room):
    """Places a desk at a wall, with a chair and an optional screen."""
    shape = room.layout
    width, depth = shape.uniform(1.0, 1.6), shape.uniform(0.55, 0.75)
    height = shape.uniform(0.71, 0.77)
    pose = room.plan.against_wall(shape, width, depth, height)
    if pose is None:
        return
    room.builder.begin("table", pose)
    style = shape.choice(["desk", "desk", "plain"])
    add_table(room, width, depth, height, style)
    place_desk_chair(room, pose, depth)
    if shape.chance(0.6):
        x, y = pose.point(0.0, 0.12)
        yaw = pose.yaw + shape.uniform(-0.15, 0.15)
        room.builder.begin("tv", Pose(x, y, yaw), z=height)
        add_television(room, shape.uniform(0.5, 0.65), has_stand=True)
    room.surfaces.append(Surface(pose, width, depth, height))


def _draw_dining_table(room):
    shape = room.layout
    style = shape.choice(["dining", "dining", "round"])
    width, depth = shape.uniform(0.9, 1.7), shape.uniform(0.75, 0.95)
    height = shape.uniform(0.71, 0.77)
    if style == "round":
        width = depth = shape.uniform(0.8, 1.15)
    pose = Pose(
        shape.uniform(width / 2 + 0.5, room.width - width / 2 - 0.5),
        shape.uniform(depth / 2 + 0.6, room.depth - depth / 2 - 0.5),
        shape.choice([0, np.pi / 2]) + shape.uniform(-0.12, 0.12),
    )
    return pose, width, depth, height, style
