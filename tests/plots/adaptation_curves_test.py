import matplotlib
import numpy as np
import pytest
from PIL import Image

from keras_s4t import tasks as task_table
from keras_s4t.plots import adaptation_curves


class Points:
    def __init__(self, points):
        self.points = points


def make_curve(gain=0.3, steps=(0, 1, 2, 5, 10)):
    return Points(
        [
            {
                "step": step,
                "semseg_miou": 0.2 + 0.01 * gain * step,
                "depth_rmse": 1.1 - 0.02 * gain * step**1.1,
                "normals_merr": 31.0 - 0.5 * gain * step,
            }
            for step in steps
        ]
    )


def make_curves():
    return {
        "Base": make_curve(steps=(0,)),
        "BatchNormOnly": make_curve(0.1),
        "Tent": make_curve(0.2),
        "S4T": make_curve(0.5),
    }


def make_tasks():
    return [task_table.semseg(3), task_table.depth(), task_table.normals()]


def panels_of(figure):
    return [axes for axes in figure.axes if axes.lines]


def lines_of(panel):
    return {
        line.get_label(): line
        for line in panel.lines
        if not line.get_label().startswith("_")
    }


def test_panels_tell_metric_unit_and_direction():
    panels = panels_of(adaptation_curves(make_curves(), make_tasks()))
    titles = [panel.get_title() for panel in panels]
    assert titles == [
        "Semantic segmentation",
        "Depth",
        "Surface normals",
        "All tasks",
    ]
    assert [panel.get_ylabel() for panel in panels] == [
        r"mIoU $\uparrow$",
        r"RMSE (m) $\downarrow$",
        "mean angular error\n" + r"(degrees) $\downarrow$",
        r"$\Delta_\mathrm{TTT}$ (%) $\uparrow$",
    ]


def test_lines_hold_the_points():
    curves = make_curves()
    figure = adaptation_curves(curves, make_tasks())
    keys = ["semseg_miou", "depth_rmse", "normals_merr"]
    for panel, key in zip(panels_of(figure)[:-1], keys, strict=True):
        lines = lines_of(panel)
        assert list(lines) == list(curves)
        for name in ["BatchNormOnly", "Tent", "S4T"]:
            steps, values = lines[name].get_data()
            np.testing.assert_array_equal(steps, [0, 1, 2, 5, 10])
            np.testing.assert_array_equal(
                values, [point[key] for point in curves[name].points]
            )


def test_gain_is_relative_to_step_0_of_the_same_curve():
    curves = {"Tent": make_curve(0.2), "S4T": make_curve(0.5)}
    for point in curves["S4T"].points:
        point["semseg_miou"] *= 2
    figure = adaptation_curves(curves, make_tasks())
    lines = lines_of(panels_of(figure)[-1])
    for name, curve in curves.items():
        table = np.array([list(p.values())[1:] for p in curve.points])
        change = (table - table[0]) / table[0] * [1, -1, -1]
        np.testing.assert_allclose(
            lines[name].get_ydata(), 100 * change.mean(axis=1), atol=1e-9
        )


def test_a_curve_of_one_point_is_level():
    figure = adaptation_curves(make_curves(), make_tasks())
    steps, values = lines_of(panels_of(figure)[0])["Base"].get_data()
    np.testing.assert_array_equal(steps, [0, 10])
    np.testing.assert_array_equal(values, [0.2, 0.2])


def test_points_are_sorted():
    curve = make_curve()
    curve.points.reverse()
    figure = adaptation_curves({"S4T": curve}, make_tasks())
    line = lines_of(panels_of(figure)[0])["S4T"]
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2, 5, 10])
    assert curve.points[0]["step"] == 10


def test_controls_are_gray_and_methods_are_not():
    figure = adaptation_curves(make_curves(), make_tasks())
    lines = lines_of(panels_of(figure)[0])
    spread = {
        name: np.ptp(matplotlib.colors.to_rgb(line.get_color()))
        for name, line in lines.items()
    }
    assert spread["Base"] == spread["BatchNormOnly"] == 0
    assert spread["Tent"] > 0.2 and spread["S4T"] > 0.2
    figure = adaptation_curves(make_curves(), make_tasks(), controls=["Tent"])
    tent = lines_of(panels_of(figure)[0])["Tent"]
    assert np.ptp(matplotlib.colors.to_rgb(tent.get_color())) == 0


def test_eleven_curves_differ_in_color_and_in_gray_print():
    names = ["Base", "BatchNormOnly", *(f"method {i}" for i in range(9))]
    curves = {name: make_curve(0.1 * i) for i, name in enumerate(names)}
    figure = adaptation_curves(curves, make_tasks())
    lines = lines_of(panels_of(figure)[0]).values()
    assert len({line.get_color() for line in lines}) == 11
    looks = {(str(line.get_linestyle()), line.get_marker()) for line in lines}
    assert len(looks) >= 10


@pytest.mark.parametrize("num_tasks", [1, 2, 3])
def test_one_legend_and_whole_steps(num_tasks):
    figure = adaptation_curves(make_curves(), make_tasks()[:num_tasks])
    figure.draw_without_rendering()
    legends = figure.findobj(matplotlib.legend.Legend)
    assert len(legends) == 1
    names = [text.get_text() for text in legends[0].get_texts()]
    assert names == list(make_curves())
    legend_box = legends[0].get_window_extent()
    for panel in panels_of(figure):
        assert not panel.get_tightbbox().overlaps(legend_box)
        for tick in panel.get_xticks():
            assert tick == int(tick)
        assert panel.get_xlabel() == "Step"


def test_title_is_optional():
    curves, tasks = make_curves(), make_tasks()
    assert adaptation_curves(curves, tasks).get_suptitle() == ""
    figure = adaptation_curves(curves, tasks, title="Source to target")
    assert figure.get_suptitle() == "Source to target"


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_file(tmp_path, suffix):
    path = tmp_path / "figures" / f"curves{suffix}"
    figure = adaptation_curves(make_curves(), make_tasks(), path)
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
        {"curves": {}},
        {"curves": {"S4T": Points([])}},
        {"curves": {"S4T": make_curve(steps=(1, 2))}},
        {"curves": {"S4T": Points([{"step": 0, "semseg_miou": 0.2}])}},
        {"tasks": []},
        {"path": "curves.txt"},
    ],
)
def test_bad_input(kwargs):
    arguments = {"curves": make_curves(), "tasks": make_tasks(), **kwargs}
    with pytest.raises(ValueError, match="Received: "):
        adaptation_curves(**arguments)
