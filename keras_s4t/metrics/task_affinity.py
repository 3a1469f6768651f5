"""How alike the latents of tasks are, in NumPy."""

import numpy as np


def cosine_affinity(latents):
    """Mean cosine similarity of the latents of every two tasks.

    `A[i, j]` is the mean over images and positions of the cosine of the angle
    between the latents of the tasks `i` and `j` (Figure 6 of the S4T paper).
    It compares channels one by one, though those of two tasks need not mean the
    same: see `linear_cka`.

    Args:
        latents: dict from task name to an array of shape `(batch_size, height,
            width, channels)`, the same for all tasks.

    Returns:
        Float64 array of shape `(num_tasks, num_tasks)` in [-1, 1], symmetric,
        in the order of the dict.

    Raises:
        ValueError: If there is no task, or shapes differ.
    """
    units = []
    for rows in _as_rows(latents):
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        units.append(rows / np.maximum(length, np.finfo("float64").tiny))
    return np.array(
        [[np.mean(np.sum(a * b, axis=1)) for b in units] for a in units]
    )


def linear_cka(latents):
    """Linear centered kernel alignment of the latents of every two tasks.

    `|X_i^T X_j|^2 / (|X_i^T X_i| |X_j^T X_j|)` with Frobenius norms and
    centered latents, a row per position. It does not change when the channels
    of a task are rotated or scaled.

    Args:
        latents: As that of `cosine_affinity`; channels may differ.

    Returns:
        Float64 array of shape `(num_tasks, num_tasks)` in [0, 1], symmetric, in
        the order of the dict. NaN where a latent is constant.

    Raises:
        ValueError: If there is no task, or sizes differ.

    References:
    - Kornblith et al., "Similarity of Neural Network Representations
      Revisited", ICML 2019, Equation 6.
    """
    centered = [
        rows - rows.mean(axis=0)
        for rows in _as_rows(latents, same_channels=False)
    ]
    products = np.array(
        [[np.sum(np.square(a.T @ b)) for b in centered] for a in centered]
    )
    own = np.sqrt(np.diag(products))
    with np.errstate(invalid="ignore"):
        return products / np.outer(own, own)


def _as_rows(latents, same_channels=True):
    arrays = [np.asarray(value, "float64") for value in latents.values()]
    end = None if same_channels else -1
    if not arrays or len({array.shape[:end] for array in arrays}) > 1:
        what = "shape" if same_channels else "batch size, height and width"
        shapes = {name: np.shape(value) for name, value in latents.items()}
        raise ValueError(
            f"`latents` must hold at least one task, all of the same {what}. "
            f"Received: {shapes}"
        )
    return [array.reshape(-1, array.shape[-1]) for array in arrays]
