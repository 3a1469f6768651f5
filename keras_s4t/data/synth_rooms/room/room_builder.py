"""Builds a furnished room from a domain and a key."""

import numpy as np

from keras_s4t.data.synth_rooms.room.clutter import add_clutter
from keras_s4t.data.synth_rooms.room.fixtures import add_baseboard
from keras_s4t.data.synth_rooms.room.fixtures import add_door
from keras_s4t.data.synth_rooms.room.fixtures import add_pictures
from keras_s4t.data.synth_rooms.room.fixtures import add_window
from keras_s4t.data.synth_rooms.room.furnishing import furnish
from keras_s4t.data.synth_rooms.room.lighting import add_ceiling_lamp
from keras_s4t.data.synth_rooms.room.lighting import window_light
from keras_s4t.data.synth_rooms.room.room import Room
from keras_s4t.data.synth_rooms.room.scene import Ambient
from keras_s4t.data.synth_rooms.room.scene import Scene
from keras_s4t.data.synth_rooms.room.shell_materials import draw_shell_materials


def build_room(domain, key):
    """Builds one room.

    The order of the steps defines the dataset, since they draw from shared
    random streams. `Room` describes the arguments.
    """
    room = Room(domain, key)
    wall, shell = draw_shell_materials(room)
    window = add_window(room)
    add_door(room, window)
    add_baseboard(room)
    furnish(room)
    add_pictures(room, window)
    add_clutter(room)
    lights = [add_ceiling_lamp(room), window_light(window)]
    level = room.look.within(domain.ambient)
    return Scene(
        room_type=room.room_type,
        size=np.array([room.width, room.depth, room.height]),
        groups=[group for group in room.builder.groups if group.parts],
        materials=room.palette.materials,
        shell=shell,
        lights=lights,
        ambient=Ambient(level, floor_material=shell[4], wall_material=wall),
        footprints=room.plan.footprints,
    )
