"""The seven domains of SynthRooms.

The parameters are fixed. They were chosen before methods were evaluated on them
and must not be tuned.
"""

from keras_s4t.data.synth_rooms.domain import Domain

SOURCE = Domain("source")

# Lamps at night: different light, color temperature and exposure.
EVENING = SOURCE.replace(
    name="evening",
    key_power=(0.5, 0.8),
    key_kelvin=(2500.0, 3000.0),
    key_radius=(0.05, 0.15),
    key_offset=(0.2, 0.7),
    window_power=(0.0, 0.05),
    window_kelvin=(9000.0, 12000.0),
    ambient=(0.1, 0.2),
    exposure=(0.35, 0.6),
    white_balance=(0.04, 0.12),
    tint=(-0.06, 0.0),
    contrast=(1.05, 1.2),
    read_noise=(0.006, 0.015),
    shot_noise=(0.02, 0.035),
)

# Patterned wallpaper, tiles and bricks, saturated fabrics, painted furniture.
RETRO = SOURCE.replace(
    name="retro",
    wall_kinds={
        "stripes": 0.3,
        "checker": 0.2,
        "brick": 0.25,
        "tiles": 0.15,
        "dots": 0.1,
    },
    floor_kinds={"tiles": 0.45, "checker": 0.35, "brick": 0.1, "noise": 0.1},
    fabric_kinds={"stripes": 0.3, "checker": 0.35, "dots": 0.25, "noise": 0.1},
    wall_saturation=(0.15, 0.5),
    wall_value=(0.4, 0.8),
    fabric_saturation=(0.4, 0.9),
    fabric_value=(0.35, 0.9),
    wood_hue=(0.0, 0.08),
    wood_saturation=(0.45, 0.8),
    wood_value=(0.2, 0.5),
    painted_wood=0.5,
    texture_contrast=(0.9, 1.0),
    texture_frequency=(1.0, 1.6),
    gloss=(0.1, 0.4),
)

# Another platform: a low camera with a wide field of view.
ROBOT = SOURCE.replace(
    name="robot",
    camera_height=(0.5, 0.8),
    camera_pitch=(-8.0, 4.0),
    camera_roll=(-4.0, 4.0),
    field_of_view=(82.0, 95.0),
)

# A worse sensor: noise, blur, low contrast, cold white balance, haze.
SENSOR = SOURCE.replace(
    name="sensor",
    white_balance=(-0.16, -0.06),
    tint=(0.0, 0.08),
    contrast=(0.65, 0.85),
    saturation=(0.4, 0.75),
    vignette=(0.3, 0.7),
    blur=(0.6, 1.3),
    read_noise=(0.02, 0.045),
    shot_noise=(0.03, 0.06),
    haze=(0.03, 0.09),
    exposure=(1.0, 1.5),
)

# More small objects.
CLUTTER = SOURCE.replace(name="clutter", clutter=(10, 18))

# The default target: a moderate mixture of all shifts.
MIXED = SOURCE.replace(
    name="mixed",
    camera_height=(1.1, 1.7),
    camera_pitch=(-28.0, -6.0),
    camera_roll=(-5.0, 5.0),
    field_of_view=(55.0, 66.0),
    key_power=(0.6, 0.9),
    key_kelvin=(2700.0, 3600.0),
    key_radius=(0.06, 0.2),
    key_offset=(0.1, 0.6),
    window_power=(0.02, 0.25),
    ambient=(0.18, 0.34),
    wall_kinds={
        "plain": 0.55,
        "noise": 0.22,
        "stripes": 0.15,
        "tiles": 0.05,
        "brick": 0.03,
    },
    floor_kinds={"planks": 0.45, "tiles": 0.2, "noise": 0.3, "checker": 0.05},
    fabric_kinds={
        "plain": 0.33,
        "noise": 0.35,
        "stripes": 0.22,
        "checker": 0.05,
        "dots": 0.05,
    },
    wall_saturation=(0.04, 0.28),
    wall_value=(0.55, 0.88),
    fabric_saturation=(0.2, 0.7),
    fabric_value=(0.25, 0.8),
    wood_hue=(0.03, 0.1),
    wood_saturation=(0.35, 0.65),
    wood_value=(0.25, 0.65),
    painted_wood=0.22,
    clutter=(3, 8),
    exposure=(0.45, 0.8),
    white_balance=(0.02, 0.12),
    tint=(-0.06, 0.0),
    contrast=(0.8, 1.1),
    saturation=(0.65, 1.0),
    vignette=(0.2, 0.5),
    blur=(0.3, 0.9),
    read_noise=(0.01, 0.022),
    shot_noise=(0.015, 0.032),
    haze=(0.0, 0.05),
)

DOMAINS = {
    domain.name: domain
    for domain in (SOURCE, MIXED, EVENING, RETRO, ROBOT, SENSOR, CLUTTER)
}


def get(identifier):
    """Returns a domain by name; a `Domain` is returned as it is.

    Args:
        identifier: str, a key of `DOMAINS`, or a `Domain`.

    Raises:
        ValueError: if there is no domain of that name.
    """
    if isinstance(identifier, Domain):
        return identifier
    if not isinstance(identifier, str) or identifier not in DOMAINS:
        raise ValueError(
            f"`domain` must be a `Domain` or one of {list(DOMAINS)}. "
            f"Received: domain={identifier!r}"
        )
    return DOMAINS[identifier]
