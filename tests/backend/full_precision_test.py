import keras
import pytest

from keras_s4t import backend

NAME = keras.backend.backend()


def setting():
    """What the library says of TF32."""
    if NAME == "tensorflow":
        import tensorflow as tf

        return tf.config.experimental.tensor_float_32_execution_enabled()
    if NAME == "jax":
        import jax

        return jax.config.jax_default_matmul_precision
    import torch

    return (
        torch.backends.cudnn.conv.fp32_precision,
        torch.backends.cuda.matmul.fp32_precision,
    )


def test_it_holds_within_the_context_only():
    before = setting()
    full = {"tensorflow": False, "jax": "float32", "torch": ("ieee", "ieee")}
    with pytest.raises(OSError):
        with backend.full_precision():
            assert setting() == full[NAME] != before
            raise OSError
    assert setting() == before
