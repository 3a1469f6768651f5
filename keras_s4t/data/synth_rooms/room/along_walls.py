"""Placement of beds, cabinets, televisions, plants and floor lamps."""

from keras_s4t.data.synth_rooms.furniture.bed import add_bed
from keras_s4t.data.synth_rooms.furniture.cabinet import add_cabinet
from keras_s4t.data.synth_rooms.furniture.lamp import add_lamp
from keras_s4t.data.synth_rooms.furniture.plant import add_plant
from keras_s4t.data.synth_rooms.furniture.television import add_television
from keras_s4t.data.synth_rooms.room.pose import Pose
from keras_s4t.data.synth_rooms.room.room import Surface


def place_television(room):
    """Places a television on a low cabinet or on a wall."""
    shape = room.layout
    width = shape.uniform(0.8, 1.35)
    if shape.chance(0.65):
        cabinet_width = width + shape.uniform(0.1, 0.5)
        depth, height = shape.uniform(0.38, 0.48), shape.uniform(0.42, 0.62)
        pose = room.plan.against_wall(shape, cabinet_width, depth, height + 0.8)
        if pose is not None:
            room.builder.begin("cabinet", pose)
            style = shape.choice(["doors", "drawers"])
            add_cabinet(room, cabinet_width, depth, height, style)
            room.builder.begin("tv", pose, z=height)
            add_television(room, width, has_stand=True)
        return
    pose = room.plan.against_wall(shape, width, 0.1, 0.0, reserve=False)
    if pose is not None:
        x, y = pose.in_front(-0.02)
        z = shape.uniform(1.0, 1.25)
        room.builder.begin("tv", Pose(x, y, pose.yaw), z=z)
        add_television(room, width, has_stand=False)


def place_cabinet(room):
    """Places a wardrobe, drawers, a shelf or a refrigerator at a wall."""
    shape = room.layout
    style = shape.choice(["doors", "drawers", "shelf", "fridge", "doors"])
    width, depth, height = _draw_cabinet_sizes(shape)[style]
    pose = room.plan.against_wall(shape, width, depth, height)
    if pose is None:
        return
    room.builder.begin("cabinet", pose)
    add_cabinet(room, width, depth, height, style)
    if height < 1.2:
        room.surfaces.append(Surface(pose, width, depth, height))


def place_bed(room):
    """Places a bed with its head at a wall, and optional nightstands."""
    shape = room.layout
    width = shape.choice([shape.uniform(0.9, 1.1), shape.uniform(1.4, 1.8)])
    pose = room.plan.against_wall(shape, width + 0.08, 2.15, 0.7, tries=30)
    if pose is None:
        return
    room.builder.begin("bed", pose)
    add_bed(room, width)
    for side in (-1, 1):
        if shape.chance(0.55):
            x, y = pose.point(side * (width / 2 + 0.33), 0.82)
            _place_night_stand(room, Pose(x, y, pose.yaw))


def place_plant(room):
    """Places a plant at a wall."""
    shape = room.layout
    height = shape.uniform(0.6, 1.5)
    pose = room.plan.against_wall(shape, 0.5, 0.5, height)
    if pose is not None:
        yaw = shape.uniform(0, 6.28)
        room.builder.begin("plant", Pose(pose.x, pose.y, yaw))
        add_plant(room, height)


def place_floor_lamp(room):
    """Places a floor lamp at a wall."""
    shape = room.layout
    pose = room.plan.against_wall(shape, 0.42, 0.42, 1.5)
    if pose is not None:
        room.builder.begin("void", Pose(pose.x, pose.y, 0.0))
        add_lamp(room, shape.uniform(1.35, 1.7))


def _place_night_stand(room, pose):
    shape = room.layout
    if not room.plan.is_free(pose.x, pose.y, 0.46, 0.46, gap=0.0):
        return
    height = shape.uniform(0.42, 0.56)
    room.plan.take(pose.x, pose.y, 0.46, 0.46, height)
    room.builder.begin("cabinet", pose)
    add_cabinet(room, 0.42, 0.4, height, "drawers")
    if shape.chance(0.6):
        room.builder.begin("void", pose, z=height)
        add_lamp(room, shape.uniform(0.38, 0.5))
    else:
        room.surfaces.append(Surface(pose, 0.4, 0.4, height))


def _draw_cabinet_sizes(shape):
    """Width, depth and height of every style.

    All sizes are drawn, so that the number of draws does not depend on the
    style.
    """
    return {
        "doors": (
            shape.uniform(0.9, 1.7),
            shape.uniform(0.45, 0.6),
            shape.choice([shape.uniform(0.8, 1.0), shape.uniform(1.8, 2.15)]),
        ),
        "drawers": (
            shape.uniform(0.55, 1.2),
            shape.uniform(0.4, 0.5),
            shape.uniform(0.6, 1.1),
        ),
        "shelf": (
            shape.uniform(0.7, 1.4),
            shape.uniform(0.26, 0.34),
            shape.uniform(0.9, 2.0),
        ),
        "fridge": (
            shape.uniform(0.58, 0.75),
            shape.uniform(0.58, 0.68),
            shape.uniform(1.5, 1.9),
        ),
    }
