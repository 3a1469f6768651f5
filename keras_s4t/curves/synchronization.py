"""Synchronization of tasks during adaptation (S4T paper, Appendix B).

`curves` is a dict from task to its signed relative curve, one value in percent
per step. Higher is better (see `relative_curve`). All curves have the same
length. Computations are in float64.
"""

import itertools
import warnings

import numpy as np


def synchronization(curves):
    """Computes the three measures of synchronization.

    Args:
        curves: dict from task to its relative curve.

    Returns:
        dict with `"step_variance"`, `"dynamic_time_warping"` and
        `"cosine_similarity"`.

    Raises:
        ValueError: If the curves are missing, unequal or not finite.
    """
    return {
        "step_variance": step_variance(curves),
        "dynamic_time_warping": dynamic_time_warping(curves),
        "cosine_similarity": cosine_similarity(curves),
    }


def step_variance(curves):
    """Variance of the steps at which the tasks are best (Eq. 9).

    Args:
        curves: dict from task to its relative curve. Among equal peaks, the
            first is used.

    Returns:
        float, the population variance in squared steps, as `numpy.var`; 0 for
        one task. Lower means more synchronized. `torch.var` and
        `statistics.variance` divide by one task less and give more.

    Raises:
        ValueError: If the curves are missing, unequal or not finite.
    """
    return float(np.var([np.argmax(c) for c in _checked(curves).values()]))


def dynamic_time_warping(curves):
    """Mean dynamic time warping distance of pairs of curves (Eq. 10).

    Args:
        curves: dict from task to its relative curve.

    Returns:
        float, the sum of absolute differences along the best path, in
        percent, not divided by the length of the path; NaN for one task.
        Lower means more synchronized. fastdtw and similaritymeasures give the
        same; dtaidistance and tslearn take the root of the sum of squared
        differences, and dtw-python counts diagonal steps twice.

    Raises:
        ValueError: If the curves are missing, unequal or not finite.
    """
    return _mean_over_pairs(_warped_distance, _checked(curves))


def cosine_similarity(curves):
    """Mean cosine similarity of the changes of pairs of curves (Eqs. 11, 12).

    A change is the difference between consecutive steps.

    Args:
        curves: dict from task to its relative curve. A constant curve has
            similarity 0 to all others, with a warning.

    Returns:
        float in `[-1, 1]`; NaN for one task. Higher means more synchronized.
        Without a constant curve it is what scikit-learn and torchmetrics give
        for the changes.

    Raises:
        ValueError: If the curves are missing, unequal or not finite.
    """
    changes = {task: np.diff(c) for task, c in _checked(curves).items()}
    flat = [task for task, change in changes.items() if not change.any()]
    if flat and len(changes) > 1:
        warnings.warn(
            "A constant curve has cosine similarity 0 to all others. "
            f"Received: constant curves {flat}",
            stacklevel=2,
        )
    return _mean_over_pairs(_cosine, changes)


def _checked(curves):
    arrays = {task: np.asarray(c, "float64") for task, c in curves.items()}
    shapes = {task: array.shape for task, array in arrays.items()}
    if not arrays or any(len(s) != 1 or s[0] == 0 for s in shapes.values()):
        raise ValueError(
            "`curves` must hold at least one sequence of at least one number. "
            f"Received: shapes {shapes}"
        )
    if len(set(shapes.values())) > 1:
        raise ValueError(
            f"`curves` must have equal lengths. Received: shapes {shapes}"
        )
    for task, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(
                "`curves` must be finite. "
                f"Received: curves[{task!r}]={array.tolist()}"
            )
    return arrays


def _mean_over_pairs(function, curves):
    pairs = list(itertools.combinations(curves.values(), 2))
    if not pairs:
        return float("nan")
    return float(np.mean([function(a, b) for a, b in pairs]))


def _warped_distance(first, second):
    # costs[a, b]: cost of the best path up to first[a - 1], second[b - 1].
    costs = np.full((len(first) + 1, len(second) + 1), np.inf)
    costs[0, 0] = 0
    distances = np.abs(first[:, None] - second[None, :])
    for a, b in np.ndindex(distances.shape):
        before = min(costs[a, b], costs[a, b + 1], costs[a + 1, b])
        costs[a + 1, b + 1] = distances[a, b] + before
    return costs[-1, -1]


def _cosine(first, second):
    norms = np.linalg.norm(first) * np.linalg.norm(second)
    return first @ second / (norms + 1e-12)
