import numpy as np


def relative_curve(values, higher_is_better):
    """Relative gain of one metric over adaptation steps.

    The signed relative curve P_k(t) of the S4T paper:
    `100 * sign * (values[t] - values[0]) / values[0]`, where `sign` is -1 if
    lower is better and 1 otherwise.

    Args:
        values: Sequence of floats, the metric at steps 0, 1, ... Step 0 is
            the model before adaptation.
        higher_is_better: bool.

    Returns:
        float64 array of the same length, in percent. The first value is 0.
        Higher is better.

    Raises:
        ValueError: If `values` is empty, or `values[0]` is not positive and
            finite.
    """
    values = np.asarray(values, "float64")
    if values.ndim != 1 or not values.size:
        raise ValueError(
            "`values` must be a sequence of at least one number. "
            f"Received: values of shape {values.shape}"
        )
    base = values[0]
    if not (np.isfinite(base) and base > 0):
        raise ValueError(
            "The metric before adaptation must be positive and finite, since "
            f"gains are relative to it. Received: {base}"
        )
    sign = 1 if higher_is_better else -1
    return 100 * sign * (values - base) / base


def ttt_gain(before, after, higher_is_better):
    """Delta_TTT, the mean relative gain of the tasks in percent.

    Section 4.1 of the S4T paper (ICCV 2025).

    Args:
        before: dict from metric name to its value before adaptation.
        after: dict from metric name to its value after adaptation. NaN
            makes the gain NaN.
        higher_is_better: dict from metric name to bool.

    Returns:
        float, in percent. Higher is better.

    Raises:
        ValueError: If the dicts are empty or have different keys, or if a
            value before adaptation is not positive and finite.

    Example:
    ```python
    ttt_gain(
        {"semseg_miou": 0.3, "depth_rmse": 1.2},
        {"semseg_miou": 0.36, "depth_rmse": 1.14},
        {"semseg_miou": True, "depth_rmse": False},
    )  # (20 + 5) / 2 = 12.5
    ```
    """
    if not before or not set(before) == set(after) == set(higher_is_better):
        raise ValueError(
            "`before`, `after` and `higher_is_better` must have the same "
            f"keys, at least one. Received: before={sorted(before)}, "
            f"after={sorted(after)}, "
            f"higher_is_better={sorted(higher_is_better)}"
        )
    gains = [
        relative_curve([before[key], after[key]], higher_is_better[key])[1]
        for key in before
    ]
    return float(np.mean(gains))
