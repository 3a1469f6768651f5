import matplotlib
import numpy as np
import pytest
from PIL import Image

from keras_s4t import tasks as task_table
from keras_s4t.plots import prediction_grid

pytestmark = pytest.mark.eager

CLASSES = ["wall", "floor", "chair"]


def make_tasks():
    return [
        task_table.semseg(3, class_names=CLASSES),
        task_table.depth(),
        task_table.normals(),
        task_table.edge(),
    ]


def make_values(seed, num_images=2, size=(6, 8)):
    rng = np.random.default_rng(seed)
    shape = (num_images, *size)
    normals = rng.normal(size=(*shape, 3))
    return {
        "semseg": rng.integers(3, size=shape),
        "depth": rng.uniform(1, 2 + seed, (*shape, 1)),
        "normals": normals / np.linalg.norm(normals, axis=-1, keepdims=True),
        "edge": rng.uniform(size=(*shape, 1)),
    }


def make_images(num_images=2, size=(6, 8)):
    rng = np.random.default_rng(9)
    return rng.uniform(0, 255, (num_images, *size, 3)).astype("float32")


def draw(**kwargs):
    arguments = {
        "images": make_images(),
        "predictions": {"before": make_values(1), "after": make_values(2)},
        "tasks": make_tasks(),
        "labels": make_values(0),
    }
    return prediction_grid(**{**arguments, **kwargs})


def picture_axes(figure):
    return [axes for axes in figure.axes if axes.images]


def bar_axes(figure):
    return [axes for axes in figure.axes if axes.collections]


def texts_of(figure):
    found = figure.findobj(matplotlib.text.Text)
    return [text.get_text() for text in found if text.get_visible()]


def test_headings_and_legends():
    figure = draw()
    assert len(picture_axes(figure)) == 2 * (1 + 4 * 3)
    assert len(bar_axes(figure)) == 2 * 2
    texts = texts_of(figure)
    for title in ["Image", "Depth", "Edges", *CLASSES, "ignored"]:
        assert texts.count(title) == 1, title
    # One title above the column, one beside the names of the colors.
    assert texts.count("Semantic segmentation") == 2
    assert texts.count("Surface normals") == 2
    for heading in ["label", "before", "after"]:
        assert texts.count(heading) == 2, heading
    for direction in ["x right", "y up", "z to camera"]:
        assert texts.count(direction) == 1, direction


def test_depth_of_one_image_shares_a_range_in_meters():
    labels, before, after = make_values(0), make_values(1), make_values(2)
    figure = draw()
    viridis = matplotlib.colormaps["viridis"]
    pictures = [axes.images[0].get_array() for axes in picture_axes(figure)]
    bars = bar_axes(figure)[::2]
    for index in range(2):
        depths = [v["depth"][index, ..., 0] for v in (labels, before, after)]
        low, high = np.min(depths), np.max(depths)
        # The axes of the image, of semseg and of depth, in this order.
        first = index * 13 + 1 + 3
        for picture, depth in zip(
            pictures[first : first + 3], depths, strict=True
        ):
            expected = viridis((depth - low) / (high - low), bytes=True)[
                ..., :3
            ]
            np.testing.assert_array_equal(picture, expected)
        np.testing.assert_allclose(bars[index].get_xlim(), (low, high))
        ticks = [t.get_text() for t in bars[index].get_xticklabels()]
        assert any(ticks) and all(tick.endswith(" m") for tick in ticks)


def test_images_are_shown_as_they_are():
    images = make_images()
    pictures = [axes.images[0].get_array() for axes in picture_axes(draw())]
    np.testing.assert_array_equal(pictures[0], np.floor(images[0]))
    np.testing.assert_array_equal(pictures[13], np.floor(images[1]))


def test_nothing_leaves_the_page():
    figure = draw()
    figure.draw_without_rendering()
    page = figure.bbox.padded(1)
    for text in figure.findobj(matplotlib.text.Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            assert page.x0 <= box.x0 and box.x1 <= page.x1, text
            assert page.y0 <= box.y0 and box.y1 <= page.y1, text


def test_without_labels_and_at_most_some_images():
    figure = draw(labels=None, max_images=1)
    assert len(picture_axes(figure)) == 1 + 4 * 2
    assert "label" not in texts_of(figure)


def test_labels_of_some_tasks():
    labels = {"depth": make_values(0)["depth"]}
    figure = draw(labels=labels)
    assert len(picture_axes(figure)) == 2 * (1 + 4 * 2 + 1)
    assert texts_of(figure).count("no label") == 2 * 3


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_file(tmp_path, suffix):
    path = tmp_path / "figures" / f"grid{suffix}"
    figure = draw(path=path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    if suffix == ".png":
        with Image.open(path) as image:
            inches = figure.get_size_inches()
            np.testing.assert_allclose(image.size, inches * 300, atol=1)
            # Larger than a blank page.
            assert len(np.unique(np.asarray(image.convert("L")))) > 100
    else:
        assert path.stat().st_size > 10_000


def test_backend_and_settings_stay(tmp_path):
    before = dict(matplotlib.rcParams)
    backend = matplotlib.get_backend(auto_select=False)
    draw(path=tmp_path / "grid.png")
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.get_backend(auto_select=False) == backend


def changed(name, value):
    return {"before": {**make_values(1), name: value}}


@pytest.mark.parametrize(
    "kwargs",
    [
        {"predictions": {}},
        {"tasks": []},
        {"predictions": changed("optical_flow", np.zeros((2, 6, 8, 2)))},
        {"predictions": {"before": {"depth": make_values(1)["depth"]}}},
        {"predictions": changed("depth", np.zeros((2, 6, 7, 1)))},
        {"predictions": changed("semseg", np.zeros((1, 6, 8), "int32"))},
        {"labels": make_values(0, size=(8, 8))},
        {"labels": {"optical_flow": np.zeros((2, 6, 8, 2))}},
        {"images": make_images()[0]},
        {"images": make_images(0)},
        {"images": make_images() / 100 - 1},
        {"images": make_images() * 2},
        {"images": make_images() * np.nan},
        {"max_images": 0},
        {"path": "grid.gif"},
    ],
)
def test_bad_input(kwargs):
    with pytest.raises(ValueError, match="Received: "):
        draw(**kwargs)
