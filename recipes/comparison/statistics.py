"""Means over seeds, how sure they are, and correlations of ranks."""

import dataclasses
import math

import numpy as np

CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Spread:
    """What several seeds say about one number.

    Attributes:
        mean: float, NaN if any value is.
        std: Sample standard deviation, `None` for a single value.
        half_width: Half of the confidence interval of the mean by Student's
            t, `None` for a single value.
        count: Number of values.
    """

    mean: float
    std: float | None
    half_width: float | None
    count: int


def spread(values):
    """Summarizes the values of several seeds.

    Args:
        values: Sequence of floats, one per seed. For a paired comparison,
            the differences.

    Returns:
        A `Spread`.

    Raises:
        ValueError: If there is no value.
    """
    values = np.asarray(values, "float64")
    count = values.size
    if values.ndim != 1 or not count:
        raise ValueError(
            "`values` must be a sequence of at least one number. "
            f"Received: values of shape {values.shape}"
        )
    if count == 1:
        return Spread(float(values[0]), None, None, 1)
    std = float(values.std(ddof=1))
    half_width = student_quantile(count - 1) * std / math.sqrt(count)
    return Spread(float(values.mean()), std, half_width, count)


def gains_of(curve):
    """Delta_TTT at every step of a `Curve`, in percent; NaN if undefined."""
    return np.array(curve.gains)


def student_quantile(degrees, confidence=CONFIDENCE):
    """Two-sided quantile of Student's t distribution.

    Args:
        degrees: int of at least 1, degrees of freedom.
        confidence: float in (0, 1), the probability between the quantile and
            its negative.

    Returns:
        float.

    Raises:
        ValueError: If an argument is out of its range.
    """
    if degrees < 1 or not 0 < confidence < 1:
        raise ValueError(
            "`degrees` must be at least 1 and `confidence` between 0 and 1. "
            f"Received: degrees={degrees}, confidence={confidence}"
        )
    low, high = 0.0, math.pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        if _student_probability(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan(low)


def _student_probability(angle, degrees):
    """P(|t| < sqrt(degrees) tan(angle)).

    The finite sums that repeated integration by parts of the density
    gives, one for odd and one for even degrees of freedom.
    """
    square = math.cos(angle) ** 2
    odd = degrees % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for k in range(degrees // 2):
        total += term
        term *= square * (2 * k + 1 + odd) / (2 * k + 2 + odd)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total


def spearman(first, second):
    """Spearman's rank correlation.

    Args:
        first: Sequence of floats.
        second: Sequence of floats of the same length. Pairs with a value
            that is not finite are left out.

    Returns:
        Tuple `(correlation, count)` of a float in [-1, 1], NaN where it is
        not defined (fewer than two pairs, or all equal), and the pairs used.
    """
    pairs = np.array([first, second], "float64").reshape(2, -1)
    pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
    count = pairs.shape[1]
    ranks = [_ranks(values) for values in pairs]
    first, second = (r - r.mean() if count else r for r in ranks)
    norm = math.sqrt((first @ first) * (second @ second))
    return (float(first @ second / norm) if norm else math.nan), count


def _ranks(values):
    """Ranks from 1; equal values share the mean of theirs."""
    below = (values[None, :] < values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return below + (equal + 1) / 2
