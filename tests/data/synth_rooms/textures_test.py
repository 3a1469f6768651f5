import numpy as np
import pytest

from keras_s4t.data.synth_rooms.rendering import textures
from keras_s4t.data.synth_rooms.rendering.value_noise import LATTICE
from keras_s4t.data.synth_rooms.rendering.value_noise import value_noise


def points(u, v, frequency=1.0, footprint=1e-6):
    u, v = (np.asarray(x, np.float32) for x in (u, v))
    return textures.TexturePoints(
        u,
        v,
        np.stack([u, v, 0 * u], 1),
        np.full(len(u), frequency, np.float32),
        np.full(len(u), footprint, np.float32),
    )


@pytest.mark.parametrize("kind", textures.TEXTURE_KINDS)
def test_weights_are_in_range_and_vary(kind):
    rng = np.random.default_rng(0)
    at = points(*rng.uniform(0, 30, (2, 4000)), frequency=3.0, footprint=0.01)
    weight = textures.TEXTURES[kind](at)
    assert weight.shape == (4000,)
    assert weight.min() >= 0 and weight.max() <= 1
    assert weight.std() > 0.05


def test_value_noise_is_trilinear_with_smooth_steps():
    rng = np.random.default_rng(0)
    x = rng.uniform(-40, 40, (200, 3))
    cell = np.floor(x).astype(int)
    f = x - cell
    f = 3 * f**2 - 2 * f**3
    expected = np.zeros(200)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, f, 1 - f), axis=1)
        expected += weight * LATTICE[tuple(((cell + corner) % 32).T)]
    np.testing.assert_allclose(value_noise(x), expected, atol=1e-6)


def test_stripes_and_checker_alternate():
    u, v = np.meshgrid(np.arange(6) + 0.1, np.arange(6) + 0.1)
    at = points(u.ravel(), v.ravel())
    column = ((u + 0.5) // 1 % 2 == 0).ravel()
    row = ((v + 0.5) // 1 % 2 == 0).ravel()
    np.testing.assert_array_equal(textures.stripes(at), column)
    np.testing.assert_array_equal(textures.checker(at), column ^ row)


def test_dots_are_discs():
    u, v = np.random.default_rng(0).uniform(0, 4, (2, 500))
    out = np.hypot(u % 1 - 0.5, v % 1 - 0.5)
    clear = np.abs(out - 0.28) > 0.01
    weight = textures.dots(points(u, v))
    np.testing.assert_array_equal(weight[clear], (out < 0.28)[clear])


def test_steps_are_blurred_over_the_footprint():
    """The mean of a pixel centered at a border of stripes is one half."""
    at = points([0.5], [0.0], footprint=0.2)
    np.testing.assert_allclose(textures.stripes(at), 0.5)
    at = points([0.55], [0.0], footprint=0.2)
    np.testing.assert_allclose(textures.stripes(at), 0.375, atol=1e-6)
