"""A domain: parameters that differ between source and target."""

import dataclasses
import re

from keras_s4t.data.synth_rooms.rendering.textures import TEXTURE_KINDS


@dataclasses.dataclass(frozen=True)
class Domain:
    """Distribution of the cameras, lights, materials and sensors of rooms.

    A range is a `(low, high)` pair. Values are drawn from it uniformly, once
    per image. The `*_kinds` are weights by texture name. They may be given as a
    dict and are stored as a tuple of pairs, so that a domain is immutable and
    hashable. The defaults are those of the domain `"source"`.

    Args:
        name: str of letters, digits, `.`, `_` and `-`. Part of ids and of
            names of cached files.
        camera_height: range, meters above the floor.
        camera_pitch: range, degrees; negative looks down.
        camera_roll: range, degrees.
        field_of_view: range, horizontal, degrees.
        key_power: range, brightness of the ceiling lamp.
        key_kelvin: range, color temperature of the ceiling lamp.
        key_radius: range, meters; larger lamps cast softer shadows.
        key_offset: range, distance of the lamp from the center of the ceiling
            as a fraction of the room.
        window_power: range, brightness of the daylight from the window.
        window_kelvin: range, color temperature of the daylight.
        ambient: range, brightness of the indirect light.
        wall_kinds: texture weights of the walls.
        floor_kinds: texture weights of the floor.
        fabric_kinds: texture weights of fabrics.
        wall_saturation: range in `[0, 1]`.
        wall_value: range in `[0, 1]`.
        fabric_saturation: range in `[0, 1]`.
        fabric_value: range in `[0, 1]`.
        wood_hue: range in `[0, 1]`, where 1 is a full turn of the color wheel.
        wood_saturation: range in `[0, 1]`.
        wood_value: range in `[0, 1]`.
        texture_contrast: range, multiplies the contrast of every texture.
        texture_frequency: range, multiplies the spatial frequency of every
            texture.
        painted_wood: float in `[0, 1]`, probability of painted wood.
        gloss: range, strength of highlights.
        clutter: range, number of small objects, rounded down.
        exposure: range, factor on the brightness of the picture.
        white_balance: range, gain error of red (positive is warm) and,
            negated, of blue.
        tint: range, gain error of green.
        contrast: range, factor of the difference from middle gray.
        saturation: range, factor of the difference from the gray value of the
            pixel.
        vignette: range, darkening toward the corners.
        blur: range, sigma of a Gaussian, in pixels of a 128 x 128 picture.
        read_noise: range, standard deviation of the constant noise.
        shot_noise: range, standard deviation of the shot noise at brightness
            1.
        haze: range, extinction per meter.

    Raises:
        ValueError: if the name, a range or a texture weight is malformed.
    """

    name: str
    camera_height: tuple = (1.35, 1.65)
    camera_pitch: tuple = (-22.0, -8.0)
    camera_roll: tuple = (-1.5, 1.5)
    field_of_view: tuple = (62.0, 72.0)
    key_power: tuple = (0.75, 1.0)
    key_kelvin: tuple = (4200.0, 5600.0)
    key_radius: tuple = (0.25, 0.45)
    key_offset: tuple = (0.0, 0.25)
    window_power: tuple = (0.15, 0.5)
    window_kelvin: tuple = (5600.0, 7000.0)
    ambient: tuple = (0.42, 0.55)
    wall_kinds: tuple = (("plain", 0.7), ("noise", 0.2), ("stripes", 0.1))
    floor_kinds: tuple = (("planks", 0.75), ("wood", 0.1), ("noise", 0.15))
    fabric_kinds: tuple = (("plain", 0.4), ("noise", 0.45), ("stripes", 0.15))
    wall_saturation: tuple = (0.02, 0.18)
    wall_value: tuple = (0.72, 0.92)
    fabric_saturation: tuple = (0.15, 0.6)
    fabric_value: tuple = (0.3, 0.75)
    wood_hue: tuple = (0.06, 0.11)
    wood_saturation: tuple = (0.3, 0.6)
    wood_value: tuple = (0.35, 0.75)
    texture_contrast: tuple = (0.6, 1.0)
    texture_frequency: tuple = (0.9, 1.2)
    painted_wood: float = 0.15
    gloss: tuple = (0.05, 0.2)
    clutter: tuple = (1, 4)
    exposure: tuple = (0.92, 1.12)
    white_balance: tuple = (-0.03, 0.03)
    tint: tuple = (-0.02, 0.02)
    contrast: tuple = (0.95, 1.05)
    saturation: tuple = (0.9, 1.05)
    vignette: tuple = (0.0, 0.1)
    blur: tuple = (0.0, 0.35)
    read_noise: tuple = (0.003, 0.01)
    shot_noise: tuple = (0.004, 0.012)
    haze: tuple = (0.0, 0.02)

    def __post_init__(self):
        if not re.fullmatch(r"[A-Za-z0-9._-]+", str(self.name)):
            raise ValueError(
                "`name` of a domain must consist of letters, digits, '.', "
                f"'_' and '-'. Received: name={self.name!r}"
            )
        for field in dataclasses.fields(self):
            if field.name.endswith("_kinds"):
                weights = _checked_weights(field.name, self)
                object.__setattr__(self, field.name, weights)
            elif field.type is tuple:
                _check_range(field.name, getattr(self, field.name))

    def replace(self, **changes):
        """Returns a copy with the given fields changed.

        Args:
            **changes: new values by field name.
        """
        return dataclasses.replace(self, **changes)

    def toward(self, other, amount):
        """Interpolates between this domain and another one.

        Ranges and weights are interpolated linearly. The name becomes
        `"<self>-<other>-<amount>"`.

        Args:
            other: `Domain`.
            amount: float. 0 is this domain, 1 the other one. Values above 1
                extrapolate.
        """
        mixed = {"name": f"{self.name}-{other.name}-{amount:g}"}
        for field in dataclasses.fields(self)[1:]:
            start, end = getattr(self, field.name), getattr(other, field.name)
            if field.name.endswith("_kinds"):
                mixed[field.name] = _mix_weights(start, end, amount)
            elif field.type is tuple:
                pairs = zip(start, end, strict=True)
                mixed[field.name] = tuple(_mix(*p, amount) for p in pairs)
            else:
                mixed[field.name] = _mix(start, end, amount)
        return Domain(**mixed)


def _mix(start, end, amount):
    return (1 - amount) * start + amount * end


def _mix_weights(start, end, amount):
    start, end = dict(start), dict(end)
    return tuple(
        (kind, max(0.0, _mix(start.get(kind, 0.0), end.get(kind, 0.0), amount)))
        for kind in {**start, **end}
    )


def _check_range(name, bounds):
    if not isinstance(bounds, tuple) or len(bounds) != 2:
        raise ValueError(
            f"`{name}` must be a (low, high) pair. Received: {name}={bounds!r}"
        )


def _checked_weights(name, domain):
    """Returns texture weights as pairs. Random draws depend on their order."""
    weights = dict(getattr(domain, name))
    unknown = set(weights) - set(TEXTURE_KINDS)
    if unknown or not sum(weights.values()) > 0 or min(weights.values()) < 0:
        raise ValueError(
            f"`{name}` must give non-negative weights, not all zero, to "
            f"textures out of {TEXTURE_KINDS}. Received: {name}={weights}"
        )
    return tuple(weights.items())
