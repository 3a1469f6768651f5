"""Materials of the walls, the floor and the ceiling."""

from keras_s4t.data.synth_rooms.room.colors import from_hsv
from keras_s4t.data.synth_rooms.room.colors import scaled


def draw_shell_materials(room):
    """Draws materials of walls, floor and ceiling.

    One wall may have another material than the others. Returns the common
    material of the walls, and the `shell` of a `Scene`.
    """
    palette, look = room.palette, room.look
    wall = _draw_wall(palette, look)
    accent = _draw_wall(palette, look) if look.chance(0.35) else wall
    floor = _draw_floor(palette, look)
    ceiling = palette.white(0.03, 0.85, 0.95, gloss=0.0)
    shell = [wall] * 4 + [floor, ceiling]
    shell[room.layout.integer(0, 3)] = accent
    return wall, shell


def _draw_wall(palette, look):
    """Wall paint or wallpaper."""
    domain = palette.domain
    hue = look.uniform()
    saturation = look.within(domain.wall_saturation)
    value = look.within(domain.wall_value)
    kind = palette.kind(domain.wall_kinds)
    color = from_hsv(hue, saturation, value)
    if kind in ("plain", "noise"):
        return palette.add(
            kind,
            color,
            scaled(color, 0.8),
            frequency=look.uniform(2, 6),
            contrast=0.35,
            gloss=0.02,
        )
    second_hue = hue + look.uniform(-0.08, 0.08)
    second_saturation = saturation * look.uniform(0.6, 1.6)
    shift = look.choice([-1, 1]) * look.uniform(0.08, 0.2)
    return palette.add(
        kind,
        color,
        from_hsv(second_hue, second_saturation, value + shift),
        frequency=look.uniform(1.5, 4.5),
        contrast=0.8,
        gloss=0.02,
    )


def _draw_floor(palette, look):
    """Boards, carpet or tiles."""
    kind = palette.kind(palette.domain.floor_kinds)
    wood_color = palette.wood_color()
    if kind in ("planks", "wood"):
        return _draw_boards(palette, look, kind, wood_color)
    if kind == "noise":
        return _draw_carpet(palette, look)
    return _draw_stone_floor(palette, look, kind)


def _draw_boards(palette, look, kind, wood_color):
    hue, saturation, value = wood_color
    return palette.add(
        kind,
        from_hsv(hue, saturation, value),
        from_hsv(hue - 0.01, saturation * 1.1, value * 0.6),
        frequency=look.uniform(6, 9),
        contrast=0.8,
        gloss=look.uniform(0.05, 0.25),
        axis=look.integer(0, 1),
    )


def _draw_carpet(palette, look):
    color = from_hsv(
        look.uniform(),
        look.within(palette.domain.fabric_saturation) * 0.6,
        look.within(palette.domain.fabric_value),
    )
    return palette.add(
        "noise",
        color,
        scaled(color, 0.6),
        frequency=look.uniform(20, 35),
        contrast=0.5,
        gloss=0.0,
    )


def _draw_stone_floor(palette, look, kind):
    color = _draw_stone(look, 0.5, 0.85)
    if kind == "checker":
        second_color = _draw_stone(look, 0.25, 0.5)
    else:
        second_color = scaled(color, 0.45)
    return palette.add(
        kind,
        color,
        second_color,
        frequency=look.uniform(2.0, 3.5),
        contrast=0.9,
        gloss=look.uniform(0.1, 0.4),
    )


def _draw_stone(look, low, high):
    hue, saturation = look.uniform(), look.uniform(0.0, 0.3)
    return from_hsv(hue, saturation, look.uniform(low, high))
