import math

import numpy as np
import pytest

from keras_s4t.plots import intervals

PANELS = {
    "Gain (%)": {"BatchNormOnly": (8.0, 1.0), "S4T": (9.0, None)},
    "over BatchNormOnly": {"S4T": (math.nan, None), "Tent": (0.5, 0.25)},
}


def test_a_row_per_name_from_the_top():
    figure = intervals(PANELS, title="All")
    first, second = figure.axes
    assert [t.get_text() for t in first.get_yticklabels()] == [
        "BatchNormOnly",
        "S4T",
        "Tent",
    ]
    assert first.get_ylim()[0] > first.get_ylim()[1]
    points = [
        (bar.lines[0].get_xdata()[0], bar.lines[0].get_ydata()[0])
        for bar in first.containers
    ]
    assert points == [(8.0, 0), (9.0, 1)]
    # What is not finite is left out.
    assert [bar.lines[0].get_ydata()[0] for bar in second.containers] == [2]
    (segment,) = second.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(segment[:, 0], [0.25, 0.75])
    colors = [bar.lines[0].get_color() for bar in first.containers]
    assert colors[0] == "#8C8C8C" != colors[1]


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match="at least one panel with a name"):
        intervals({"Gain": {}})
    with pytest.raises(ValueError, match="`path` must end"):
        intervals(PANELS, tmp_path / "intervals.svg")
    intervals(PANELS, tmp_path / "intervals.pdf")
    assert (tmp_path / "intervals.pdf").stat().st_size
