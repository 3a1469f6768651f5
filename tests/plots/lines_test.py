import matplotlib
import numpy as np
import pytest

from keras_s4t.plots import lines

PANELS = {
    "Gain (%)": {
        "S4T": {0.8: (3.0, 0.5), 0.0: (1.0, None), 0.4: (2.0, 0.25)},
        "BatchNormOnly": {0.0: (1.5, None), 0.8: (1.5, None)},
    },
    "Points": {"S4T": {0.0: (-0.5, None), 0.8: (1.5, None)}},
}


def test_lines_are_sorted_and_have_intervals():
    figure = lines(PANELS, "Mask ratio", share_y=False)
    first, second = figure.axes
    assert first.get_title() == "Gain (%)"
    assert first.get_xlabel() == "Mask ratio"
    bars = first.containers[0]
    np.testing.assert_array_equal(bars.lines[0].get_xdata(), [0.0, 0.4, 0.8])
    np.testing.assert_array_equal(bars.lines[0].get_ydata(), [1.0, 2.0, 3.0])
    segments = bars.lines[2][0].get_segments()
    np.testing.assert_allclose(segments[-2][:, 1], [1.75, 2.25])
    np.testing.assert_allclose(segments[-1][:, 1], [2.5, 3.5])
    assert not second.containers[0].has_yerr
    assert first.get_ylim() != second.get_ylim()


def test_one_legend_within_the_figure():
    many = {f"A method {i}": {0.0: (i, 1.0)} for i in range(9)}
    for panels in (PANELS, {"Gain": many}):
        figure = lines(panels, "Mask ratio", "Gain (%)")
        figure.draw_without_rendering()
        (legend,) = figure.findobj(matplotlib.legend.Legend)
        box = legend.get_window_extent()
        assert figure.bbox.padded(1).contains(box.x0, box.y0)
        assert figure.bbox.padded(1).contains(box.x1, box.y1)
        names = [text.get_text() for text in legend.get_texts()]
        assert names in (["S4T", "BatchNormOnly"], list(many))


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match="at least one panel.*'Gain'"):
        lines({"Gain": {}}, "x")
    with pytest.raises(ValueError, match="`path` must end"):
        lines(PANELS, "x", path=tmp_path / "lines.svg")
    lines(PANELS, "x", path=tmp_path / "lines.png")
    assert (tmp_path / "lines.png").stat().st_size
