"""One adaptation of a comparison: an adapter, a target, a curve."""

from shared.protocols import PROTOCOLS

import keras_s4t
from comparison.data import load_statistics
from keras_s4t.curves import Curve


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


def directions(tasks):
    """Dict from the metric of every task to whether higher is better."""
    return {task.metric_key: task.higher_is_better for task in tasks}


def measure_source(adapter, target):
    """Point 0 of a curve: the network before any step.

    Args:
        adapter: A `TargetAdapter`, not adapted. Whatever its method predicts
            with, the source model does so with the moving statistics.
        target: Labelled dataset.

    Returns:
        dict, `{"step": 0, <metric key>: float, ...}`.
    """
    if adapter.method.bn_mode == "batch":
        base = keras_s4t.methods.SourceOnly()
        adapter = keras_s4t.TargetAdapter(adapter.network, base)
        adapter.compile()
    logs = adapter.evaluate(target, verbose=0, return_dict=True)
    return {"step": 0} | {
        task.metric_key: float(logs[task.metric_key]) for task in adapter.tasks
    }


def adapt(adapter, target, settings, start):
    """Adapts to a target by the protocol, and resets the adapter.

    Args:
        adapter: A `TargetAdapter`.
        target: Labelled dataset; no label reaches the method.
        settings: `Settings`.
        start: Point 0, what `measure_source` said of this network.

    Returns:
        A `Curve`, with point 0 alone if the method does nothing.
    """
    if isinstance(adapter.method, keras_s4t.methods.SourceOnly):
        return Curve([start], directions(adapter.tasks))
    protocol = PROTOCOLS[settings.protocol]
    stream, callbacks = protocol(target, settings.steps)
    curve = callbacks[0]
    curve.points = [start]
    adapter.fit(stream, callbacks=callbacks, verbose=0)
    adapter.reset()
    return curve
