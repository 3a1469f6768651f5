"""What the files say, against the labels that were written to them."""

import numpy as np
import pytest
from generated_archives import taskonomy

from keras_s4t.data.archives.taskonomy.decoding import Units
from keras_s4t.data.archives.taskonomy.decoding import domains_of
from keras_s4t.data.archives.taskonomy.decoding import encode_view

TASKS = ["semseg", "depth", "normals", "edge"]


def read(labels, size, tasks=TASKS, **kwargs):
    """Encodes as Taskonomy does and decodes, without files."""
    arrays = taskonomy.encode(labels)
    arrays = {
        name: array.reshape(*array.shape[:2], -1)
        for name, array in arrays.items()
    }
    return encode_view(arrays, tasks, size, **kwargs)


def vectors(stored):
    return stored["normals"] / 127.5 - 1


def directions(stored):
    codes = vectors(stored)
    return codes / np.linalg.norm(codes, axis=-1, keepdims=True)


@pytest.mark.parametrize("index", range(2))
def test_labels_at_full_size(index):
    labels = taskonomy.make_labels(index)
    known = labels.known[..., 0]
    stored = read(labels, taskonomy.SIZE)
    np.testing.assert_array_equal(stored["image"], labels.image)
    np.testing.assert_array_equal(
        stored["semseg"][..., 0], np.where(labels.ids == 0, 255, labels.ids)
    )
    np.testing.assert_array_equal(stored["depth"] > 0, labels.known)
    # Half of 1 / 512 m on disk and half a millimeter here.
    depth = stored["depth"] / 1000
    np.testing.assert_allclose(depth[known], labels.depth[known], atol=0.0015)
    cosines = (directions(stored) * labels.normals).sum(-1)[known]
    assert cosines.min() > np.cos(np.radians(1.0))
    assert (stored["normals"][~known] == 128).all()
    np.testing.assert_array_equal(stored["edge_mask"], labels.known)
    edge = np.minimum(labels.edge, 1)
    assert (labels.edge > 1).any() and ((edge > 0.1) & (edge < 0.9)).any()
    np.testing.assert_allclose(
        stored["edge"] / 65535, edge * labels.known, atol=0.5 / 409.6 + 1e-5
    )


def test_smaller_records_are_those_of_one_pixel():
    """Depth, normals and classes are of a pixel; the image is resized."""
    labels = taskonomy.make_labels(0)
    files = taskonomy.encode(labels)
    factor, size = 4, taskonomy.SIZE // 4
    stored = read(labels, size)
    full = read(labels, taskonomy.SIZE)
    nearest = np.s_[2::factor, 2::factor]
    for name in ("semseg", "depth", "normals", "edge_mask"):
        np.testing.assert_array_equal(stored[name], full[name][nearest])
    assert 0 < stored["edge_mask"].mean() < 1
    # The antialiased triangle, four pixels wide to each side.
    offsets = np.abs(np.arange(8) - 3.5)
    weights = (1 - offsets / 4) / (1 - offsets / 4).sum()
    window = np.s_[2:10, 6:14]
    expected = np.einsum("i,ijc,j->c", weights, files["rgb"][window], weights)
    assert np.abs(stored["image"][1, 2] - expected).max() <= 0.51
    known = labels.known[window][..., 0]
    strength = np.minimum(files["edge_occlusion"][window] / 409.6, 1) * known
    total = np.einsum("i,ij,j", weights, strength, weights)
    share = np.einsum("i,ij,j", weights, known, weights)
    assert abs(stored["edge"][1, 2, 0] / 65535 - total / share) < 2e-5


def test_two_depths_are_not_averaged():
    depth = np.array([[512, 512], [2048, 2048]], "uint16")[..., None]
    arrays = {"rgb": np.zeros((2, 2, 3), "uint8"), "depth_zbuffer": depth}
    stored = encode_view(arrays, ["depth"], 1)["depth"]
    assert stored.tolist() == [[[4000]]]
    units = Units(depth=8192.0)
    stored = encode_view(arrays, ["depth"], 1, units)["depth"]
    assert stored.tolist() == [[[250]]]
    with pytest.raises(ValueError, match="positive.*depth=0"):
        Units(depth=0)


def test_the_released_mapping_of_edges_can_be_had():
    labels = taskonomy.make_labels(1)
    files = taskonomy.encode(labels)["edge_occlusion"]
    released = files / 409.6 * 2 - 1
    known = labels.known[..., 0]
    edge = read(labels, taskonomy.SIZE)["edge"][..., 0] / 65535
    below = known & (edge < 1)
    assert released[known].max() > 2
    np.testing.assert_allclose(2 * edge[below] - 1, released[below], atol=2e-5)
    edge = read(labels, taskonomy.SIZE, units=Units(edge=65535))["edge"] / 65535
    np.testing.assert_allclose(
        (2 * 65535 * edge[..., 0] / 409.6 - 1)[known],
        released[known],
        rtol=1e-6,
    )


def test_depth_codes_that_mean_missing():
    codes = np.array([[0, 1, 511, 512], [32000, 64499, 64500, 65535]])
    arrays = {
        "rgb": np.zeros((2, 4, 3), "uint8"),
        "depth_zbuffer": codes[..., None].astype("uint16"),
        "edge_occlusion": np.zeros((2, 4, 1), "uint16"),
    }
    arrays = {name: array.repeat(2, axis=0) for name, array in arrays.items()}
    stored = encode_view(arrays, ["depth", "edge"], 4)
    # 32000 / 512 = 62.5 m; 64499 / 512 = 126 m is more than can be stored.
    assert stored["depth"][::2, :, 0].tolist() == [
        [0, 2, 998, 1000],
        [62500, 0, 0, 0],
    ]
    assert stored["edge_mask"][::2, :, 0].tolist() == [
        [0, 1, 1, 1],
        [1, 1, 0, 0],
    ]


def test_missing_normals_are_those_of_no_length():
    normal = np.full((2, 2, 3), 128, "uint8")
    normal[0, 0] = 127
    normal[1, 1] = 128, 255, 128  # straight down on disk
    normal[1, 0] = 128, 128, 0  # towards the camera on disk
    arrays = {"rgb": normal, "normal": normal}
    stored = encode_view(arrays, ["normals"], 2)["normals"]
    assert stored.tolist() == [
        [[128, 128, 128], [128, 128, 128]],
        [[128, 127, 255], [128, 0, 127]],
    ]


def test_some_tasks_need_some_files():
    assert domains_of(["normals"]) == ["rgb", "normal"]
    assert domains_of(["edge"]) == ["rgb", "depth_zbuffer", "edge_occlusion"]
    assert domains_of([]) == ["rgb"]
    labels = taskonomy.make_labels(0)
    stored = read(labels, taskonomy.SIZE, ["edge"])
    assert set(stored) == {"image", "edge", "edge_mask"}


@pytest.mark.parametrize("size", [48, 128, 65, 0, -64])
def test_sizes_that_do_not_divide(size):
    with pytest.raises(ValueError, match=f"size={size} for 64 x 64"):
        read(taskonomy.make_labels(0), size)
    with pytest.raises(ValueError, match="square"):
        encode_view({"rgb": np.zeros((64, 32, 3), "uint8")}, [], 32)
