"""What the results of a comparison say, from their JSON alone."""

import collections
import math
import warnings

import numpy as np
from shared.reporting import CONTROL

from comparison.contenders import SOURCE_ONLY
from comparison.data import is_return
from comparison.results import curve_of
from comparison.statistics import gains_of
from comparison.statistics import spearman
from comparison.statistics import spread
from keras_s4t.curves import Curve
from keras_s4t.curves import synchronization
from keras_s4t.tasks import Task
from keras_s4t.tasks import directions

MEASURES = ("step_variance", "dynamic_time_warping", "cosine_similarity")


class Summary:
    """The planned adaptations that have a result, summarized over seeds.

    Args:
        content: dict, what `results.json` holds.

    Attributes:
        tasks: list of `Task`.
        methods: list of names that have a result, the controls first.
        targets: list of names of the targets that have a result.
        returns: list of the name of the source after the targets, or empty.
    """

    def __init__(self, content):
        self.content = content
        self.tasks = [Task.from_config(config) for config in content["tasks"]]
        higher_is_better = directions(self.tasks)
        # By method, network and target: the curve of every seed.
        self._curves = collections.defaultdict(dict)
        runs = content["runs"]
        for run in (runs[key] for key in content["plan"] if key in runs):
            group = (run["contender"], run["network"], run["target"])
            curve = curve_of(run["curve"], higher_is_better)
            self._curves[group][run["seed"]] = curve
        found = {(name, network) for name, network, _ in self._curves}
        self.methods = [
            name
            for name, contender in content["contenders"].items()
            if (name, contender["network"]) in found
        ]
        names = list(dict.fromkeys(group[2] for group in self._curves))
        self.targets = [name for name in names if not is_return(name)]
        self.returns = [name for name in names if is_return(name)]

    def network(self, method):
        """Name of the source model that a method adapts."""
        return self.content["contenders"][method]["network"]

    def networks(self):
        """The names of all source models, the shared one first."""
        return list(dict.fromkeys(map(self.network, self.methods)))

    def curves(self, method, target, network=None):
        """Dict from seed to the `Curve` of a method, its own network's."""
        network = network or self.network(method)
        return self._curves.get((method, network, target), {})

    def mean_curve(self, method, target):
        """The `Curve` of the mean of all seeds; `None` without any."""
        curves = list(self.curves(method, target).values())
        if not curves:
            return None
        points = []
        for rows in zip(*(curve.points for curve in curves), strict=True):
            points.append({k: np.mean([r[k] for r in rows]) for k in rows[0]})
            points[-1]["step"] = rows[0]["step"]
        return Curve(points, curves[0].higher_is_better)

    def step(self, method):
        """The fixed step of a method."""
        return (
            0
            if method == SOURCE_ONLY
            else self.content["contenders"][method]["step"]
        )

    def gains(self, method, target, network=None):
        """Dict from seed to Delta_TTT at the fixed step, in percent."""
        step = self.step(method)
        return {
            seed: float(gains_of(curve)[curve.steps.index(step)])
            for seed, curve in self.curves(method, target, network).items()
        }

    def over_control(self, method, target):
        """Dict from seed to the gain over `BatchNormOnly`, in points.

        Both adapt the same network.
        """
        control = self.gains(CONTROL, target, self.network(method))
        return {
            seed: gain - control[seed]
            for seed, gain in self.gains(method, target).items()
            if seed in control
        }

    def metrics(self, method, target, network=None, step=None):
        """Dict from metric to its `Spread`, at the fixed step by default."""
        step = self.step(method) if step is None else step
        curves = self.curves(method, target, network).values()
        return {
            task.metric_key: spread(
                [curve.at(step)[task.metric_key] for curve in curves]
            )
            for task in self.tasks
        }

    def best(self, method, target):
        """The best step of the mean gain, an oracle, as `(Spread, step)`."""
        curves = list(self.curves(method, target).values())
        gains = np.array([gains_of(curve) for curve in curves])
        means = gains.mean(axis=0)
        if np.isnan(means).all():
            return spread(gains[:, 0]), 0
        best = int(np.nanargmax(means))
        return spread(gains[:, best]), curves[0].steps[best]

    def synchronization(self, method, target):
        """Dict from measure to its `Spread` over seeds."""
        rows = [
            _synchronization(curve)
            for curve in self.curves(method, target).values()
        ]
        return {name: spread([row[name] for row in rows]) for name in MEASURES}

    def correlations(self, target):
        """Spearman's correlation of the measures with Delta_TTT.

        Over the methods that adapt.

        Returns:
            dict from measure to a tuple `(correlation, number of methods)`.
        """
        return correlations(
            [
                self.marker(method, target)
                for method in self.methods
                if method != SOURCE_ONLY and self.curves(method, target)
            ]
        )

    def marker(self, method, target, per_target=None):
        """A point of Figure 3.

        Args:
            method: Name of a method.
            target: Name of a target.
            per_target: `gains`, the default, or `over_control`.

        Returns:
            dict with the `"gain"` and every measure, means over seeds.
        """
        gains = list((per_target or self.gains)(method, target).values())
        measures = self.synchronization(method, target)
        return {
            "gain": spread(gains).mean if gains else math.nan,
            **{name: value.mean for name, value in measures.items()},
        }

    def markers(self, per_target=None):
        """Dict from method to the points of all targets, see `marker`.

        The methods that adapt; without the control, where the gain over it is
        asked for.
        """
        left_out = {SOURCE_ONLY}
        if per_target == self.over_control:
            left_out.add(CONTROL)
        return {
            method: [
                self.marker(method, target, per_target)
                for target in self.targets
                if self.curves(method, target)
            ]
            for method in self.methods
            if method not in left_out
        }

    def over_targets(self, per_target, method, targets=None):
        """Spread over seeds of the mean over targets.

        Args:
            per_target: `gains` or `over_control`, of this summary.
            method: Name of a method.
            targets: Optional list of names of targets. Defaults to all.

        Returns:
            A `Spread` of the seeds with a result for every target, or `None`.
        """
        targets = self.targets if targets is None else targets
        values = [per_target(method, target) for target in targets]
        seeds = set.intersection(*map(set, values)) if values else ()
        means = [np.mean([v[seed] for v in values]) for seed in sorted(seeds)]
        return spread(means) if means else None


def correlations(markers):
    """Spearman's correlation of the measures with the gain.

    Args:
        markers: list of what `Summary.marker` returns.

    Returns:
        dict from measure to a tuple `(correlation, number of markers)`.
    """
    gains = [marker["gain"] for marker in markers]
    return {
        name: spearman([marker[name] for marker in markers], gains)
        for name in MEASURES
    }


def _synchronization(curve):
    nothing = dict.fromkeys(MEASURES, math.nan)
    if len(curve.points) < 2:
        return nothing
    try:
        with warnings.catch_warnings():
            # Flat curves have similarity 0, which is what the table says.
            warnings.simplefilter("ignore")
            return synchronization(curve.relative)
    except ValueError:
        # A metric was 0 before the adaptation, or the adaptation diverged.
        return nothing
