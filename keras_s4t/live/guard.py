"""Whether adaptation has gone wrong, without labels."""

import math

from keras_s4t.live.scores import distances
from keras_s4t.live.scores import spread

LOSS, SPREAD, DRIFT = "loss", "spread", "drift"
# Predictions may always differ from the control's by the source model's own
# error, and vary by half as much or more.
LEAST_DRIFT, MOST_SPREAD = 1.0, 0.5


class Guard:
    """Compares the adapted model with a control on the same images.

    Three kinds of scores:

    - `"loss"`: the method's loss. For S4T, the distance of synchronizer and
      decoders.
    - `"<task>_spread"`: how much predictions vary, see `scores.spread`, as a
      share of that of the control. It falls when a model collapses.
    - `"<task>_drift"`: how far predictions are from those of the control, in
      units of the source model's own error on the source.

    The limits are the worst score seen in the calibration, widened by the
    tolerance.

    Args:
        tasks: list of `Task`.
        tolerance: float, at least 1.
    """

    def __init__(self, tasks, tolerance=1.5):
        if not 1 <= tolerance < math.inf:
            raise ValueError(
                "`tolerance` must be finite and at least 1. "
                f"Received: tolerance={tolerance}"
            )
        self.tasks = tasks
        self.tolerance = tolerance
        self.limits = {}
        self.residuals = {}

    def scores(self, loss, outputs, values, control_outputs, control_values):
        """The scores of a batch, a dict of floats.

        Args:
            loss: float.
            outputs: Raw outputs of the adapted model.
            values: Its postprocessed outputs.
            control_outputs: Raw outputs of the control.
            control_values: Its postprocessed outputs.
        """
        scores = {LOSS: loss}
        drifts = distances(self.tasks, values, control_values)
        for task in self.tasks:
            name, key = task.name, task.metric_key
            reference = spread(task, control_outputs[name])
            share = spread(task, outputs[name]) / max(reference, 1e-6)
            scores[f"{name}_{SPREAD}"] = share
            unit = max(self.residuals.get(key, 0), 1e-6)
            scores[f"{name}_{DRIFT}"] = drifts[key] / unit
        return scores

    def calibrate(self, scores):
        """Sets the limits.

        Args:
            scores: list of dicts, what `scores` returned where nothing went
                wrong. Without any, predictions have the strictest limits, and
                the loss has none.
        """
        self.limits = {}
        seen = [s[LOSS] for s in scores if math.isfinite(s[LOSS])]
        if seen:
            # Losses may be negative.
            size = max(map(abs, seen))
            self.limits[LOSS] = max(seen) + (self.tolerance - 1) * size
        for task in self.tasks:
            spread_key, drift_key = (
                f"{task.name}_{kind}" for kind in (SPREAD, DRIFT)
            )
            spreads, drifts = (
                [s[key] for s in scores if math.isfinite(s[key])]
                for key in (spread_key, drift_key)
            )
            self.limits[spread_key] = min(
                [MOST_SPREAD, *(x / self.tolerance for x in spreads)]
            )
            self.limits[drift_key] = max(
                [LEAST_DRIFT, *(x * self.tolerance for x in drifts)]
            )

    def violations(self, scores):
        """The scores beyond their limits, in words; NaN is beyond any."""
        found = []
        for key, limit in self.limits.items():
            score = scores[key]
            if key.endswith(SPREAD):
                if not score >= limit:
                    found.append(f"{key} {score:.3g} is below {limit:.3g}")
            elif not score <= limit:
                found.append(f"{key} {score:.3g} is above {limit:.3g}")
        return found
