"""One adaptation of a comparison: an adapter, a target, a curve."""

from shared.adaptation import adapt
from shared.protocols import PROTOCOLS

import keras_s4t
from comparison.data import load_statistics
from keras_s4t.curves import Curve
from keras_s4t.tasks import directions


def make_adapter(network, method, settings, learning_rate=None):
    """A compiled adapter, statistics collected; `reset` is exact.

    Args:
        network: A `MultiTaskModel` trained on the source.
        method: A `Method`, trained where it needs that.
        settings: `Settings`.
        learning_rate: float, or `None` for the method's own.

    Returns:
        A `TargetAdapter`.
    """
    adapter = keras_s4t.TargetAdapter(network, method)
    if "statistics" in method.needs_source:
        adapter.collect(load_statistics(settings, network.tasks), verbose=0)
    optimizer = method.default_optimizer()
    if learning_rate is not None:
        optimizer.learning_rate = learning_rate
    adapter.compile(optimizer)
    return adapter


def measure_curve(adapter, target, settings, start):
    """Adapts to a target by the protocol.

    Resets the adapter, unless updates persist from one target to the next.

    Args:
        adapter: A `TargetAdapter`, not adapted but to targets before.
        target: Labeled dataset; no label reaches the method.
        settings: `Settings`.
        start: Point 0, what `measure_source` returned for this network.

    Returns:
        A `Curve`, with point 0 alone if the method does nothing.
    """
    if isinstance(adapter.method, keras_s4t.methods.SourceOnly):
        return Curve([start], directions(adapter.tasks))
    protocol = PROTOCOLS[settings.protocol]
    return adapt(
        adapter,
        *protocol(target, settings.steps),
        start,
        reset=not settings.persists,
    )
