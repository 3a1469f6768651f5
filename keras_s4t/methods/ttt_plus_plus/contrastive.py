"""Contrastive losses of two views of the same images."""

from keras import ops

from keras_s4t.vectors import unit


def nt_xent(views, temperature=0.5):
    """Normalized temperature-scaled cross-entropy (the loss of SimCLR).

    Both views of an image are a positive pair, views of different images are
    negatives. Their logits are cosines of the embeddings.

    Args:
        views: Tensor of shape `(2 * batch_size, channels)`, embeddings of one
            view of every image, then of the other in the same order. They are
            normalized.
        temperature: Positive float. Divisor of the cosines.

    Returns:
        Float32 scalar, in nats per view; 0 for a single image, which has no
        negatives.

    References:
    - [Chen et al., 2020](https://arxiv.org/abs/2002.05709)
    """
    views = unit(ops.cast(views, "float32"))
    num_views = ops.shape(views)[0]
    logits = ops.matmul(views, ops.transpose(views)) / temperature
    indices = ops.arange(num_views)
    # No view is its own candidate.
    logits = ops.where(indices[:, None] == indices, -1e9, logits)
    first, second = views[: num_views // 2], views[num_views // 2 :]
    # The same for both views of an image.
    positives = ops.sum(first * second, axis=-1) / temperature
    return ops.mean(ops.logsumexp(logits, axis=-1)) - ops.mean(positives)
