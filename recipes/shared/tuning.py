"""Choice of a learning rate and a number of steps, without any target.

Corrupted *source* images take the place of the target. What counts is the mean
Delta_TTT over all of them, relative to the source model.
"""

import collections.abc
import dataclasses

import numpy as np

from shared.adaptation import adapt
from shared.adaptation import measure_source


@dataclasses.dataclass(frozen=True)
class Trial:
    """Corrupted source images that take the place of a target.

    Attributes:
        name: Name of the corruption with its severity.
        target: Labeled dataset that the curve evaluates.
        make_stream: Function without arguments that returns a stream to adapt
            to and callbacks, as the functions of `PROTOCOLS` do.
    """

    name: str
    target: object
    make_stream: collections.abc.Callable


def measure_gains(adapter, trials, learning_rates, control=None, starts=None):
    """Adapts with every learning rate in every trial.

    Args:
        adapter: A compiled `TargetAdapter`.
        trials: Iterable of `Trial`.
        learning_rates: list of floats, or `[None]` for a method that updates
            no variable.
        control: Optional compiled `TargetAdapter` of the same network, whose
            gains in the same trial are subtracted.
        starts: Optional dict from the name of a trial to the metrics of the
            source model, where they have been measured before.

    Returns:
        Tuple `(gains, steps, starts)`: a dict from the name of a trial to the
        Delta_TTT in percent, one row per learning rate and one column per
        step; the steps; `starts` of all trials.
    """
    gains, steps, starts = {}, [], dict(starts or {})
    for trial in trials:
        if trial.name not in starts:
            starts[trial.name] = measure_source(adapter, trial.target)
        start = starts[trial.name]
        rows = []
        for learning_rate in learning_rates:
            # Each time anew: a reset restores the optimizer's variables, too.
            if learning_rate is not None:
                adapter.optimizer.learning_rate.assign(learning_rate)
            curve = adapt(adapter, *trial.make_stream(), start)
            rows.append(curve.gains)
        if control is not None:
            curve = adapt(control, *trial.make_stream(), start)
            rows = np.subtract(rows, curve.gains).tolist()
        gains[trial.name], steps = rows, curve.steps
    return gains, steps, starts


def choose(gains, learning_rates, steps):
    """The learning rate and the step where the mean gain is largest.

    Args:
        gains: Array of shape `(number of trials, len(learning_rates),
            len(steps))`, in percent. NaN where an adaptation diverged, which
            is never chosen. A trial without a gain at step 0 is left out: the
            source model fails at it altogether.
        learning_rates: list of floats, or of `None` for a method without any.
        steps: list of ints; step 0, no adaptation, is not chosen either.

    Returns:
        dict with the `"learning_rate"` and the `"step"` chosen, `None` where
        there is nothing to choose, the `"learning_rates"` and `"steps"` of the
        grid, the `"mean_gain"` chosen, `"mean_gains"` by learning rate and
        step, and `"at_edge"`, whether the learning rate is the smallest or
        largest of several.
    """
    gains = np.asarray(gains, "float64")
    gains = gains[np.isfinite(gains[:, 0, 0])]
    if not len(gains):
        gains = np.full((1, len(learning_rates), len(steps)), np.nan)
    mean_gains = gains.mean(axis=0)
    choice = {
        "learning_rate": None,
        "step": None,
        "learning_rates": learning_rates,
        "steps": steps,
        "mean_gain": None,
        "mean_gains": mean_gains.tolist(),
        "at_edge": False,
    }
    candidates = np.where(np.array(steps) > 0, mean_gains, np.nan)
    if np.isnan(candidates).all():
        return choice
    i, j = np.unravel_index(np.nanargmax(candidates), candidates.shape)
    return choice | {
        "learning_rate": learning_rates[i],
        "step": steps[j],
        "mean_gain": float(candidates[i, j]),
        "at_edge": len(learning_rates) > 1
        and i in (0, len(learning_rates) - 1),
    }
