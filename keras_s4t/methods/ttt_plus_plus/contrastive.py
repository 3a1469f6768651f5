"""Contrastive losses of two views of the same images."""

from keras import ops


def nt_xent(views, temperature=0.5):
    """Normalized temperature-scaled cross-entropy (the loss of SimCLR).

    Every view is to be told from the views of other images as the partner of
    the other view of its image, by the cosine of their embeddings.

    Args:
        views: Tensor of shape `(2 * batch_size, channels)`, embeddings of any
            length: one view of every image, then, in the same order, another.
        temperature: Positive float, by which the cosines are divided.

    Returns:
        Float32 scalar, in nats per view: 0 for a single image, which has
        nothing to be told from.

    References:
    - [Chen et al., 2020](https://arxiv.org/abs/2002.05709)
    """
    views = ops.cast(views, "float32")
    squared = ops.sum(ops.square(views), axis=-1, keepdims=True)
    # A zero vector has no direction: its gradient must not be NaN.
    views = views * ops.rsqrt(ops.maximum(squared, 1e-12))
    num_views = ops.shape(views)[0]
    logits = ops.matmul(views, ops.transpose(views)) / temperature
    indices = ops.arange(num_views)
    # No view is its own candidate.
    logits = ops.where(indices[:, None] == indices, -1e9, logits)
    first, second = views[: num_views // 2], views[num_views // 2 :]
    # The same for both views of an image.
    positives = ops.sum(first * second, axis=-1) / temperature
    return ops.mean(ops.logsumexp(logits, axis=-1)) - ops.mean(positives)
