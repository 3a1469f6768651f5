"""Wardrobes, chests of drawers, bookshelves and refrigerators."""

from keras_s4t.data.synth_rooms.furniture.legs import add_legs


def add_cabinet(room, width, depth, height, style):
    """Adds a cabinet in the style doors, drawers, shelf or fridge."""
    shape, palette = room.layout, room.palette
    body = _draw_enamel(room) if style == "fridge" else palette.wood()
    front = body if shape.chance(0.6) else palette.paint()
    knob = palette.metal()
    if style == "shelf":
        _add_shelf(room, width, depth, height, body)
        return
    bottom = 0.0
    if style != "fridge":
        bottom = shape.choice([0.0, 0.06, 0.12])
    if bottom:
        is_round = shape.chance(0.4)
        add_legs(room.builder, width, depth, bottom, body, 0.02, is_round)
    room.builder.box(0, 0, bottom, width, depth, height - bottom, body)
    y = -depth / 2 - 0.012
    if style == "fridge":
        _add_fridge_doors(room, width, height, y, body, knob)
    elif style == "drawers":
        _add_drawers(room.builder, width, bottom, height, y, front, knob)
    else:
        _add_doors(room.builder, width, bottom, height, y, front, knob)


def _draw_enamel(room):
    saturation = room.look.uniform(0, 0.08)
    value = room.look.uniform(0.55, 0.93)
    return room.palette.plain(0.6, saturation, value, gloss=0.3)


def _add_fridge_doors(room, width, height, y, body, knob):
    build = room.builder
    cut = room.layout.uniform(0.3, 0.65)
    doors = (0.05, height * cut - 0.01), (height * cut + 0.01, height - 0.02)
    for z0, z1 in doors:
        build.box(0, y, z0, width - 0.02, 0.035, z1 - z0, body)
        handle_x, handle_z = -width / 2 + 0.06, (z0 + z1) / 2 - 0.15
        build.box(handle_x, y - 0.04, handle_z, 0.025, 0.035, 0.3, knob)


def _add_drawers(build, width, bottom, height, y, front, knob):
    count = max(2, int(round((height - bottom) / 0.24)))
    pitch = (height - bottom - 0.05) / count
    knobs = (0.0,) if width < 0.6 else (-0.22 * width, 0.22 * width)
    for drawer in range(count):
        z = bottom + 0.03 + drawer * (height - bottom - 0.05) / count
        build.box(0, y, z, width - 0.06, 0.025, pitch - 0.02, front)
        knob_z = z + (pitch - 0.02) / 2
        for x in knobs:
            build.ellipsoid(x, y - 0.025, knob_z, (0.02, 0.02, 0.02), knob)


def _add_doors(build, width, bottom, height, y, front, knob):
    count = max(1, int(round(width / 0.5)))
    for door in range(count):
        x = -width / 2 + (door + 0.5) * width / count
        build.box(
            x,
            y,
            bottom + 0.03,
            width / count - 0.02,
            0.025,
            height - bottom - 0.06,
            front,
        )
        side = 1 if door % 2 == 0 else -1
        knob_x = x + (width / count / 2 - 0.06) * side
        knob_z = bottom + (height - bottom) * 0.5 - 0.06
        build.box(knob_x, y - 0.03, knob_z, 0.018, 0.03, 0.14, knob)


def _add_shelf(room, width, depth, height, body):
    shape, build = room.layout, room.builder
    board = 0.03
    build.box(0, depth / 2 - 0.01, 0, width, 0.02, height, body)
    for side in (-1, 1):
        x = side * (width / 2 - board / 2)
        build.box(x, 0, 0, board, depth, height, body)
    count = max(2, int(round(height / 0.38)))
    for shelf in range(count + 1):
        z = 0.04 + shelf * (height - board - 0.04) / count
        build.box(0, 0, z, width, depth, board, body)
        if shelf < count and shape.chance(0.8):
            headroom = height / count - 0.06
            _add_books(room, width, depth, z + board, headroom, board)


def _add_books(room, width, depth, z, headroom, margin):
    shape = room.layout
    x = -width / 2 + margin + shape.uniform(0, 0.1)
    while x < width / 2 - 0.12 and shape.chance(0.93):
        thickness, height = shape.uniform(0.05, 0.16), shape.uniform(0.16, 0.28)
        room.builder.box(
            x + thickness / 2,
            0.03,
            z,
            thickness,
            depth * 0.65,
            min(height, headroom),
            room.palette.fabric(),
        )
        gap = 0.003 if shape.chance(0.8) else shape.uniform(0.05, 0.25)
        x += thickness + gap
