"""Televisions and computer screens."""

from keras_s4t.data.synth_rooms.room.colors import from_hsv


def add_television(room, width, has_stand):
    """Adds a screen, with a stand or to hang on a wall."""
    palette, build = room.palette, room.builder
    height = width * 0.58
    case = palette.plain(0.6, 0.05, 0.12, gloss=0.25)
    screen = _draw_screen(room)
    z = 0.07 if has_stand else 0.0
    build.box(0, 0.02, z, width, 0.05, height, case)
    build.box(0, -0.008, z + 0.025, width - 0.05, 0.012, height - 0.05, screen)
    if has_stand:
        build.box(0, 0.02, 0.012, 0.06, 0.03, z, case)
        build.box(0, 0.02, 0, width * 0.35, 0.18, 0.015, case)


def _draw_screen(room):
    """Draws a picture if the screen is on, else a dark color."""
    look, palette = room.look, room.palette
    if look.chance(0.45):
        return palette.add(
            "picture",
            from_hsv(look.uniform(), 0.6, 0.8),
            from_hsv(look.uniform(), 0.7, 0.3),
            frequency=look.uniform(1.5, 3.5),
            gloss=0.3,
            emission=look.uniform(0.3, 0.8),
        )
    value = look.uniform(0.03, 0.1)
    return palette.plain(0.62, 0.15, value, contrast=0.05, gloss=0.7)
