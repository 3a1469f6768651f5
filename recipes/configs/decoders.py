"""Decoders by the names of the command line."""

import keras_s4t

DECODERS = ("pyramid", "mti_net")
TINY_MTI_NET = {"channels": (16, 24, 32, 48)}


def check_decoder(name):
    """Raises a `ValueError` if there is no decoder of that name."""
    if name not in DECODERS:
        raise ValueError(
            f"`decoder` must be one of {DECODERS}. Received: decoder={name!r}"
        )


def make_decoder(name, tasks, is_tiny=False):
    """A decoder, or `None` for that of the paper.

    Args:
        name: string, one of `DECODERS`.
        tasks: list of `Task`.
        is_tiny: bool. Whether the backbone is the small one.

    Returns:
        A `keras_s4t.models.Decoder` or `None`.
    """
    if name == "pyramid":
        return None
    return keras_s4t.models.MTINetDecoder(
        {task.name: task.num_outputs for task in tasks},
        **(TINY_MTI_NET if is_tiny else {}),
    )
