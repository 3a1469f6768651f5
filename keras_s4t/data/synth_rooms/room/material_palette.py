"""Materials drawn from a domain."""

import numpy as np

from keras_s4t.data.synth_rooms.room.colors import from_hsv
from keras_s4t.data.synth_rooms.room.colors import scaled
from keras_s4t.data.synth_rooms.room.scene import Material

TWO_COLOR_KINDS = ("stripes", "checker", "dots")


class MaterialPalette:
    """Draws and collects the materials of one room.

    All classes of furniture share the same woods, paints, metals and fabrics,
    so that they differ in shape and not in color.

    Args:
        domain: `Domain`.
        look: `RandomStream` of the appearance, which does not change labels.
    """

    def __init__(self, domain, look):
        self.domain = domain
        self.look = look
        self.materials = []
        self.contrast = look.within(domain.texture_contrast)
        self.frequency = look.within(domain.texture_frequency)
        self.wood_tone = self.wood_color()
        self.accent_hue = look.uniform()

    def add(
        self,
        kind,
        color,
        second_color=None,
        frequency=4.0,
        contrast=1.0,
        gloss=None,
        emission=0.0,
        axis=0,
    ):
        """Adds a `Material` and returns its index."""
        if gloss is None:
            gloss = self.look.within(self.domain.gloss)
        offset = tuple(self.look.uniform(0, 30) for _ in range(3))
        material = Material(
            kind,
            tuple(color),
            tuple(color if second_color is None else second_color),
            frequency * self.frequency,
            min(1.0, contrast * self.contrast),
            gloss,
            emission,
            axis,
            offset,
        )
        self.materials.append(material)
        return len(self.materials) - 1

    def plain(self, hue, saturation, value, contrast=0.1, **options):
        """Adds a plain material of an HSV color. See `add` for `options`."""
        color = from_hsv(hue, saturation, value)
        return self.add("plain", color, contrast=contrast, **options)

    def wood(self):
        """Wood, mostly in the tone of the room, sometimes painted."""
        look = self.look
        if look.chance(self.domain.painted_wood):
            return self.paint()
        hue, saturation, value = self.wood_tone
        if look.chance(0.35):
            hue, saturation, value = self.wood_color()
        value = value * look.uniform(0.92, 1.08)
        return self.add(
            "wood",
            from_hsv(hue, saturation, value),
            from_hsv(hue - 0.01, saturation * 1.15, value * 0.62),
            frequency=look.uniform(5, 9),
            contrast=0.9,
            axis=look.integer(0, 1),
        )

    def paint(self):
        """Paint, nearly white or colored."""
        look, domain = self.look, self.domain
        hue = self._hue(0.08)
        if look.chance(0.5):
            color = from_hsv(
                hue, look.uniform(0, 0.12), look.uniform(0.75, 0.95)
            )
        else:
            saturation = look.within(domain.fabric_saturation) * 0.8
            color = from_hsv(hue, saturation, look.within(domain.fabric_value))
        return self.add(
            "plain", color, scaled(color, 0.85), frequency=3, contrast=0.4
        )

    def metal(self):
        """Metal, dark or bright."""
        look = self.look
        value = look.choice([look.uniform(0.1, 0.25), look.uniform(0.6, 0.8)])
        return self.plain(0.6, 0.04, value, frequency=2, gloss=0.5)

    def fabric(self):
        """Cloth, plain or patterned."""
        look, domain = self.look, self.domain
        hue = self._hue(0.06)
        saturation = look.within(domain.fabric_saturation)
        value = look.within(domain.fabric_value)
        if look.chance(0.25):
            saturation *= 0.2
        color = from_hsv(hue, saturation, value)
        kind = self.kind(domain.fabric_kinds)
        if kind in TWO_COLOR_KINDS:
            second_hue = hue + look.uniform(-0.1, 0.1)
            second_saturation = saturation * look.uniform(0.3, 1.0)
            shift = look.choice([-1, 1]) * look.uniform(0.2, 0.35)
            second_value = np.clip(value + shift, 0.1, 0.95)
            return self.add(
                kind,
                color,
                from_hsv(second_hue, second_saturation, second_value),
                frequency=look.uniform(5, 11),
                contrast=0.9,
                gloss=0.02,
                axis=look.integer(0, 1),
            )
        return self.add(
            kind,
            color,
            from_hsv(hue, saturation, value * 0.7),
            frequency=look.uniform(12, 30) if kind == "noise" else 3,
            contrast=0.6,
            gloss=0.02,
        )

    def white(self, saturation, low, high, gloss=None):
        """Warm white with a value drawn between `low` and `high`."""
        return self.plain(
            0.1, saturation, self.look.uniform(low, high), gloss=gloss
        )

    def wood_color(self):
        """Draws hue, saturation and value of a wood."""
        look, domain = self.look, self.domain
        return (
            look.within(domain.wood_hue),
            look.within(domain.wood_saturation),
            look.within(domain.wood_value),
        )

    def kind(self, weights):
        """Draws a texture name from pairs of names and weights."""
        kinds, weights = zip(*weights, strict=True)
        return self.look.choice(kinds, weights)

    def _hue(self, spread):
        """A random hue, sometimes near the accent hue of the room."""
        if self.look.chance(0.3):
            return self.accent_hue + self.look.uniform(-spread, spread)
        return self.look.uniform()
