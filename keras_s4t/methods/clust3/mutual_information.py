"""Mutual information of soft cluster assignments and samples."""

import math

from keras import ops


def mutual_information_loss(logits, legacy_kl=False):
    """Negative mutual information of clusters and samples.

    The loss is `mean_n H(p_n) - H(mean_n p_n)`, where `p_n` is the softmax of
    sample `n` and `H` the entropy in nats. It is low if every sample belongs to
    one cluster and all clusters are equally large.

    Args:
        logits: Tensor of shape `(num_samples, ..., num_clusters)`. The axes in
            between are independent clusterings.
        legacy_kl: bool. Whether the second term is
            `KL(U || q) / num_clusters` as in the authors' code, instead of
            `-H(mean_n p_n)` as in the paper. `U` is the uniform distribution
            and `q` the softmax of the mean logits.

    Returns:
        float32 tensor of shape `logits.shape[1:-1]`, a scalar for one
        clustering. Values are in `[-log(num_clusters), 0]`, or not negative
        with `legacy_kl`.

    Raises:
        ValueError: If `logits` has fewer than two axes.

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
    # In the log domain, since the mean of probabilities can underflow.
    num_samples = ops.cast(ops.shape(logits)[0], "float32")
    log_marginal = ops.logsumexp(log_p, axis=0) - ops.log(num_samples)
    return conditional - _entropy(log_marginal)


def _entropy(log_p):
    return -ops.sum(ops.exp(log_p) * log_p, axis=-1)
