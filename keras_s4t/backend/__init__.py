"""Backend-specific functions, one module per backend.

No other package names a backend.

- `value_and_grad(fn, inputs)`: for `fn(inputs) -> (value, aux)`, returns
  `(value, aux, gradients)`.
- `checkpoint(fn, *inputs)`: returns `fn(*inputs)` of a pure function of
  tensors. Intermediate values are recomputed for the gradient, not stored.
- `no_gradients()`: context manager without recording of gradients on PyTorch.
- `default_jit_compile()`: default of `jit_compile` in `Model.compile`.
- `batch_norm_with_batch_statistics(x, gamma, beta, epsilon)`: normalizes over
  all axes but the last. Returns the outputs in the dtype of `x` and the float32
  mean and biased variance of the batch, through which no gradient flows.
- `batch_norm_with_given_statistics(x, mean, variance, gamma, beta, epsilon)`:
  normalizes with the given statistics. Returns the outputs.
- `has_exact_moments`: whether Keras's `BatchNormalization` squares deviations
  from the mean, so that its variance is never negative.
- `write_if(condition, write, variables)`: calls `write()`, which assigns to
  Keras variables, where a bool scalar is true; else the variables keep their
  values. The host does not wait for the device.
- `apply_scaled(optimizer, gradients, updated)`: applies scaled gradients of a
  `LossScaleOptimizer`, unless they are not finite.
- `replicated(loss)`: the share of one replica in a number that TensorFlow sums
  over replicas.
- `num_replicas()`: how many replicas compute a step together, each on its share
  of a batch: of `tf.distribute`, or processes of `torch.distributed`. 1 on JAX,
  which computes a step of the whole batch on any number of devices.
- `all_reduce(tensors)`: sums of float tensors over replicas. Gradients flow
  through them, as those of a loss that is summed over replicas. Every replica
  must call it.
- `optimizer_sums`: whether optimizers themselves sum gradients over replicas.
- `num_processes()`: how many processes of `torch.distributed` train together;
  1 elsewhere.
- `gather(value)`: list of the values of all processes, which must pickle.
- `copy_from_first(variables)`: assigns the values of the first process.
- `any_batch_size(sizes)`: context manager in which batches of these sizes, or
  of unknown ones if `None`, are computed by every device of
  `keras.distribution` as a whole, unless they divide by the devices. Returns
  whether devices share batches.
- `shared_batch()`, `is_shared()`, `sum_over_batch(*tensors)`: see `shares.py`.
- `count_ids(ids, num_ids)`: how often each of `0 ... num_ids - 1` occurs in an
  int32 tensor of shape `(n,)`, an int32 tensor. Other ids are not counted.
- `exports_itself`: whether Keras writes every format of `Model.export` here.
- `full_precision()`: context manager in which GPUs do not round the inputs of
  products to TF32.
- `fewer_threads()`: context manager in which operations of the calling thread
  leave one core to other threads, where threads do not share a pool.
- `multiplies_faster(kernel_size, channels)`: whether a convolution takes longer
  than the matrix product of its patches on the devices in use; `kernel_size` is
  a pair of ints and `channels` the number of those of the input.
- `argmax(x)`: index of the largest entry along the last axis, int32.
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
write_if = _backend.write_if
apply_scaled = _backend.apply_scaled
replicated = _backend.replicated
num_replicas = _backend.num_replicas
all_reduce = _backend.all_reduce
optimizer_sums = _backend.optimizer_sums
num_processes = _backend.num_processes
gather = _backend.gather
copy_from_first = _backend.copy_from_first
any_batch_size = _backend.any_batch_size
has_exact_moments = _backend.has_exact_moments
count_ids = _backend.count_ids
argmax = _backend.argmax
exports_itself = _backend.exports_itself
fewer_threads = _backend.fewer_threads
full_precision = _backend.full_precision
multiplies_faster = _backend.multiplies_faster

# They take the functions above.
from keras_s4t.backend.shares import is_shared  # noqa: E402
from keras_s4t.backend.shares import shared_batch  # noqa: E402
from keras_s4t.backend.shares import sum_over_batch  # noqa: E402

__all__ = ["is_shared", "shared_batch", "sum_over_batch"]
