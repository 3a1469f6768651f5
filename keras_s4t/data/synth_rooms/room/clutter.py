"""Small objects on tables and on the floor."""

from keras_s4t.data.synth_rooms.furniture.small_objects import add_small_object
from keras_s4t.data.synth_rooms.room.pose import Pose

FLOOR_TRIES = 6


def add_clutter(room):
    """Adds a number of small objects within the range of the domain."""
    low, high = room.domain.clutter
    for _ in range(room.clutter.integer(int(low), int(high))):
        if room.surfaces and room.clutter.chance(0.55):
            _add_on_surface(room)
        else:
            _add_on_floor(room)


def _add_on_surface(room):
    stream = room.clutter
    surface = stream.choice(room.surfaces)
    x, y = surface.pose.point(
        stream.uniform(-0.38, 0.38) * surface.width,
        stream.uniform(-0.33, 0.33) * surface.depth,
    )
    pose = Pose(x, y, stream.uniform(0, 6.28))
    room.builder.begin("void", pose, z=surface.height)
    add_small_object(room, on_floor=False)


def _add_on_floor(room):
    stream = room.clutter
    for _ in range(FLOOR_TRIES):
        x = stream.uniform(0.3, room.width - 0.3)
        y = stream.uniform(0.3, room.depth - 0.3)
        if room.plan.is_free(x, y, 0.4, 0.4):
            room.plan.take(x, y, 0.4, 0.4, 0.3)
            room.builder.begin("void", Pose(x, y, stream.uniform(0, 6.28)))
            add_small_object(room, on_floor=True)
            return
