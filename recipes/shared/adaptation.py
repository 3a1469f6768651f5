"""One adaptation: an adapter, a stream, a curve."""

import keras_s4t


def adapt(adapter, stream, callbacks, start=None, verbose=0, reset=True):
    """Adapts to a stream, and resets the adapter.

    Args:
        adapter: A compiled `TargetAdapter`, not adapted, unless it goes on
            from target to target.
        stream: Stream of a target, see `keras_s4t.data.online_stream`.
        callbacks: list of callbacks, the first of which is an
            `AdaptationCurve`.
        start: Optional dict, point 0 of the curve as `measure_source` returns
            it. By default, the curve measures it.
        verbose: As in `fit`.
        reset: bool. Whether to reset the adapter afterwards.

    Returns:
        The `AdaptationCurve`.
    """
    curve = callbacks[0]
    if start is not None:
        curve.points = [start]
    adapter.fit(stream, callbacks=callbacks, verbose=verbose)
    if reset:
        adapter.reset()
    return curve


def measure_source(adapter, target):
    """Point 0 of a curve: the network before any step.

    Args:
        adapter: A compiled `TargetAdapter`, not adapted. The source model
            predicts with its moving statistics, whatever the method does.
        target: Labeled dataset.

    Returns:
        dict, `{"step": 0, <metric key>: float, ...}`.
    """
    if adapter.method.bn_mode == "batch":
        source_only = keras_s4t.methods.SourceOnly()
        adapter = keras_s4t.TargetAdapter(adapter.network, source_only)
        adapter.compile()
    logs = adapter.evaluate(target, verbose=0, return_dict=True)
    return {"step": 0} | {
        task.metric_key: float(logs[task.metric_key]) for task in adapter.tasks
    }
