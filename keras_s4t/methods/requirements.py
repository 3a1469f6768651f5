"""Checks of what methods need of a network."""

# Normalization layers whose scales and offsets a method moves.
NORM_UPDATES = ("batch_norm", "norms")


def check_norm_update(update):
    """Raises a `ValueError` unless `update` is one of `NORM_UPDATES`."""
    if update not in NORM_UPDATES:
        raise ValueError(
            f"`update` must be one of {NORM_UPDATES}. "
            f"Received: update={update!r}"
        )


def check_levels(network, **argument):
    """Raises an error unless a network has the levels that a method reads.

    Args:
        network: The `MultiTaskModel`.
        **argument: Tuple of pyramid levels, by the name of the argument that
            they were given as.

    Raises:
        ValueError: If there are none, or the network lacks one.
    """
    ((key, levels),) = argument.items()
    known = sorted(network.encoder.output)
    if not levels or not set(levels) <= set(known):
        raise ValueError(
            f"`{key}` must name pyramid levels of the network, out of {known}. "
            f"Received: {key}={levels}"
        )


def check_rgb(network, method):
    """Raises a `ValueError` unless the images of a network are RGB.

    Args:
        network: The `MultiTaskModel`.
        method: The `Method`, which changes or predicts colors.
    """
    if network.num_channels != 3:
        raise ValueError(
            f"{type(method).__name__} works on the 3 channels of RGB images. "
            f"Received: a network of {network.num_channels} channels"
        )


def check_classes(network, **argument):
    """Raises an error unless a network has a task, and the task classes.

    Args:
        network: The `MultiTaskModel`.
        **argument: The name of the task, by the name of the argument that it
            was given as.

    Raises:
        ValueError: If the network has no such task, or its raw outputs are
            not logits of classes.
    """
    ((key, name),) = argument.items()
    classes = [t.name for t in network.tasks if t.label.is_classes]
    if name not in classes:
        raise ValueError(
            f"`{key}` must be a task of the network that predicts classes, "
            f"one of {classes}. Received: {key}={name!r}"
        )
