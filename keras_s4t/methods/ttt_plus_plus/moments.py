"""First and second moments of features, and distances between them.

All results are float32 and computed in float32, whatever the dtype of the
features. Covariances are unbiased. The covariance of one sample is 0, not NaN.
"""

from keras import ops


def mean_and_covariance(samples, valid=None):
    """Mean and unbiased covariance of vectors.

    Args:
        samples: Tensor of shape `(num_samples, channels)`.
        valid: Optional tensor of shape `(num_samples,)`, 1 for valid samples,
            0 for others.

    Returns:
        Pair of float32 tensors, of shapes `(channels,)` and
        `(channels, channels)`.
    """
    samples = ops.cast(samples, "float32")
    if valid is None:
        valid = ops.ones_like(samples[:, 0])
    weights = ops.cast(valid, "float32")[:, None]
    count = ops.sum(weights)
    mean = ops.sum(weights * samples, axis=0) / ops.maximum(count, 1.0)
    centered = weights * (samples - mean)
    scatter = ops.matmul(ops.transpose(centered), centered)
    return mean, scatter / ops.maximum(count - 1, 1.0)


def mean_distance(first, second):
    """Squared difference of two means, averaged over the channels."""
    return ops.mean(ops.square(_difference(first, second)))


def coral_distance(first, second):
    """Correlation alignment (CORAL) distance of two covariances.

    The squared Frobenius norm of the difference over `4 * channels**2`.

    References:
    - [Sun and Saenko, 2016](https://arxiv.org/abs/1607.01719)
    """
    return ops.mean(ops.square(_difference(first, second))) / 4


def moment_distances(first, second):
    """Distances of two pairs of moments, each a mean and a covariance.

    A float32 tensor of shape `(2,)`: `mean_distance`, `coral_distance`.
    """
    return ops.stack(
        [
            mean_distance(first[0], second[0]),
            coral_distance(first[1], second[1]),
        ]
    )


def _difference(first, second):
    return ops.cast(first, "float32") - ops.cast(second, "float32")
