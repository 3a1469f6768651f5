"""Beds."""

from keras_s4t.data.synth_rooms.furniture.legs import add_legs


def add_bed(room, width):
    """Adds a bed with bedding."""
    shape, palette, build = room.layout, room.palette, room.builder
    frame = palette.wood()
    sheet = palette.plain(0.1, 0.03, 0.88, gloss=0.02)
    blanket = palette.fabric()
    linen = _draw_linen(room)
    length, leg_height = shape.uniform(1.95, 2.1), shape.uniform(0.12, 0.28)
    mattress = shape.uniform(0.18, 0.26)
    top = leg_height + 0.1 + mattress
    build.box(0, 0, leg_height, width, length, 0.12, frame)
    add_legs(build, width, length, leg_height, frame, 0.035, False, inset=0.01)
    build.box(
        0, 0, leg_height + 0.1, width - 0.05, length - 0.06, mattress, sheet
    )
    _add_boards(room, width, length, top, frame)
    covered = shape.uniform(0.5, 0.75)
    build.box(
        0,
        -length / 2 + covered * length / 2 + 0.01,
        top - mattress * shape.uniform(0.6, 1.1),
        width + 0.03,
        covered * length,
        mattress * 1.12 + 0.02,
        blanket,
    )
    fold = -length / 2 + covered * length - 0.02
    build.box(0, fold, top, width + 0.02, 0.28, 0.05, linen)
    for x in (0,) if width < 1.15 else (-0.5 * width * 0.5, 0.5 * width * 0.5):
        build.tilt(
            x,
            length / 2 - 0.27,
            top + 0.08,
            pitch=shape.uniform(0.1, 0.5),
            yaw=shape.uniform(-0.1, 0.1),
        )
        build.ellipsoid(0, 0, 0, (0.3, 0.2, 0.095), linen)


def _draw_linen(room):
    look, palette = room.look, room.palette
    if not look.chance(0.6):
        return palette.fabric()
    hue, saturation = look.uniform(), look.uniform(0, 0.2)
    value = look.uniform(0.75, 0.95)
    return palette.plain(hue, saturation, value, contrast=0.15, gloss=0.02)


def _add_boards(room, width, length, top, frame):
    """Adds a headboard and a footboard, each with some probability."""
    shape, build = room.layout, room.builder
    height = top + shape.uniform(0.25, 0.6)
    if shape.chance(0.85):
        board_width = width + shape.uniform(0, 0.1)
        board = frame if shape.chance(0.6) else room.palette.fabric()
        build.box(0, length / 2 + 0.02, 0, board_width, 0.06, height, board)
    if shape.chance(0.3):
        height = top + shape.uniform(-0.05, 0.15)
        build.box(0, -length / 2 - 0.01, 0, width, 0.05, height, frame)
