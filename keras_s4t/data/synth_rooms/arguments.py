"""Validation of arguments."""

import math
import numbers


def check_integer(name, value, low, high=None):
    """Returns an int from `low` to `high`, or raises a `ValueError`."""
    in_range = isinstance(value, numbers.Integral) and value >= low
    if not in_range or (high is not None and value > high):
        limit = f"of at least {low}" if high is None else f"in [{low}, {high}]"
        raise ValueError(
            f"`{name}` must be an int {limit}. Received: {name}={value!r}"
        )
    return int(value)


def check_number(name, value, low):
    """Returns a finite float of at least `low`, or raises a `ValueError`."""
    if not isinstance(value, numbers.Real) or not low <= value < math.inf:
        raise ValueError(
            f"`{name}` must be a number of at least {low}. "
            f"Received: {name}={value!r}"
        )
    return float(value)
