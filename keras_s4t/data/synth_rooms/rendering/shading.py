"""Linear radiance of surfaces: Lambert, Blinn-Phong and ambient light."""

import numpy as np

from keras_s4t.data.synth_rooms.rendering.surface_color import surface_color
from keras_s4t.data.synth_rooms.rendering.vectors import dot
from keras_s4t.data.synth_rooms.rendering.visibility import AMBIENT

SHININESS = 48
# Maximum radiance. Clipping avoids aliasing of small highlights.
BRIGHTEST = 1.5
CREASE_WIDTH = np.float32(0.22)


def shade(packed, directions, distances, hits, visible, pixel_size):
    """Computes the linear RGB radiance `(count, 3)` of the hits of rays.

    `visible` is that of `visibility`, `pixel_size` that of the camera.
    """
    directions = directions.T
    facing = np.clip(-(directions * hits.normal).sum(1), 0.05, 1)
    footprint = distances * pixel_size / np.sqrt(facing)
    color = surface_color(packed, hits, footprint)
    diffuse, highlight = _direct_light(packed, directions, hits, visible)
    ambient = _ambient_light(packed, hits, visible[:, AMBIENT])
    highlight = packed.material_gloss[hits.material] * highlight
    radiance = color * (ambient + diffuse) + highlight[:, None]
    emission = packed.material_emission[hits.material]
    # Emitting surfaces reflect less light.
    reflected = (1 - np.minimum(emission, 1) * 0.5)[:, None]
    radiance = radiance * reflected + color * emission[:, None]
    return np.minimum(radiance.astype(np.float32), BRIGHTEST)


def _direct_light(packed, directions, hits, visible):
    """Diffuse color and highlight due to the lamp and the window."""
    diffuse = np.zeros((len(directions), 3), np.float32)
    highlight = np.zeros(len(directions), np.float32)
    for index, light in enumerate(packed.scene.lights):
        offset = light.position.astype(np.float32) - hits.point
        squared = (offset * offset).sum(1)
        to_light = offset / np.sqrt(squared)[:, None]
        cosine = np.maximum((to_light * hits.normal).sum(1), 0)
        if light.normal is not None:
            leaving = -dot(to_light, light.normal.astype(np.float32))
            cosine = cosine * np.maximum(leaving, 0)
        color = light.color.astype(np.float32)
        strength = visible[:, index] * cosine * 4.0 / (1.0 + squared)
        diffuse += strength[:, None] * color
        half = to_light - directions
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        mirrored = np.maximum((half * hits.normal).sum(1), 0) ** SHININESS
        highlight += (
            visible[:, index]
            * 2
            * mirrored
            * (cosine > 0)
            * np.float32(light.color.mean())
        )
    return diffuse, highlight


def _ambient_light(packed, hits, visible):
    """Light reflected by the floor and the walls, darker in corners."""
    ambient = packed.scene.ambient
    floor = (
        packed.material_color[ambient.floor_material]
        + packed.material_second_color[ambient.floor_material]
    ) / 2
    wall = packed.material_color[ambient.wall_material]
    up = (0.5 + 0.5 * hits.normal[:, 2])[:, None]
    bounce = up * (0.35 + 0.75 * wall) + (1 - up) * (0.25 + 1.3 * floor)
    total = sum(light.color for light in packed.scene.lights)
    tone = (total / total.mean()).astype(np.float32)
    level = np.float32(ambient.level)
    open_sky = (0.25 + 0.75 * visible) * _crease_factor(packed, hits)
    return level * open_sky[:, None] * bounce * tone


def _crease_factor(packed, hits):
    """Darkening factor near the edges of the room."""
    factor = np.ones(len(hits.point), np.float32)
    for axis in range(3):
        along = hits.point[:, axis]
        for distance in (along, packed.size[axis] - along):
            nearness = np.exp(-np.maximum(distance, 0) / CREASE_WIDTH)
            sideways = 1 - np.abs(hits.normal[:, axis])
            factor *= 1 - 0.4 * sideways * nearness
    return factor
