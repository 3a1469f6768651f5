import numpy as np
import pytest

from keras_s4t.metrics import cosine_affinity
from keras_s4t.metrics import linear_cka


def make_latents(seed=0):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 3, 4, 5, 6))
    return {"a": first, "b": second, "c": 2.0 * first + second}


def test_cosine_is_the_mean_over_positions():
    latents = make_latents()
    affinity = cosine_affinity(latents)
    expected = np.zeros((3, 3))
    for i, x in enumerate(latents.values()):
        for j, y in enumerate(latents.values()):
            for index in np.ndindex(3, 4, 5):
                u, v = x[index], y[index]
                cosine = u @ v / np.sqrt((u @ u) * (v @ v))
                expected[i, j] += cosine / 60
    np.testing.assert_allclose(affinity, expected, atol=1e-12)
    np.testing.assert_allclose(np.diag(affinity), 1.0)
    np.testing.assert_array_equal(affinity, affinity.T)


def test_cka_by_its_kernels():
    latents = make_latents()
    kernels = []
    for x in latents.values():
        x = x.reshape(60, 6)
        center = np.eye(60) - 1 / 60
        kernels.append(center @ x @ x.T @ center)
    expected = [
        [
            np.sum(k * m) / np.sqrt(np.sum(k * k) * np.sum(m * m))
            for m in kernels
        ]
        for k in kernels
    ]
    np.testing.assert_allclose(linear_cka(latents), expected, rtol=1e-9)


def test_cka_does_not_depend_on_the_basis():
    latents = make_latents()
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))
    rotated = {"a": latents["a"], "b": 3.0 * latents["a"] @ rotation + 1.0}
    np.testing.assert_allclose(linear_cka(rotated), 1.0)
    assert abs(cosine_affinity(rotated)[0, 1]) < 0.9
    # Nor need the channels be as many.
    narrow = {"a": latents["a"], "b": latents["b"][..., :2]}
    assert 0 < linear_cka(narrow)[0, 1] < 1


def test_latents_of_zeros_and_constants():
    latents = {"a": np.zeros((1, 2, 2, 3)), "b": np.ones((1, 2, 2, 3))}
    np.testing.assert_allclose(cosine_affinity(latents), [[0, 0], [0, 1]])
    assert np.isnan(linear_cka(latents)).all()


@pytest.mark.parametrize("function", [cosine_affinity, linear_cka])
@pytest.mark.parametrize(
    "latents", [{}, {"a": np.ones((1, 2, 2, 3)), "b": np.ones((1, 2, 3, 3))}]
)
def test_bad_latents(function, latents):
    with pytest.raises(ValueError, match="`latents` must hold at least one"):
        function(latents)
