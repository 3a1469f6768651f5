from keras import ops


def keep_nan(values, fn):
    """`fn(values)`, with NaN where the values are NaN.

    Compiled maxima, minima and sigmoids may turn NaN into a number on JAX: a
    network that is lost would predict 0 meters.

    Args:
        values: Tensor of any dtype, cast to float32.
        fn: Function from a float32 tensor to one of the same shape.

    Returns:
        Float32 tensor.
    """
    values = ops.cast(values, "float32")
    return ops.where(ops.isnan(values), values, fn(values))
