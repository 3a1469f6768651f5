"""Legs of furniture."""


def add_legs(
    build, width, depth, height, material, radius, is_round, inset=0.04
):
    """Adds four legs below a rectangle, at a distance `inset` from its border.

    Round legs taper toward the floor. `radius` is half the thickness.
    """
    x, y = width / 2 - inset - radius, depth / 2 - inset - radius
    thickness = 2 * radius
    for side in (-1, 1):
        for end in (-1, 1):
            place = side * x, end * y, 0
            if is_round:
                build.cylinder(*place, height, radius * 0.7, material, radius)
            else:
                build.box(*place, thickness, thickness, height, material)
