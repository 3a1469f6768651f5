"""Learning rate and number of steps of a method, chosen without a target.

Corrupted source images take the place of the target, in the comparison's own
protocol. Every method has the same budget: as many learning rates, around that
of its authors, as many steps, the same images. What counts is the mean
Delta_TTT over corruptions, relative to the method's own source model. Where
that is best, the gain beyond `BatchNormOnly` is, too: that control has the same
budget for its own number of steps.
"""

import functools

from shared.protocols import PROTOCOLS
from shared.tuning import Trial
from shared.tuning import choose
from shared.tuning import measure_gains

from comparison.adaptation import make_adapter
from comparison.data import load_corrupted


def tune(network, method, settings, starts=None):
    """Measures the whole grid of a method, and chooses.

    Args:
        network: A `MultiTaskModel` trained on the source.
        method: A `Method`, trained where it needs that.
        settings: `Settings`.
        starts: Optional dict from a corruption to the source model's metrics,
            where they have been measured before.

    Returns:
        dict, what `choose` returns, and the `"starts"`.
    """
    adapter = make_adapter(network, method, settings)
    default = float(adapter.optimizer.learning_rate)
    rates = [factor * default for factor in settings.factors]
    if not adapter.updated_variables:
        # No learning rate changes anything.
        rates = [None]
    protocol = PROTOCOLS[settings.protocol]
    trials = (
        Trial(name, target, functools.partial(protocol, target, settings.steps))
        for name, target in load_corrupted(settings, network.tasks)
    )
    gains, steps, starts = measure_gains(adapter, trials, rates, starts=starts)
    return choose(list(gains.values()), rates, steps) | {"starts": starts}
