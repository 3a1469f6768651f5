"""The only package that names a backend; one module for each.

- `value_and_grad(fn, inputs)`: of `fn(inputs) -> (value, aux)`, returns
  `(value, aux, gradients)`.
- `checkpoint(fn, *inputs)`: `fn(*inputs)` for a pure function of tensors, which
  is computed again for its gradient instead of keeping what is in between.
- `no_gradients()`: a context in which PyTorch records nothing for a backward
  pass.
- `default_jit_compile()`: what `Model.compile` takes by default.
- `batch_norm_with_batch_statistics(x, gamma, beta, epsilon)`: normalizes over
  all axes but the last; returns outputs in the dtype of `x`, and the float32
  mean and biased variance of the batch, which pass no gradient.
- `batch_norm_with_given_statistics(x, mean, variance, gamma, beta, epsilon)`:
  returns the outputs.
"""

import importlib

import keras

NAMES = ("tensorflow", "jax", "torch")

if keras.backend.backend() not in NAMES:
    raise ImportError(
        "keras_s4t runs on the TensorFlow, JAX and PyTorch backends of Keras. "
        f"Received: keras.backend.backend()={keras.backend.backend()}"
    )

_backend = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

value_and_grad = _backend.value_and_grad
checkpoint = _backend.checkpoint
no_gradients = _backend.no_gradients
default_jit_compile = _backend.default_jit_compile
batch_norm_with_batch_statistics = _backend.batch_norm_with_batch_statistics
batch_norm_with_given_statistics = _backend.batch_norm_with_given_statistics
