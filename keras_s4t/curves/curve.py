import json
import math
import pathlib

from keras_s4t.curves.ttt_gain import relative_curve
from keras_s4t.curves.ttt_gain import ttt_gain
from keras_s4t.files import atomic_path


class Curve:
    """Metrics over adaptation steps.

    Args:
        points: list of dicts, `{"step": int, <metric key>: float, ...}`. The
            first is the model before adaptation, step 0.
        higher_is_better: dict from metric key to bool.

    Example:

    ```python
    curve = Curve.load("s4t.json")
    curve.gain(40)  # Delta_TTT at a fixed step, in percent
    curve.best["step"]  # the step with the largest gain, needs target labels
    ```
    """

    def __init__(self, points=(), higher_is_better=None):
        self.points = list(points)
        self.higher_is_better = dict(higher_is_better or {})

    @property
    def steps(self):
        """Steps of the points, a list of ints."""
        return [point["step"] for point in self.points]

    def at(self, step):
        """Returns the point at a step.

        Args:
            step: int.

        Returns:
            dict with `"step"` and the metrics.

        Raises:
            ValueError: If there is no point at this step.
        """
        for point in self.points:
            if point["step"] == step:
                return point
        raise ValueError(
            f"The curve must have a point at the step; it has {self.steps}. "
            f"Received: step={step}"
        )

    def gain(self, step):
        """Delta_TTT at a step, the mean relative gain of the tasks.

        The tasks are those of `counted`: a metric that is NaN at the first
        point had no labels.

        Args:
            step: int.

        Returns:
            float, in percent, relative to the first point.

        Raises:
            ValueError: If there is no point at this step.
        """
        after, before = (
            {key: point[key] for key in self.counted}
            for point in (self.at(step), self.points[0])
        )
        return ttt_gain(before, after, self.counted)

    @property
    def counted(self):
        """What `gain` and `relative` count: tasks with labels.

        A dict from metric key to whether higher is better.
        """
        first = self.points[0] if self.points else {}
        return {
            key: higher
            for key, higher in self.higher_is_better.items()
            if not math.isnan(first.get(key, math.nan))
        }

    @property
    def gains(self):
        """Delta_TTT at every step, in percent.

        All values are NaN if a metric before adaptation is 0 or infinite, or
        if there are no labels at all.
        """
        try:
            return [self.gain(step) for step in self.steps]
        except ValueError:
            return [math.nan] * len(self.points)

    @property
    def best(self):
        """The point with the largest Delta_TTT, an oracle that needs labels."""
        if not self.points:
            raise ValueError("The curve must have points. Received: none")
        gains = self.gains
        return self.points[gains.index(max(gains))]

    @property
    def relative(self):
        """Relative curves in percent, a dict by metric key.

        Higher is better for every metric.
        """
        return {
            key: relative_curve([p[key] for p in self.points], higher)
            for key, higher in self.counted.items()
        }

    def save(self, path):
        """Writes the curve as JSON, atomically.

        Args:
            path: Path of the file.
        """
        content = {
            "higher_is_better": self.higher_is_better,
            "points": self.points,
        }
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n")

    @classmethod
    def load(cls, path):
        """Reads a curve written by `save`.

        Args:
            path: Path of the file.

        Returns:
            A `Curve`.

        Raises:
            ValueError: If the file is truncated or not a curve.
        """
        try:
            content = json.loads(pathlib.Path(path).read_text())
            higher_is_better = {**content["higher_is_better"]}
            keys = ("step", *higher_is_better)
            points = [
                {key: _number(point[key]) for key in keys} | point
                for point in content["points"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                "The file must be a complete curve in JSON. "
                f"Received: path={str(path)!r} ({error!r})"
            ) from error
        return Curve(points, higher_is_better)


def _number(value):
    """The value, or a `TypeError` if it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a number is expected, not {value!r}")
    return value
