"""Learning rate and number of steps of a method, chosen without a target.

Corrupted *source* images take the place of the target, in the comparison's
own protocol. Every method has the same budget: as many learning rates, around
that of its authors, as many steps, the same images. What counts is the mean
Delta_TTT over corruptions, relative to the method's own source model. Where
that is best, the gain beyond `BatchNormOnly` is, too: that control has the same
budget for its own number of steps.
"""

import numpy as np

from comparison.adaptation import adapt
from comparison.adaptation import make_adapter
from comparison.adaptation import measure_source
from comparison.data import load_corrupted
from comparison.statistics import gains_of


def tune(network, method, settings, starts=None):
    """Measures the whole grid of a method, and chooses.

    Args:
        network: A `MultiTaskModel` trained on the source.
        method: A `Method`, trained where it needs that.
        settings: `Settings`.
        starts: Optional dict from a corruption to the source model's metrics,
            where they have been measured before.

    Returns:
        dict with the `"learning_rate"` and the `"step"` chosen, `None` where
        there is nothing to choose, the `"learning_rates"` and `"steps"`
        of the grid, the `"mean_gain"` chosen, `"mean_gains"` by learning rate
        and step, `"at_edge"`, whether the learning rate is the smallest or
        largest of several, and the `"starts"`.
    """
    adapter = make_adapter(network, method, settings)
    default = float(adapter.optimizer.learning_rate)
    rates = [factor * default for factor in settings.factors]
    if not adapter.updated_variables:
        # No learning rate changes anything.
        rates = [None]
    starts = dict(starts or {})
    gains = []
    for name, target in load_corrupted(settings, network.tasks):
        if name not in starts:
            starts[name] = measure_source(adapter, target)
        rows = []
        for rate in rates:
            # Each time anew: a reset restores the optimizer's variables, too.
            if rate is not None:
                adapter.optimizer.learning_rate.assign(rate)
            curve = adapt(adapter, target, settings, starts[name])
            rows.append(gains_of(curve))
        gains.append(rows)
    return choose(gains, rates, curve.steps) | {"starts": starts}


def choose(gains, rates, steps):
    """The learning rate and the step where the mean gain is largest.

    Args:
        gains: Array of shape `(number of corruptions, len(rates),
            len(steps))`, in percent. NaN where an adaptation diverged, which
            is never chosen. A corruption without a gain at step 0 counts for
            nobody: the source model fails at it altogether.
        rates: list of floats, or of `None` for a method without any.
        steps: list of ints; step 0, no adaptation, is not chosen either.

    Returns:
        dict as that of `tune`.
    """
    gains = np.asarray(gains, "float64")
    gains = gains[np.isfinite(gains[:, 0, 0])]
    if not len(gains):
        gains = np.full((1, len(rates), len(steps)), np.nan)
    mean_gains = gains.mean(axis=0)
    facts = {
        "learning_rate": None,
        "step": None,
        "learning_rates": rates,
        "steps": steps,
        "mean_gain": None,
        "mean_gains": mean_gains.tolist(),
        "at_edge": False,
    }
    candidates = np.where(np.array(steps) > 0, mean_gains, np.nan)
    if np.isnan(candidates).all():
        return facts
    i, j = np.unravel_index(np.nanargmax(candidates), candidates.shape)
    return facts | {
        "learning_rate": rates[i],
        "step": steps[j],
        "mean_gain": float(candidates[i, j]),
        "at_edge": len(rates) > 1 and i in (0, len(rates) - 1),
    }
