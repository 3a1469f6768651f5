def check_steps_per_batch(callback, **argument):
    """Raises an error unless a callback counts the steps of the stream.

    Args:
        callback: A callback of `fit`, which has its model.
        **argument: Steps per batch, by the name of the callback's argument.

    Raises:
        ValueError: If the stream repeats every batch another number of times.
    """
    ((key, steps),) = argument.items()
    of_stream = getattr(callback.model, "stream_steps", None)
    if of_stream not in (None, steps):
        raise ValueError(
            f"`{key}` must be the `steps` of `online_stream`. Received: "
            f"{key}={steps} and a stream of {of_stream} steps per batch"
        )
