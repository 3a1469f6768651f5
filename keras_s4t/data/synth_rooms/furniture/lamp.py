"""Floor and bedside lamps."""


def add_lamp(room, height):
    """Adds a lamp. Lamps above 1 meter are floor lamps."""
    look, palette, build = room.look, room.palette, room.builder
    is_tall = height > 1
    metal = palette.metal()
    saturation, emission = look.uniform(0.05, 0.35), look.uniform(0.35, 0.9)
    shade = palette.plain(
        0.1, saturation, 0.95, contrast=0.05, emission=emission
    )
    radius = 0.16 if is_tall else 0.11
    shade_height = 0.26 if is_tall else 0.18
    build.cylinder(0, 0, 0, 0.025, radius * 0.8, metal)
    pole = 0.012 if is_tall else 0.02
    build.cylinder(0, 0, 0.02, height * 0.85, pole, metal)
    top_radius = radius * room.layout.uniform(0.6, 1.0)
    build.cylinder(
        0, 0, height - shade_height, height, radius * 1.25, shade, top_radius
    )
