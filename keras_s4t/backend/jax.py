"""JAX implementations of the functions in `__init__.py`."""

import contextlib
import functools

import keras

# isort: split
import jax
from jax import numpy as jnp

from keras_s4t.backend.selection import apply_statelessly
from keras_s4t.backend.selection import write_selected

apply_scaled = apply_statelessly
has_exact_moments = True
exports_itself = False
# One computation, whatever the number of devices.
optimizer_sums = True
no_gradients = contextlib.nullcontext
# XLA fuses the selection with what was written.
write_if = write_selected


def default_jit_compile():
    """Leaves the choice to Keras."""
    return "auto"


def value_and_grad(fn, inputs):
    """Value, auxiliary output and gradients of `fn(inputs)`."""
    inputs = list(inputs)
    (value, aux), gradients = jax.value_and_grad(fn, has_aux=True)(inputs)
    return value, aux, gradients


def checkpoint(fn, *inputs):
    """`fn(*inputs)` with intermediate values recomputed for the gradient."""
    return jax.checkpoint(fn)(*inputs)


def replicated(loss):
    """Nothing is summed over replicas here."""
    return loss


def num_replicas():
    """One: devices are XLA's business."""
    return 1


def all_reduce(tensors):
    """Those of the one replica."""
    return tensors


def num_processes():
    """One: hosts run one computation."""
    return 1


def gather(value):
    """That of the one replica: hosts run one computation, too."""
    return [value]


def copy_from_first(variables):
    """Keras lays out variables over devices and hosts."""


@contextlib.contextmanager
def any_batch_size(sizes):
    """A layout of data other than that of `DataParallel`."""
    distribution = keras.distribution.distribution()
    if (
        type(distribution) is not keras.distribution.DataParallel
        # Hosts hold parts of a batch.
        or distribution.num_processes > 1
    ):
        yield True
        return
    count = distribution.num_model_replicas
    divides = sizes is not None and not any(size % count for size in sizes)
    # Keras lays out all batches as the first one.
    if not divides:
        distribution = _OnEveryDevice(distribution.device_mesh)
    with distribution.scope():
        yield divides


class _OnEveryDevice(keras.distribution.DataParallel):
    def get_data_layout(self, data_shape):
        axes = [None] * len(data_shape)
        return keras.distribution.TensorLayout(axes, self.device_mesh)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def batch_norm_with_batch_statistics(x, gamma, beta, epsilon):
    """Batch norm with a closed-form gradient.

    It takes two reductions where automatic differentiation takes six.
    """
    return _normalize(x, gamma, beta, epsilon)[0]


def _normalize(x, gamma, beta, epsilon):
    inputs, x = x, x.astype("float32")
    mean = jnp.mean(x, (0, 1, 2))
    variance = jnp.mean(jnp.square(x - mean), (0, 1, 2))
    inverse = jax.lax.rsqrt(variance + epsilon)
    scale = gamma * inverse
    outputs = (x * scale + (beta - mean * scale)).astype(inputs.dtype)
    return (outputs, mean, variance), (inputs, gamma, mean, inverse)


def _normalize_backward(epsilon, residuals, gradients):
    del epsilon
    inputs, gamma, mean, inverse = residuals
    # The mean and variance only update moving statistics.
    gradient = gradients[0].astype("float32")
    normalized = (inputs.astype("float32") - mean) * inverse
    beta_gradient = jnp.sum(gradient, (0, 1, 2))
    gamma_gradient = jnp.sum(gradient * normalized, (0, 1, 2))
    count = inputs.size // inputs.shape[-1]
    centered = gradient - (beta_gradient + normalized * gamma_gradient) / count
    x_gradient = (gamma * inverse * centered).astype(inputs.dtype)
    return x_gradient, gamma_gradient, beta_gradient


batch_norm_with_batch_statistics.defvjp(_normalize, _normalize_backward)


def batch_norm_with_given_statistics(x, mean, variance, gamma, beta, epsilon):
    """A scale and an offset, which XLA fuses with adjacent operations."""
    scale = gamma * jax.lax.rsqrt(variance + epsilon)
    return (x * scale + (beta - mean * scale)).astype(x.dtype)


def full_precision():
    """Within it, float32 products are not rounded to TF32."""
    return jax.default_matmul_precision("float32")


def multiplies_faster(kernel_size, channels):
    """On CPUs, kernels of 1x1 and others over many channels."""
    if jax.default_backend() != "cpu":
        return False
    return set(kernel_size) == {1} or channels >= 256


def argmax(x):
    """JAX's own."""
    return jnp.argmax(x, axis=-1).astype("int32")


def count_ids(ids, num_ids):
    """A sum over segments: `jnp.bincount` counts negative ids as 0."""
    return jax.ops.segment_sum(jnp.ones_like(ids), ids, num_ids)


def fewer_threads():
    """All threads share one pool here."""
    return contextlib.nullcontext()
