"""The numbers of a comparison as rows of CSV files."""

import math

from shared.reporting import method_title

from comparison.statistics import spread


def metrics_rows(summary):
    """One row per target and method.

    Args:
        summary: `Summary`.

    Yields:
        dicts.
    """
    for target in (*summary.targets, *summary.returns):
        for method in summary.methods:
            curves = summary.curves(method, target)
            if not curves:
                continue
            best, best_step = summary.best(method, target)
            row = {
                "target": target,
                "method": method_title(method),
                "source_model": summary.network(method),
                "seeds": len(curves),
                "step": summary.step(method),
                "best_step": best_step,
            }
            gains = summary.gains(method, target).values()
            over = list(summary.over_control(method, target).values())
            spreads = {
                **summary.metrics(method, target),
                "delta_ttt": spread(list(gains)),
                "best_delta_ttt": best,
                **summary.synchronization(method, target),
            }
            for name, value in spreads.items():
                row |= {f"{name}_mean": value.mean, f"{name}_std": value.std}
            if over:
                value = spread(over)
                row |= {
                    "over_batch_norm_only_mean": value.mean,
                    "over_batch_norm_only_half_width": value.half_width,
                }
            yield {k: _empty_if_undefined(v) for k, v in row.items()}


def _empty_if_undefined(value):
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def costs_rows(summary):
    """One row per method.

    Args:
        summary: `Summary`.

    Yields:
        dicts.
    """
    for method in summary.methods:
        key = summary.content["contenders"][method]["costs"]
        costs = summary.content["costs"].get(key, {})
        other = summary.content["benchmark"].get(method, {})
        yield {
            "method": method_title(method),
            **costs,
            **{f"benchmark_{name}": value for name, value in other.items()},
        }


def tuning_rows(summary):
    """One row per method, learning rate and step of the grid.

    Args:
        summary: `Summary`.

    Yields:
        dicts.
    """
    for method in summary.methods:
        key = summary.content["contenders"][method]["tuning"]
        tuned = summary.content["tuning"].get(key)
        if tuned is None:
            continue
        for rate, gains in zip(
            tuned["learning_rates"], tuned["mean_gains"], strict=True
        ):
            for step, gain in zip(tuned["steps"], gains, strict=True):
                yield {
                    "method": method_title(method),
                    "learning_rate": rate,
                    "step": step,
                    "mean_gain": gain,
                }
