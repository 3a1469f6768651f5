"""Test-time training methods and the controls."""

import keras

from keras_s4t.methods.actmad.actmad import ActMAD
from keras_s4t.methods.clust3.clust3 import ClusT3
from keras_s4t.methods.controls import BatchNormOnly
from keras_s4t.methods.controls import SourceOnly
from keras_s4t.methods.method import Method
from keras_s4t.methods.nc_ttt.nc_ttt import NCTTT
from keras_s4t.methods.s4t.replay_s4t import ReplayS4T
from keras_s4t.methods.s4t.s4t import S4T
from keras_s4t.methods.s4t.s4t_image_recon import S4TImageRecon
from keras_s4t.methods.tent import Tent
from keras_s4t.methods.tipi import TIPI
from keras_s4t.methods.ttt.ttt import TTT
from keras_s4t.methods.ttt_flow.ttt_flow import TTTFlow
from keras_s4t.methods.ttt_plus_plus.ttt_plus_plus import TTTPlusPlus

# In the order of tables.
METHODS = {
    cls.__name__: cls
    for cls in (
        SourceOnly,
        BatchNormOnly,
        Tent,
        TIPI,
        TTT,
        TTTPlusPlus,
        TTTFlow,
        ClusT3,
        ActMAD,
        NCTTT,
        S4TImageRecon,
        S4T,
        ReplayS4T,
    )
}

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
        ValueError: If the name is unknown, or it is something else.
    """
    if isinstance(identifier, Method):
        return identifier
    if isinstance(identifier, dict):
        return keras.saving.deserialize_keras_object(identifier)
    if not isinstance(identifier, str) or identifier not in METHODS:
        raise ValueError(
            f"The method must be one of {sorted(METHODS)}. "
            f"Received: {identifier!r}"
        )
    return METHODS[identifier](**kwargs)
