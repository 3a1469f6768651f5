import math

import matplotlib
import numpy as np
import pytest
from PIL import Image

from keras_s4t.plots import synchronization

MEASURES = ["step_variance", "dynamic_time_warping", "cosine_similarity"]


def make_methods():
    return {
        name: {
            "gain": 10.0 * i,
            "step_variance": 5.0 - i,
            "dynamic_time_warping": 50.0 - 3 * i,
            "cosine_similarity": 0.2 * i,
        }
        for i, name in enumerate(["BatchNormOnly", "Tent", "TTT", "S4T"])
    }


def points_of(panel):
    return {
        line.get_label(): tuple(float(*data) for data in line.get_data())
        for line in panel.lines
    }


def test_markers_lie_at_measure_and_gain():
    methods = make_methods()
    panels = synchronization(methods).axes
    assert len(panels) == 3
    for panel, measure in zip(panels, MEASURES, strict=True):
        assert points_of(panel) == {
            name: (values[measure], values["gain"])
            for name, values in methods.items()
        }
        assert all(line.get_marker() != "None" for line in panel.lines)


def test_axes_tell_unit_and_direction():
    panels = synchronization(make_methods()).axes
    assert [panel.get_xlabel() for panel in panels] == [
        r"Step variance (squared steps) $\downarrow$",
        r"Dynamic time warping (%) $\downarrow$",
        r"Cosine similarity $\uparrow$",
    ]
    assert panels[0].get_ylabel() == r"$\Delta_\mathrm{TTT}$ (%) $\uparrow$"


def test_what_is_not_finite_is_left_out_of_its_panel_alone():
    methods = make_methods()
    methods["TTT"]["cosine_similarity"] = math.nan
    panels = synchronization(methods).axes
    assert points_of(panels[0])["TTT"] == (3.0, 20.0)
    assert np.isnan(points_of(panels[2])["TTT"]).all()


def test_several_points_of_a_method():
    methods = make_methods()
    first = methods["TTT"]
    methods["TTT"] = [first, {**first, "gain": 25.0, "step_variance": 1.0}]
    panels = synchronization(methods, gain_label="Gain (points)").axes
    assert panels[0].get_ylabel() == r"Gain (points) $\uparrow$"
    (line,) = [x for x in panels[0].lines if x.get_label() == "TTT"]
    np.testing.assert_array_equal(line.get_xdata(), [3.0, 1.0])
    np.testing.assert_array_equal(line.get_ydata(), [20.0, 25.0])
    with pytest.raises(ValueError, match="at least one method"):
        synchronization({"TTT": []})


def test_controls_are_gray_and_methods_differ():
    lines = synchronization(make_methods()).axes[0].lines
    spread = {
        line.get_label(): np.ptp(matplotlib.colors.to_rgb(line.get_color()))
        for line in lines
    }
    assert spread["BatchNormOnly"] == 0
    assert min(spread[name] for name in ("Tent", "TTT", "S4T")) > 0.2
    looks = {(line.get_color(), line.get_marker()) for line in lines}
    assert len(looks) == len(lines)


def test_correlations_stand_above_their_panels():
    correlations = {
        "step_variance": -0.5,
        "dynamic_time_warping": math.nan,
    }
    panels = synchronization(make_methods(), correlations=correlations).axes
    titles = [panel.get_title() for panel in panels]
    assert titles == ["Spearman -0.50", "", ""]


@pytest.mark.parametrize("count", [4, 12])
def test_one_legend_below_the_panels(count):
    values = make_methods()["TTT"]
    methods = {f"method {i}": values for i in range(count)}
    figure = synchronization(methods, title="Source to target")
    figure.draw_without_rendering()
    (legend,) = figure.findobj(matplotlib.legend.Legend)
    assert [text.get_text() for text in legend.get_texts()] == list(methods)
    box = legend.get_window_extent()
    assert figure.bbox.padded(1).contains(box.x0, box.y0)
    assert figure.bbox.padded(1).contains(box.x1, box.y1)
    for panel in figure.axes:
        assert not panel.get_tightbbox().overlaps(box)
        assert panel.bbox.height > figure.bbox.height / 3
    assert figure.get_suptitle() == "Source to target"


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_file(tmp_path, suffix):
    path = tmp_path / "figures" / f"synchronization{suffix}"
    figure = synchronization(make_methods(), path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    if suffix == ".png":
        with Image.open(path) as image:
            inches = figure.get_size_inches()
            np.testing.assert_allclose(image.size, inches * 300, atol=1)
            assert np.asarray(image.convert("L")).std() > 10
    else:
        assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    "kwargs",
    [
        {"methods": {}},
        {"methods": {"S4T": {"gain": 1.0, "step_variance": 2.0}}},
        {"path": "synchronization.txt"},
    ],
)
def test_bad_input(kwargs):
    with pytest.raises(ValueError, match="Received: "):
        synchronization(**{"methods": make_methods(), **kwargs})
