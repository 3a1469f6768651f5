"""Checks of numbers, which are then those of Python and can be saved."""

import numbers


def positive_integer(name, value):
    """An int, or a `ValueError` that names the argument."""
    is_integer = isinstance(value, numbers.Integral)
    if not is_integer or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value!r}"
        )
    return int(value)


def checked_share(name, value):
    """A float in [0, 1], or a `ValueError`."""
    if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
        raise ValueError(
            f"`{name}` must be in the range [0, 1]. Received: {name}={value!r}"
        )
    return float(value)


def checked_size(size):
    """A pair of ints or `None`, or a `ValueError`."""
    if size is None:
        return None
    try:
        height, width = (positive_integer("size", x) for x in size)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`size` must be a pair of positive integers, height and width. "
            f"Received: size={size!r}"
        ) from error
    return height, width
