"""Gradients on the current backend, for tests."""

import keras
import numpy as np


def value_and_gradient(fn, x):
    """Value and gradient of a function of one tensor.

    Args:
        fn: Function from a tensor to a scalar tensor.
        x: NumPy array.

    Returns:
        Pair of a float and a NumPy array of the shape of `x`.
    """
    return BACKENDS[keras.backend.backend()](fn, x)


def _tensorflow(fn, x):
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = fn(x)
    gradient = tape.gradient(
        value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return float(value), gradient.numpy()


def _jax(fn, x):
    import jax

    value, gradient = jax.value_and_grad(fn)(x)
    return float(value), np.asarray(gradient)


def _torch(fn, x):
    import torch

    x = keras.ops.convert_to_tensor(x).requires_grad_()
    value = fn(x)
    (gradient,) = torch.autograd.grad(value, x, materialize_grads=True)
    return float(value.detach()), gradient.cpu().numpy()


BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


def jacobian(fn, x):
    """Jacobian of a function from a tensor to a tensor of the same size.

    Args:
        fn: Function from a tensor to a tensor.
        x: NumPy array.

    Returns:
        A square NumPy array, one row per element of the result.
    """
    matrix = JACOBIANS[keras.backend.backend()](fn, x)
    return np.reshape(matrix, (x.size, x.size))


def _tensorflow_jacobian(fn, x):
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = fn(x)
    return tape.jacobian(outputs, x).numpy()


def _jax_jacobian(fn, x):
    import jax

    return np.asarray(jax.jacrev(fn)(x))


def _torch_jacobian(fn, x):
    import torch

    x = keras.ops.convert_to_tensor(x)
    return torch.autograd.functional.jacobian(fn, x).cpu().numpy()


JACOBIANS = {
    "tensorflow": _tensorflow_jacobian,
    "jax": _jax_jacobian,
    "torch": _torch_jacobian,
}
