"""Furniture of each type of room."""

from keras_s4t.data.synth_rooms.classes import FLOOR_INSTANCE
from keras_s4t.data.synth_rooms.room.along_walls import place_bed
from keras_s4t.data.synth_rooms.room.along_walls import place_cabinet
from keras_s4t.data.synth_rooms.room.along_walls import place_floor_lamp
from keras_s4t.data.synth_rooms.room.along_walls import place_plant
from keras_s4t.data.synth_rooms.room.along_walls import place_television
from keras_s4t.data.synth_rooms.room.pose import Pose
from keras_s4t.data.synth_rooms.room.seating import place_armchair
from keras_s4t.data.synth_rooms.room.seating import place_single_chair
from keras_s4t.data.synth_rooms.room.seating import place_sofa
from keras_s4t.data.synth_rooms.room.tables import place_coffee_table
from keras_s4t.data.synth_rooms.room.tables import place_desk
from keras_s4t.data.synth_rooms.room.tables import place_dining_table


def furnish(room):
    """Adds a rug, the furniture of the type of room, plants and a lamp."""
    _maybe(room, 0.45, _place_rug)
    FURNISHINGS[room.room_type](room)
    _maybe(room, 0.6, place_plant)
    _maybe(room, 0.25, place_plant)
    _maybe(room, 0.35, place_floor_lamp)


def _furnish_living_room(room):
    sofa = place_sofa(room)
    if sofa is not None:
        place_coffee_table(room, sofa)
    place_television(room)
    _maybe(room, 0.5, place_armchair)
    _maybe(room, 0.35, _place_small_sofa, 1.4, 1.7)
    _maybe(room, 0.5, place_cabinet)
    _maybe(room, 0.25, _place_small_dining_table, 2, 4)


def _furnish_bedroom(room):
    place_bed(room)
    place_cabinet(room)
    _maybe(room, 0.45, place_desk)
    _maybe(room, 0.3, place_television)
    _maybe(room, 0.3, place_single_chair)
    _maybe(room, 0.25, place_armchair)


def _furnish_dining_room(room):
    place_dining_table(room)
    place_cabinet(room)
    _maybe(room, 0.4, place_cabinet)
    _maybe(room, 0.3, place_television)
    _maybe(room, 0.25, place_sofa)


def _furnish_office(room):
    place_desk(room)
    _maybe(room, 0.5, place_desk)
    place_cabinet(room)
    _maybe(room, 0.5, _place_small_sofa, 1.3, 1.8)
    _maybe(room, 0.4, place_single_chair)


def _furnish_studio(room):
    place_bed(room)
    _maybe(room, 0.6, _place_small_sofa, 1.3, 1.8)
    if room.layout.chance(0.6):
        _place_small_dining_table(room, 1, 3)
    else:
        place_desk(room)
    _maybe(room, 0.6, place_television)
    _maybe(room, 0.4, place_cabinet)


FURNISHINGS = {
    "living": _furnish_living_room,
    "bedroom": _furnish_bedroom,
    "dining": _furnish_dining_room,
    "office": _furnish_office,
    "studio": _furnish_studio,
}


def _maybe(room, probability, place, *args):
    if room.layout.chance(probability):
        place(room, *args)


def _place_rug(room):
    """Places a rug near the center of the room, as part of the floor."""
    shape, palette, build = room.layout, room.palette, room.builder
    pose = Pose(
        room.width * shape.uniform(0.4, 0.6),
        room.depth * shape.uniform(0.4, 0.6),
        shape.uniform(-0.1, 0.1),
    )
    build.begin("floor", pose, instance=FLOOR_INSTANCE)
    cloth = palette.fabric()
    if shape.chance(0.3):
        build.cylinder(0, 0, 0, 0.012, shape.uniform(0.7, 1.1), cloth)
        return
    width, depth = shape.uniform(1.2, 2.2), shape.uniform(1.2, 2.4)
    border = palette.plain(room.look.uniform(), 0.3, 0.5, gloss=0)
    build.box(0, 0, 0, width, depth, 0.012, border)
    build.box(0, 0, 0.001, width - 0.16, depth - 0.16, 0.013, cloth)


def _place_small_sofa(room, low, high):
    place_sofa(room, room.layout.uniform(low, high))


def _place_small_dining_table(room, low, high):
    place_dining_table(room, chairs=room.layout.integer(low, high))
