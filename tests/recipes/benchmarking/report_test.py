"""What the benchmark makes of its measurements."""

import pytest
from measured import make_measured
from rich.console import Console


def test_ratios_come_from_the_same_round(load_recipe):
    report = load_recipe("benchmarking.report")
    point = make_measured()
    assert report.time_ratio(point, "literal") == 1
    # Of 0.5, 0.625 and 0.4.
    assert report.time_ratio(point, "fast") == 0.5
    assert report.memory_ratio(point, "fast") == 0.25
    assert report.step_seconds(point, "fast") == 4
    # The floor: 4, 16 and 4 seconds, by the better product of each round.
    assert report.floor_share(point, "fast") == 1
    assert report.floor_share(point, "literal") == 0.5
    assert report.floor_share(make_measured(flops=None), "fast") is None


def test_table_fits_the_console(load_recipe):
    report = load_recipe("benchmarking.report")
    point = make_measured()
    point["contenders"]["literal_heads"] = point["contenders"]["literal"]
    console = Console(width=80, record=True)
    console.print(report.benchmark_table("Sizes", "resolution", [point]))
    text = console.export_text()
    *_, fast, _ = text.splitlines()
    assert fast.split() == "64x96 fast 0.50 0.25 100 4.00 2.00 1.00".split()
    assert "…" not in text


def test_compilation_and_loader(load_recipe):
    report = load_recipe("benchmarking.report")
    point = make_measured()
    point["contenders"]["fast"] |= {"first_seconds": 9.0, "loader_rate": 81.6}
    console = Console(width=80, record=True)
    console.print(report.beside_table([point]))
    # The literal form is of a version that did not measure them.
    *_, ruler, fast = [
        line for line in console.export_text().splitlines() if line.strip()
    ]
    assert set(ruler.strip()) == {"─"}
    assert fast.split() == "adapt fast 9.00 4.00 2.00 82".split()


@pytest.mark.parametrize("sweeps", [("batch",), ("batch", "steps", "tasks")])
def test_scaling_plot(load_recipe, tmp_path, sweeps):
    plot = load_recipe("benchmarking.scaling_plot").scaling_plot
    points = [make_measured(steps) for steps in (1, 2)]
    for i, point in enumerate(points):
        point["batch_size"] = point["num_tasks"] = i + 1
    figure = plot({name: points for name in sweeps}, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size
    panels = [panel for panel in figure.axes if panel.axison]
    assert len(panels) == len(sweeps)
    for name, panel in zip(sweeps, panels, strict=True):
        literal, slope, *_ = panel.lines
        assert list(literal.get_xdata()) == [1, 2]
        first, last = slope.get_ydata()
        assert last == 2 * first
        seconds = [10, 20] if name == "steps" else [10, 10]
        assert list(literal.get_ydata()) == seconds
