"""Exponents of measurements whose growth is known."""

import copy

import pytest
from measured import make_measured
from rich.console import Console


def test_exponent_of_a_power(load_recipe):
    exponent = load_recipe("benchmarking.growth").exponent
    assert exponent([1, 2, 8], [3, 6, 24]) == pytest.approx(1)
    assert exponent([1, 4, 9], [5, 10, 15]) == pytest.approx(0.5)
    # The best line through two points and one above them.
    assert exponent([1, 10, 100], [1, 100, 100]) == pytest.approx(1)


def test_table_of_growth(load_recipe):
    growth_table = load_recipe("benchmarking.growth").growth_table
    points = []
    for count in (1, 2, 4):
        point = copy.deepcopy(make_measured())
        point["batch_size"] = point["steps"] = count
        for found in point["contenders"].values():
            found["seconds"] = [count**0.5 * x for x in found["seconds"]]
            found["peak_memory"] = 1000 * count**2
        points.append(point)
    console = Console(width=100, record=True)
    console.print(growth_table({"batch": points, "steps": points}))
    rows = [line.split()[-4:] for line in console.export_text().splitlines()]
    assert ["1", "4", "0.50", "2.00"] in rows
    # Steps add up.
    assert ["1", "4", "1.50", "2.00"] in rows


def test_one_point_has_no_exponent(load_recipe):
    growth_table = load_recipe("benchmarking.growth").growth_table
    assert not growth_table({"batch": [make_measured()]}).row_count
