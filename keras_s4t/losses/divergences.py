"""Unsupervised losses of dense predictions, averaged over the pixels.

Every function returns a float32 scalar, computed in float32 whatever the
dtype of the prediction: the mean over all axes but the last, which holds the
channels of one pixel. A divergence is at least 0, and 0 for equal arguments.
Both arguments receive gradients; use `ops.stop_gradient` for a fixed target.
"""

from keras import ops

from keras_s4t.checks import same_shape
from keras_s4t.vectors import shortened


def softmax_entropy(logits):
    """Shannon entropy of class predictions.

    Args:
        logits: Tensor of shape `(batch_size, height, width, num_classes)`.

    Returns:
        Float32 scalar in `[0, log(num_classes)]`, in nats per pixel.
    """
    log_p = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return _mean_over_pixels(-ops.exp(log_p) * log_p)


def softmax_kl_divergence(logits, reference_logits):
    """Kullback-Leibler divergence of class predictions from a reference.

    Per pixel `sum_c p_c (log p_c - log r_c)` with `p` the prediction and `r`
    the reference: "reverse" where the reference is the target.

    Args:
        logits: Tensor of shape `(batch_size, height, width, num_classes)`.
        reference_logits: Tensor of the same shape.

    Returns:
        Float32 scalar, in nats per pixel.

    Raises:
        ValueError: If the shapes differ.
    """
    logits, reference_logits = _in_float32(logits, reference_logits)
    log_p = ops.log_softmax(logits, axis=-1)
    log_reference = ops.log_softmax(reference_logits, axis=-1)
    return _mean_over_pixels(ops.exp(log_p) * (log_p - log_reference))


def bernoulli_kl_divergence(logits, reference_logits):
    """Kullback-Leibler divergence of binary predictions from a reference.

    Args:
        logits: Tensor of shape `(batch_size, height, width, channels)`, the
            log-odds of one binary prediction per channel.
        reference_logits: Tensor of the same shape.

    Returns:
        Float32 scalar, summed over channels, in nats per pixel.

    Raises:
        ValueError: If the shapes differ.
    """
    logits, reference_logits = _in_float32(logits, reference_logits)
    # Both outcomes from logits: `1 - sigmoid(x)` loses its digits at large x.
    return _mean_over_pixels(
        sum(
            ops.sigmoid(sign * logits)
            * (
                ops.log_sigmoid(sign * logits)
                - ops.log_sigmoid(sign * reference_logits)
            )
            for sign in (1.0, -1.0)
        )
    )


def gaussian_kl_divergence(outputs, reference, sigma=1.0):
    """Kullback-Leibler divergence of Gaussians with one fixed deviation.

    Per pixel `sum_c (outputs_c - reference_c)^2 / (2 sigma^2)`.

    Args:
        outputs: Tensor of shape `(batch_size, height, width, channels)`, the
            means of the prediction.
        reference: Tensor of the same shape, the means of the reference.
        sigma: Positive float. Standard deviation, in the unit of the outputs.

    Returns:
        Float32 scalar, in nats per pixel.

    Raises:
        ValueError: If the shapes differ or `sigma` is not positive.
    """
    if not sigma > 0:
        raise ValueError(f"`sigma` must be positive. Received: sigma={sigma}")
    outputs, reference = _in_float32(outputs, reference)
    return _mean_over_pixels(ops.square((outputs - reference) / sigma) / 2)


def direction_divergence(vectors, reference):
    """One minus the cosine between vectors along the channel axis.

    Computed as half the squared distance of the unit vectors, which is equal
    but accurate for small angles, where the cosine rounds to 1. It is also the
    divergence of Gaussians around the unit vectors.

    Args:
        vectors: Tensor of shape `(batch_size, height, width, channels)`, of
            any length per pixel. It is divided by its norm, or by 0.01 if
            that is larger, which bounds the gradient.
        reference: Tensor of the same shape, of any length per pixel.

    Returns:
        Float32 scalar in `[0, 2]`.

    Raises:
        ValueError: If the shapes differ.
    """
    vectors, reference = _in_float32(vectors, reference)
    return gaussian_kl_divergence(shortened(vectors), shortened(reference))


def _in_float32(outputs, reference):
    if not same_shape(reference.shape, outputs.shape):
        raise ValueError(
            "A prediction and its reference must have one shape. Received: "
            f"shapes {tuple(outputs.shape)} and {tuple(reference.shape)}"
        )
    return ops.cast(outputs, "float32"), ops.cast(reference, "float32")


def _mean_over_pixels(values):
    return ops.mean(ops.sum(values, axis=-1))
