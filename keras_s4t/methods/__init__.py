"""Test-time training methods, one file each, and the controls."""

import keras

from keras_s4t.methods.controls import Base
from keras_s4t.methods.controls import BatchNormOnly
from keras_s4t.methods.method import Method
from keras_s4t.methods.s4t import S4T

METHODS = {cls.__name__: cls for cls in (Base, BatchNormOnly, S4T)}

__all__ = ["METHODS", "Method", "get", *METHODS]


def get(identifier, **kwargs):
    """Retrieves a method by its name.

    Args:
        identifier: Name of a method's class, such as `"S4T"`, a method's
            config, or a `Method`, which is returned as it is.
        **kwargs: Arguments of the class, for a name.

    Returns:
        A `Method`.

    Raises:
        ValueError: If the name is unknown.
    """
    if isinstance(identifier, Method):
        return identifier
    if isinstance(identifier, dict):
        return keras.saving.deserialize_keras_object(identifier)
    if identifier not in METHODS:
        raise ValueError(
            f"The method must be one of {sorted(METHODS)}. "
            f"Received: {identifier!r}"
        )
    return METHODS[identifier](**kwargs)
