"""Linear RGB colors from HSV and from color temperatures."""

import colorsys

import numpy as np

GAMMA = 2.2


def from_hsv(hue, saturation, value):
    """Converts an HSV color to a tuple of linear RGB.

    The hue is in turns. Saturation and value are clipped to `[0, 1]`.
    """
    rgb = colorsys.hsv_to_rgb(
        hue % 1.0,
        float(np.clip(saturation, 0, 1)),
        float(np.clip(value, 0, 1)),
    )
    return tuple(x**GAMMA for x in rgb)


def scaled(color, factor):
    """Multiplies a color tuple by a number."""
    return tuple(factor * x for x in color)


def black_body(kelvin):
    """Linear RGB of a black body at unit luminance (Tanner Helland's fit).

    The temperature is between about 1000 and 40000 kelvin.
    """
    t = kelvin / 100.0
    if t <= 66:
        red = 1.0
        green = 0.3900816 * np.log(t) - 0.6318414
    else:
        red = 1.292936 * (t - 60) ** -0.1332047
        green = 1.129891 * (t - 60) ** -0.0755148
    if t >= 66:
        blue = 1.0
    elif t <= 19:
        blue = 0.0
    else:
        blue = 0.5432068 * np.log(t - 10) - 1.196254
    color = np.clip(np.array([red, green, blue]), 0.01, 1.0) ** GAMMA
    return color / (color @ np.array([0.2126, 0.7152, 0.0722]))
