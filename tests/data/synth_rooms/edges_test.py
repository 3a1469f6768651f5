import numpy as np
import pytest

from keras_s4t.data.synth_rooms.rendering.edges import find_edges
from keras_s4t.data.synth_rooms.rendering.edges import soften_edges

SIZE = 12
FOCAL_LENGTH = 10.0


def facing_plane(depth):
    normals = np.zeros((SIZE, SIZE, 3), np.float32)
    normals[..., 2] = 1
    return np.full((SIZE, SIZE), depth, np.float32), normals


def test_every_boundary_has_an_edge_and_every_edge_a_reason(sample):
    edges, rendering = sample.edges, sample.rendering
    reason = np.zeros_like(edges)
    for axis in (0, 1):
        one, other = [slice(None)] * 2, [slice(None)] * 2
        one[axis], other[axis] = slice(1, None), slice(None, -1)
        one, other = tuple(one), tuple(other)
        boundary = rendering.instance[one] != rendering.instance[other]
        assert (edges[one] | edges[other])[boundary].all()
        jump = np.abs(rendering.depth[one] - rendering.depth[other]) > 0.05
        reason[one] |= boundary | jump
        reason[other] |= boundary | jump
    assert reason[edges].all()
    assert 0.02 < edges.mean() < 0.35


def test_a_step_marks_its_near_side():
    depth, normals = facing_plane(3.0)
    depth[:, :5] = 2.0
    edges = find_edges(
        np.zeros((SIZE, SIZE), int), depth, normals, FOCAL_LENGTH
    )
    expected = np.zeros((SIZE, SIZE), bool)
    expected[:, 4] = True
    np.testing.assert_array_equal(edges, expected)


def test_a_small_step_is_no_edge():
    depth, normals = facing_plane(3.0)
    depth[:, :5] = 3.0 / 1.02
    instance = np.zeros((SIZE, SIZE), int)
    assert not find_edges(instance, depth, normals, FOCAL_LENGTH).any()


def test_a_slanted_plane_is_no_edge():
    """Depth differs between neighbors, but within the tangent plane."""
    x = (np.arange(SIZE) + 0.5 - SIZE / 2) / FOCAL_LENGTH
    depth = np.broadcast_to(2 / (1 + 1.4 * x), (SIZE, SIZE))
    depth = depth.astype(np.float32)
    assert np.abs(np.diff(depth)).min() > 0.05
    normal = np.array([-1.4, 0, 1]) / np.hypot(1.4, 1)
    normals = np.broadcast_to(normal, (SIZE, SIZE, 3)).astype(np.float32)
    instance = np.zeros((SIZE, SIZE), int)
    assert not find_edges(instance, depth, normals, FOCAL_LENGTH).any()


def test_contact_marks_the_thing_on_top():
    depth, normals = facing_plane(2.0)
    instance = np.zeros((SIZE, SIZE), int)
    instance[:6] = 7
    edges = find_edges(instance, depth, normals, FOCAL_LENGTH)
    expected = np.zeros((SIZE, SIZE), bool)
    expected[5] = True
    np.testing.assert_array_equal(edges, expected)


@pytest.mark.parametrize("sigma, radius", [(0.8, 2), (1.5, 4)])
def test_soft_edges_are_a_convolution(sigma, radius):
    edges = np.random.default_rng(0).random((SIZE, SIZE, 1)) < 0.4
    edges = edges.astype(np.float32)
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    expected = np.zeros((SIZE, SIZE))
    for row, column in np.argwhere(edges[..., 0]):
        for i, weight_i in zip(offsets, kernel, strict=True):
            for j, weight_j in zip(offsets, kernel, strict=True):
                r, c = row + i, column + j
                if 0 <= r < SIZE and 0 <= c < SIZE:
                    expected[r, c] += weight_i * weight_j / kernel[radius]
    soft = soften_edges(edges, sigma)
    assert soft.dtype == np.float32 and soft.shape == edges.shape
    assert (expected > 1).any()
    np.testing.assert_allclose(soft[..., 0], np.minimum(expected, 1), atol=1e-6)


def test_a_straight_line_keeps_its_peak():
    edges = np.zeros((SIZE, SIZE, 1), np.float32)
    edges[:, 5] = 1
    soft = soften_edges(edges, 0.8)[4:-4, :, 0]
    np.testing.assert_allclose(soft[:, 5], 1, atol=1e-6)
    side = np.exp(-0.5 / 0.8**2)
    np.testing.assert_allclose(soft[:, 6], side, atol=1e-6)


def test_sigma_zero_keeps_edges_binary():
    edges = np.eye(SIZE, dtype=np.float32)[..., None]
    np.testing.assert_array_equal(soften_edges(edges, 0.0), edges)
