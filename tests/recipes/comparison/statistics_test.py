"""Quantiles and correlations against published and hand-computed values."""

import math

import numpy as np
import pytest
from comparison import statistics


# From the usual printed tables, two-sided.
@pytest.mark.parametrize(
    ("degrees", "confidence", "quantile"),
    [
        (1, 0.95, 12.706),
        (2, 0.95, 4.303),
        (3, 0.95, 3.182),
        (4, 0.95, 2.776),
        (9, 0.95, 2.262),
        (30, 0.95, 2.042),
        (120, 0.95, 1.980),
        (5, 0.99, 4.032),
        (8, 0.90, 1.860),
    ],
)
def test_quantiles_of_student(degrees, confidence, quantile):
    value = statistics.student_quantile(degrees, confidence)
    assert value == pytest.approx(quantile, abs=5e-4)


@pytest.mark.parametrize(("degrees", "confidence"), [(0, 0.95), (3, 1.0)])
def test_quantiles_that_do_not_exist(degrees, confidence):
    with pytest.raises(ValueError, match=f"degrees={degrees}"):
        statistics.student_quantile(degrees, confidence)


def test_spread_of_three_seeds():
    spread = statistics.spread([1.0, 2.0, 6.0])
    assert spread.mean == 3.0
    assert spread.std == pytest.approx(math.sqrt(7.0))
    half = 4.302653 * math.sqrt(7.0 / 3)
    assert spread.half_width == pytest.approx(half)
    assert spread.count == 3


def test_one_seed_has_no_spread():
    spread = statistics.spread([4.0])
    assert (spread.mean, spread.std, spread.half_width) == (4.0, None, None)
    with pytest.raises(ValueError, match="at least one"):
        statistics.spread([])


def test_a_diverged_seed_shows():
    spread = statistics.spread([1.0, math.nan])
    assert math.isnan(spread.mean) and math.isnan(spread.std)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 2, 3, 4], [10, 20, 25, 1000], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, -5], -1.0),
        # 1 - 6 sum d^2 / (n (n^2 - 1)) with d = (-1, 1, -1, -1, 2).
        ([1, 2, 3, 4, 5], [2, 1, 3, 6, 2.5], 0.6),
    ],
)
def test_spearman(first, second, expected):
    correlation, count = statistics.spearman(first, second)
    assert correlation == pytest.approx(expected)
    assert count == len(first)


def test_spearman_shares_the_ranks_of_ties():
    # Ranks (1.5, 1.5, 3, 4) and (1, 2, 3, 4), by Pearson.
    a, b = np.array([1.5, 1.5, 3, 4]) - 2.5, np.array([1, 2, 3, 4]) - 2.5
    expected = a @ b / math.sqrt((a @ a) * (b @ b))
    correlation, _ = statistics.spearman([7, 7, 8, 9], [1, 2, 3, 4])
    assert correlation == pytest.approx(expected)


def test_spearman_leaves_out_what_is_not_finite():
    first, second = [1, math.nan, 2, 3], [1, 5, math.inf, 0]
    correlation, count = statistics.spearman(first, second)
    assert correlation == pytest.approx(-1.0) and count == 2


@pytest.mark.parametrize("values", [([1.0], [2.0]), ([1, 1], [1, 2]), ([], [])])
def test_spearman_that_does_not_exist(values):
    correlation, _ = statistics.spearman(*values)
    assert math.isnan(correlation)
