"""Means over seeds, how sure they are, and correlations of ranks."""

import dataclasses
import math

import numpy as np
import scipy.stats

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

    @property
    def interval(self):
        """Pair of mean and half width, as plots take it."""
        return self.mean, self.half_width


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
    return float(scipy.stats.t.ppf((1 + confidence) / 2, degrees))


def spearman(first, second):
    """Spearman's rank correlation.

    Args:
        first: Sequence of floats.
        second: Sequence of floats of the same length. Pairs with a value
            that is not finite are left out.

    Returns:
        Tuple `(correlation, count)` of a float in [-1, 1], NaN where it is
        not defined (fewer than two pairs, or equal values), and the pairs used.
    """
    pairs = np.array([first, second], "float64").reshape(2, -1)
    pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
    count = pairs.shape[1]
    if count < 2 or (pairs == pairs[:, :1]).all(axis=1).any():
        # SciPy warns of these.
        return math.nan, count
    return float(scipy.stats.spearmanr(*pairs).statistic), count
