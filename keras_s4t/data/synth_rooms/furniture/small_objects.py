"""Small objects without a class."""

from keras_s4t.data.synth_rooms.room.colors import from_hsv


def add_small_object(room, on_floor):
    """Adds a random object, larger on the floor than on a table."""
    palette = room.palette
    material = palette.fabric() if room.look.chance(0.7) else palette.paint()
    objects = FLOOR_OBJECTS if on_floor else TABLE_OBJECTS
    room.clutter.choice(objects)(room, material, on_floor)


def _add_box(room, material, on_floor):
    shape = room.clutter
    size = shape.uniform(0.2, 0.42) if on_floor else shape.uniform(0.08, 0.2)
    width = size * shape.uniform(0.8, 1.4)
    height = size * shape.uniform(0.5, 1.0)
    room.builder.box(0, 0, 0, width, size, height, material)


def _add_books(room, material, on_floor):
    del material, on_floor
    shape = room.clutter
    z = 0
    for _ in range(shape.integer(1, 4)):
        thickness = shape.uniform(0.02, 0.045)
        x, y = shape.uniform(-0.02, 0.02), shape.uniform(-0.02, 0.02)
        room.builder.box(x, y, z, 0.16, 0.23, thickness, room.palette.fabric())
        z += thickness


def _add_ball(room, material, on_floor):
    shape = room.clutter
    r = shape.uniform(0.1, 0.2) if on_floor else shape.uniform(0.05, 0.08)
    room.builder.ellipsoid(0, 0, r, (r, r, r), material)


def _add_cup(room, material, on_floor):
    del on_floor
    height = room.clutter.uniform(0.08, 0.11)
    room.builder.cylinder(0, 0, 0, height, 0.035, material, 0.042)


def _add_vase(room, material, on_floor):
    del on_floor
    height = room.clutter.uniform(0.15, 0.3)
    waist = height * 0.55
    room.builder.cylinder(0, 0, 0, waist, 0.045, material, 0.075)
    room.builder.cylinder(0, 0, waist, height, 0.075, material, 0.03)


def _add_basket(room, material, on_floor):
    del material, on_floor
    shape = room.clutter
    height, radius = shape.uniform(0.25, 0.4), shape.uniform(0.15, 0.2)
    wicker = room.palette.add(
        "checker",
        from_hsv(0.09, 0.45, 0.6),
        from_hsv(0.08, 0.5, 0.4),
        frequency=30,
    )
    room.builder.cylinder(0, 0, 0, height, radius, wicker, 0.22)


def _add_stool(room, material, on_floor):
    del on_floor
    height = room.clutter.uniform(0.35, 0.45)
    room.builder.cylinder(0, 0, 0, height, 0.2, material)


def _add_bag(room, material, on_floor):
    shape = room.clutter
    r = shape.uniform(0.14, 0.24) if on_floor else shape.uniform(0.06, 0.1)
    room.builder.ellipsoid(0, 0, r * 0.75, (r, r * 0.8, r * 0.8), material)


TABLE_OBJECTS = (
    _add_box,
    _add_books,
    _add_ball,
    _add_cup,
    _add_vase,
    _add_bag,
)
FLOOR_OBJECTS = (
    _add_box,
    _add_ball,
    _add_basket,
    _add_bag,
    _add_books,
    _add_stool,
)
