"""Tables and desks."""

from keras_s4t.data.synth_rooms.furniture.legs import add_legs


def add_table(room, width, depth, height, style):
    """Adds a table in the style dining, coffee, round, desk or plain."""
    shape, palette = room.layout, room.palette
    top = palette.wood()
    thickness = shape.uniform(0.03, 0.055)
    if shape.chance(0.6):
        leg = top
    else:
        leg = palette.metal() if shape.chance(0.5) else palette.wood()
    below = height - thickness
    if style == "round":
        _add_round_table(room, min(width, depth) / 2, below, height, top, leg)
        return
    room.builder.box(0, 0, below, width, depth, thickness, top)
    if style == "desk":
        _add_desk_sides(room, width, depth, height, below, top, leg)
        return
    inset = shape.uniform(0.0, 0.08)
    radius, is_round = shape.uniform(0.018, 0.035), shape.chance(0.4)
    add_legs(room.builder, width, depth, below, leg, radius, is_round, inset)
    if style == "dining" and shape.chance(0.6):
        _add_apron(room.builder, width, depth, below - 0.08, leg)
    if style == "coffee" and shape.chance(0.6):
        room.builder.box(
            0, 0, height * 0.35, width * 0.86, depth * 0.86, 0.025, top
        )


def _add_round_table(room, radius, below, height, top, leg):
    build = room.builder
    build.cylinder(0, 0, below, height, radius, top)
    build.cylinder(0, 0, 0.03, below, room.layout.uniform(0.03, 0.06), leg)
    build.cylinder(0, 0, 0, 0.04, radius * 0.55, leg, radius * 0.4)


def _add_desk_sides(room, width, depth, height, below, top, leg):
    """Adds drawers or a panel on either side, and a back panel."""
    build = room.builder
    for side in (-1, 1):
        if room.layout.chance(0.45):
            x = side * (width / 2 - 0.22)
            build.box(x, 0, 0, 0.4, depth * 0.9, below, leg)
            for drawer in range(3):
                build.box(
                    x,
                    -depth * 0.45 - 0.008,
                    0.08 + drawer * (height - 0.15) / 3,
                    0.36,
                    0.02,
                    (height - 0.2) / 3 - 0.02,
                    top,
                )
        else:
            x = side * (width / 2 - 0.03)
            build.box(x, 0, 0, 0.04, depth * 0.9, below, leg)
    build.box(
        0, depth * 0.4, height * 0.45, width * 0.9, 0.02, height * 0.45, leg
    )


def _add_apron(build, width, depth, z, material):
    for side in (-1, 1):
        y = side * (depth / 2 - 0.09)
        build.box(0, y, z, width - 0.16, 0.02, 0.08, material)
    for side in (-1, 1):
        x = side * (width / 2 - 0.09)
        build.box(x, 0, z, 0.02, depth - 0.16, 0.08, material)
