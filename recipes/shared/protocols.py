"""The protocols of test-time training, each a stream and callbacks."""

import math

from keras_s4t.callbacks import AdaptationCurve
from keras_s4t.callbacks import OnlineCurve
from keras_s4t.callbacks import ResetToSource
from keras_s4t.data import online_stream


def online(target, steps):
    """Every batch in turn, `steps` updates on each, and updates persist.

    Each batch is predicted after each of its updates; the point of step `t`
    pools what step `t` predicted on all batches.

    Args:
        target: Labeled `tf.data.Dataset` of `(images, labels, masks)`.
        steps: int. Updates per batch.

    Returns:
        Tuple `(stream, callbacks)` for `fit`. The first callback is the curve.
    """
    # The stream keeps its labels, for the pooled metrics: the adapter never
    # shows them to a method.
    return online_stream(target, steps), [OnlineCurve(target, steps)]


def episodic(target, steps):
    """As `online`, but every batch starts from the source model."""
    stream, callbacks = online(target, steps)
    return stream, [*callbacks, ResetToSource(every=steps)]


def release(target, steps):
    """Updates on the first batch only, as the authors' release does.

    The whole target is evaluated on the way. Arguments and returns are those
    of `online`.
    """
    images = target.take(1).map(lambda images, *labels: images)
    # A divisor of the steps, so that the last one is evaluated, too.
    curve = AdaptationCurve(target, every=math.gcd(steps, 5))
    return online_stream(images, steps), [curve]


def continual(target, steps):
    """As `online`, for one of several targets that are one stream.

    Whoever adapts goes through the targets in their order without a reset, so
    that updates persist from one to the next: `adapt` with `reset=False`. The
    source after the targets, as one more of them, tells what was forgotten.
    """
    return online(target, steps)


ONE_TARGET = {"online": online, "episodic": episodic, "release": release}
PROTOCOLS = {**ONE_TARGET, "continual": continual}
