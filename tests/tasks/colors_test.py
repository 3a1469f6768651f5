import numpy as np
import pytest

from keras_s4t.plots import curve_styles
from keras_s4t.tasks import colors

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# A little less than the tightest pair of our palettes; tab10 is far below.
JUST_DISTINCT = 0.05


def smallest_distance(rgb, vision):
    """Smallest distance in OKLab between two colors, as seen."""
    share = np.asarray(rgb, "float64") / 255.0
    linear = np.where(
        share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4
    )
    seen = np.clip(linear @ np.transpose(VISIONS[vision]), 0.0, 1.0)
    cones = seen @ np.transpose(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.cbrt(cones) @ np.transpose(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return distances[~np.eye(len(lab), dtype=bool)].min()


@pytest.mark.parametrize("vision", VISIONS)
def test_first_colors_stay_apart(vision):
    line_colors = [
        list(bytes.fromhex(color[1:])) for color in curve_styles.COLORS
    ]
    assert smallest_distance(colors.CLASS_COLORS[:10], vision) > JUST_DISTINCT
    assert smallest_distance(line_colors, vision) > JUST_DISTINCT


def test_tab10_would_not_stay_apart():
    tab10 = ["1f77b4", "ff7f0e", "2ca02c", "d62728", "9467bd"]
    rgb = [list(bytes.fromhex(color)) for color in tab10]
    assert smallest_distance(rgb, "protanopia") < JUST_DISTINCT


def test_all_colors_differ_from_each_other_and_from_white():
    assert colors.CLASS_COLORS.shape == (48, 3)
    assert colors.CLASS_COLORS.dtype == "uint8"
    with_white = np.vstack([colors.CLASS_COLORS, [[255, 255, 255]]])
    assert smallest_distance(with_white, "normal") > JUST_DISTINCT


def test_color_classes():
    ids = np.array([[0, 1, 255], [47, 48, 3]], "uint8")
    rgb = colors.color_classes(ids)
    assert rgb.shape == (2, 3, 3)
    assert rgb.dtype == "uint8"
    expected = colors.CLASS_COLORS[[0, 1, 0, 47, 0, 3]].reshape(2, 3, 3).copy()
    expected[0, 2] = 255
    np.testing.assert_array_equal(rgb, expected)
    np.testing.assert_array_equal(
        colors.color_classes(ids[..., None].astype("int32")), rgb
    )
    np.testing.assert_array_equal(
        colors.color_classes(ids, ignore_class=3)[1, 2], [255, 255, 255]
    )


def test_color_scalar():
    values = np.array([[1.0, 2.0, 3.0], [0.5, 9.0, np.nan]])
    rgb = colors.color_scalar(values[..., None], 1.0, 3.0, colormap="gray")
    assert rgb.dtype == "uint8"
    np.testing.assert_allclose(
        rgb[..., 0], [[0, 128, 255], [0, 255, 255]], atol=1
    )
    hidden = colors.color_scalar(values, 1.0, 3.0, "viridis", missing=2.0)
    np.testing.assert_array_equal(hidden[0, 1], [255, 255, 255])
    # The published ends of viridis.
    np.testing.assert_array_equal(hidden[0, 0], [68, 1, 84])
    np.testing.assert_array_equal(hidden[0, 2], [253, 231, 36])
    level = colors.color_scalar(np.ones((1, 2)), 1.0, 1.0, "gray")
    np.testing.assert_array_equal(level, np.zeros((1, 2, 3)))


def test_color_normals():
    normals = np.array(
        [[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]], "float32"
    )
    expected = [
        [255, 128, 128],
        [128, 255, 128],
        [128, 128, 255],
        [255, 255, 255],
    ]
    rgb = colors.color_normals(normals)
    assert rgb.dtype == "uint8"
    np.testing.assert_array_equal(rgb, [expected])
    slanted = np.array([[[0.28, 0.96, 0.0]]])
    np.testing.assert_array_equal(
        colors.color_normals(slanted), [[[163, 250, 128]]]
    )


def test_common_range():
    arrays = [np.array([[0.0, 2.0]]), np.array([5.0, np.nan, np.inf])]
    assert colors.common_range(arrays) == (2.0, 5.0)
    assert colors.common_range([np.zeros((2, 2))]) == (0.0, 1.0)


def test_predictions_that_are_no_numbers_are_white():
    painted = colors.color_classes(np.array([[-1, 0, 255]]))
    assert (painted[0, [0, 2]] == 255).all() and (painted[0, 1] < 255).any()


@pytest.mark.parametrize(
    "call",
    [
        lambda: colors.color_classes(np.array([[-2, 0]])),
        lambda: colors.color_classes(np.zeros((2, 2, 2), "int32")),
        lambda: colors.color_scalar(np.zeros((2, 2)), 1.0, 0.0),
        lambda: colors.color_scalar(np.zeros((2, 2)), np.nan, 0.0),
        lambda: colors.color_scalar(np.zeros(2), 0.0, 1.0),
        lambda: colors.color_normals(np.zeros((2, 2))),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError, match="Received: "):
        call()
