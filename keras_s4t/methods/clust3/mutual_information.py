"""Mutual information of soft cluster assignments and what is assigned."""

import math

from keras import ops


def mutual_information_loss(logits, legacy_kl=False):
    """Negative mutual information of clusters and samples.

    `mean_n H(p_n) - H(mean_n p_n)` with `p_n` the softmax of sample `n` and
    `H` the entropy in nats: low where every sample has one cluster, and all
    clusters are used equally.

    Args:
        logits: Tensor of shape `(num_samples, num_clusters)`, or with axes in
            between, for clusterings that have nothing to do with each other.
        legacy_kl: bool. Whether the second term is, as in the code of the
            method's authors, `KL(U || q) / num_clusters` with `U` uniform and
            `q` the softmax of the mean logits, instead of the paper's
            `-H(mean_n p_n)`.

    Returns:
        Float32 tensor of shape `logits.shape[1:-1]`, a scalar for one
        clustering, in `[-log(num_clusters), 0]`; with `legacy_kl` at least
        0.

    Raises:
        ValueError: If `logits` has less than two axes.

    References:
    - [Hakim et al., 2023](https://arxiv.org/abs/2310.12345)
    """
    if len(logits.shape) < 2:
        raise ValueError(
            "`logits` must have shape `(num_samples, ..., num_clusters)`. "
            f"Received: logits.shape={tuple(logits.shape)}"
        )
    logits = ops.cast(logits, "float32")
    log_p = ops.log_softmax(logits, axis=-1)
    conditional = ops.mean(_entropy(log_p), axis=0)
    if legacy_kl:
        num_clusters = logits.shape[-1]
        log_q = ops.log_softmax(ops.mean(logits, axis=0), axis=-1)
        divergence = -math.log(num_clusters) - ops.mean(log_q, axis=-1)
        return conditional + divergence / num_clusters
    # The logarithm of a mean that underflows has no gradient to speak of.
    num_samples = ops.cast(ops.shape(logits)[0], "float32")
    log_marginal = ops.logsumexp(log_p, axis=0) - ops.log(num_samples)
    return conditional - _entropy(log_marginal)


def _entropy(log_p):
    return -ops.sum(ops.exp(log_p) * log_p, axis=-1)
