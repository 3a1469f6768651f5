"""Base colors of surfaces."""

import numpy as np

from keras_s4t.data.synth_rooms.rendering.textures import TEXTURE_KINDS
from keras_s4t.data.synth_rooms.rendering.textures import TEXTURES
from keras_s4t.data.synth_rooms.rendering.textures import TexturePoints
from keras_s4t.data.synth_rooms.rendering.textures import picture_tint


def surface_color(packed, hits, footprint):
    """Mixes the two colors of the material of each hit by its texture.

    `footprint` is the size of a pixel on the surface in meters. The linear RGB
    `(count, 3)` is approximately in `[0, 1]`.
    """
    material = hits.material
    frequency = packed.material_frequency[material]
    kind = packed.material_kind[material]
    u, v, position = _texture_coordinates(packed, hits)
    weight = np.full(len(material), 0.5, np.float32)
    tints = []
    for name, texture in TEXTURES.items():
        m = np.flatnonzero(kind == TEXTURE_KINDS.index(name))
        if not len(m):
            continue
        at = TexturePoints(u[m], v[m], position[m], frequency[m], footprint[m])
        weight[m] = texture(at)
        if name == "picture":
            tints.append((m, picture_tint(at)))
    # Features finer than about two pixels fade to the mean color.
    fade = np.clip(1.6 - 1.6 * footprint * frequency, 0, 1)
    weight = 0.5 + (weight - 0.5) * fade
    mix = (packed.material_contrast[material] * weight)[:, None]
    first = packed.material_color[material]
    second = packed.material_second_color[material]
    color = first + mix * (second - first)
    for m, tint in tints:
        tinted = 0.35 * color[m] + 1.1 * color[m] * (0.3 + tint)
        color[m] = np.clip(tinted, 0, 1.5)
    return color


def _texture_coordinates(packed, hits):
    """Coordinates on the dominant face of the local frame, and position."""
    material = hits.material
    position = hits.local_point + packed.material_offset[material]
    normal = np.abs(hits.local_normal)
    on_top = normal[:, 2] > 0.7
    on_side = (normal[:, 0] > 0.7) & ~on_top
    x, y, z = position.T
    u = np.where(on_side, y, x)
    v = np.where(on_top, y, z)
    turned = (packed.material_axis[material] == 1) & on_top
    return np.where(turned, v, u), np.where(turned, u, v), position
