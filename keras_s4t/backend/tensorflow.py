"""TensorFlow implementations of the functions in `__init__.py`."""

import contextlib

import tensorflow as tf

from keras_s4t.backend.selection import write_selected

has_exact_moments = True
exports_itself = True
optimizer_sums = True
no_gradients = contextlib.nullcontext


def default_jit_compile():
    """XLA on GPUs only: on CPUs its convolutions are slower."""
    return "auto" if tf.config.list_physical_devices("GPU") else False


def value_and_grad(fn, inputs):
    """Value, auxiliary output and gradients of `fn(inputs)`."""
    inputs = [tf.convert_to_tensor(x) for x in inputs]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        value, aux = fn(inputs)
    # Zeros for an unconnected input, as on JAX.
    gradients = tape.gradient(value, inputs, unconnected_gradients="zero")
    return value, aux, gradients


def write_if(condition, write, variables):
    """A branch of the graph; with several replicas, a selection."""
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        # Replicas cannot be merged within a branch.
        write_selected(condition, write, variables)
        return

    def branch():
        write()
        return True

    tf.cond(condition, branch, lambda: False)


def apply_scaled(optimizer, gradients, updated):
    """A branch of the optimizer's own: TensorFlow has no pure function."""
    optimizer.apply(gradients, updated)


def replicated(loss):
    """The mean over replicas, which are summed."""
    return loss / tf.distribute.get_strategy().num_replicas_in_sync


def num_replicas():
    """Those of the strategy whose replica is computed."""
    if tf.distribute.in_cross_replica_context():
        return 1
    return tf.distribute.get_strategy().num_replicas_in_sync


def all_reduce(tensors):
    """TensorFlow's own, whose gradient is the sum of gradients."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def num_processes():
    """One: replicas are of one process."""
    return 1


def gather(value):
    """Replicas are of one process here."""
    return [value]


def any_batch_size(sizes):
    """Nothing to do: shares may differ here."""
    return contextlib.nullcontext(True)


def copy_from_first(variables):
    """TensorFlow mirrors variables."""


def checkpoint(fn, *inputs):
    """`fn(*inputs)` with intermediate values recomputed for the gradient."""
    return tf.recompute_grad(fn)(*inputs)


def batch_norm_with_batch_statistics(x, gamma, beta, epsilon):
    """One fused operation, forward and backward."""
    unknown = tf.zeros((0,))
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=gamma,
        offset=beta,
        mean=unknown,
        variance=unknown,
        epsilon=epsilon,
        is_training=True,
    )
    # TensorFlow returns the unbiased variance, Keras uses the biased one.
    count = tf.cast(tf.size(x) / tf.shape(x)[-1], "float32")
    variance = variance * (count - 1) / count
    return outputs, tf.stop_gradient(mean), tf.stop_gradient(variance)


def batch_norm_with_given_statistics(x, mean, variance, gamma, beta, epsilon):
    """One fused operation, which graphs merge into convolutions."""
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=gamma,
        offset=beta,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=False,
    ).y


@contextlib.contextmanager
def full_precision():
    """Within it, float32 products are not rounded to TF32."""
    was_enabled = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(was_enabled)


def multiplies_faster(kernel_size, channels):
    """Its convolutions are as fast."""
    return False


def argmax(x):
    """TensorFlow's own: Keras's tells -0.0 from 0.0 by bits, LiteRT cannot."""
    return tf.argmax(tf.cast(x, "float32"), axis=-1, output_type="int32")


def count_ids(ids, num_ids):
    """A sum over segments; too large ids go to one that is cut off."""
    ids = tf.minimum(ids, num_ids)
    return tf.math.unsorted_segment_sum(tf.ones_like(ids), ids, num_ids + 1)[
        :-1
    ]


def fewer_threads():
    """All threads share one pool here."""
    return contextlib.nullcontext()
