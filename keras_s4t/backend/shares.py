"""Sums over a batch that several replicas share."""

import contextlib
import contextvars

from keras_s4t import backend

_IS_SHARED = contextvars.ContextVar("is_shared", default=False)


@contextlib.contextmanager
def shared_batch(shares=True):
    """Within it, replicas compute one step, each on its share of a batch.

    What a loss or a batch norm sums over the batch is then the sum over all
    replicas, so that the step is that of the whole batch. Outside of it,
    replicas know nothing of each other: they may evaluate other images, or one
    of them alone.

    Args:
        shares: bool. `False` for a step of each replica's own.
    """
    token = _IS_SHARED.set(shares and backend.num_replicas() > 1)
    try:
        yield
    finally:
        _IS_SHARED.reset(token)


def is_shared():
    """Whether several replicas share the present batch."""
    return _IS_SHARED.get()


def sum_over_batch(*tensors):
    """Sums over a share of the batch, as sums over the whole batch.

    Args:
        *tensors: Float tensors.

    Returns:
        list of tensors, through which gradients flow.
    """
    if not is_shared():
        return list(tensors)
    return backend.all_reduce(list(tensors))
