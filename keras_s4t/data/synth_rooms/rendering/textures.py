"""Procedural textures.

A texture is a function of `TexturePoints` that returns the weight of the second
color, an array of shape `(count,)` in `[0, 1]`. Steps are antialiased
analytically over the size of a pixel.
"""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms.rendering.value_noise import lattice_value
from keras_s4t.data.synth_rooms.rendering.value_noise import value_noise


@dataclasses.dataclass
class TexturePoints:
    """Points at which a texture is evaluated.

    Attributes:
        u: `(count,)`, meters along the dominant face of the local frame.
        v: `(count,)`, meters along the other direction of the face.
        position: `(count, 3)`, local frame, meters.
        frequency: `(count,)`, features per meter.
        footprint: `(count,)`, size of a pixel on the surface, meters.
    """

    u: np.ndarray
    v: np.ndarray
    position: np.ndarray
    frequency: np.ndarray
    footprint: np.ndarray

    @property
    def blur(self):
        """Width of the smoothing of steps, in features."""
        return 2 * np.maximum(self.footprint * self.frequency, 1e-3)


def plain(at):
    """One octave of noise."""
    return value_noise(at.position * at.frequency[:, None])


def noise(at):
    """Two octaves of noise."""
    frequency = at.frequency[:, None]
    coarse = value_noise(at.position * frequency)
    fine = value_noise(at.position * (2.1 * frequency))
    return 0.6 * coarse + 0.4 * fine


def stripes(at):
    """Stripes of equal width along u."""
    return _step(_triangle_wave(at.u * at.frequency), at.blur)


def checker(at):
    """Squares of alternating color."""
    column = _step(_triangle_wave(at.u * at.frequency), at.blur)
    row = _step(_triangle_wave(at.v * at.frequency), at.blur)
    return column * (1 - row) + row * (1 - column)


def wood(at):
    """Distorted rings, stretched along u."""
    grain = np.stack(
        [
            at.u * at.frequency * 0.25,
            at.v * at.frequency * 3.0,
            at.position.sum(1) * 0.3,
        ],
        1,
    )
    rings = np.abs((value_noise(grain) * 5) % 2 - 1)
    # Rings are the finest features. They are faded out to avoid aliasing.
    visible = np.clip(1.5 - 2 * at.blur, 0, 1)
    fiber = value_noise(grain * np.array([1.5, 3, 1], np.float32))
    return 0.65 * rings * visible + 0.35 * fiber


def tiles(at):
    """Square tiles of slightly different tones with joints."""
    return _masonry(at, at.u * at.frequency, at.v * at.frequency, joint=0.035)


def dots(at):
    """A square grid of round dots."""
    u, v = at.u * at.frequency, at.v * at.frequency
    return _step(0.28 - np.hypot(u % 1 - 0.5, v % 1 - 0.5), at.blur)


def planks(at):
    """Floorboards of different tones and offsets, with gaps."""
    v = at.v * at.frequency
    row = np.floor(v).astype(int)
    u = at.u * 0.8 + lattice_value(row, 5, 9) * 7
    tone = lattice_value(row, np.floor(u).astype(int), 1)
    to_side, to_end = _to_border(v) / at.frequency, _to_border(u) / 0.8
    to_gap = np.minimum(to_side, to_end) - 0.003
    gap = 1 - _step(to_gap, 2 * at.footprint + 1e-4)
    fiber = value_noise(np.stack([at.u * 2, v * 5, tone * 20], 1))
    return np.maximum(0.5 * tone + 0.35 * fiber, 0.9 * gap)


def picture(at):
    """Soft blobs. `picture_tint` returns their colors."""
    return value_noise(_picture_plane(at))


def brick(at):
    """Flat bricks. Every other row is shifted by half a brick."""
    v = at.v * at.frequency * 2.2
    u = at.u * at.frequency + 0.5 * (np.floor(v) % 2)
    return _masonry(at, u, v, joint=0.06)


def picture_tint(at):
    """Color factors of the blobs of `picture`, shape `(count, 3)`."""
    plane = _picture_plane(at)
    return np.stack(
        [
            value_noise(plane * 1.3 + 5),
            value_noise(plane * 0.9 + 11),
            value_noise(plane * 1.1 + 17),
        ],
        1,
    )


TEXTURES = {
    texture.__name__: texture
    for texture in (
        plain,
        noise,
        stripes,
        checker,
        wood,
        tiles,
        dots,
        planks,
        picture,
        brick,
    )
}
TEXTURE_KINDS = tuple(TEXTURES)


def _step(x, width):
    """Unit step at 0, smoothed over `width`."""
    return np.clip(x / width + 0.5, 0, 1)


def _triangle_wave(x):
    """Triangle wave with period 2, between -0.5 and 0.5."""
    return np.abs(x % 2 - 1) - 0.5


def _to_border(x):
    """Distance to the nearest integer."""
    return np.minimum(x % 1, 1 - x % 1)


def _masonry(at, u, v, joint):
    to_joint = np.minimum(_to_border(u), _to_border(v)) - joint
    joints = 1 - _step(to_joint, at.blur)
    tone = lattice_value(np.floor(u).astype(int), np.floor(v).astype(int), 3)
    return np.maximum(0.3 * tone + 0.1 * value_noise(at.position * 9), joints)


def _picture_plane(at):
    plane = np.stack([at.u, at.v, np.zeros_like(at.u)], 1)
    return plane * at.frequency[:, None]
