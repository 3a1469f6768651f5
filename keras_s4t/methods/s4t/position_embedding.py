import numpy as np


def sine_position_embedding(grid_size, hidden_dim):
    """Fixed two-dimensional sine-cosine position embedding.

    The first half of the channels encodes the column, the second half the row,
    each as `[sin(p * w), cos(p * w)]` with `w_k = 10000 ** (-4 k / hidden_dim)`
    for `k = 0 ... hidden_dim / 4 - 1`.

    Args:
        grid_size: Pair of ints, rows and columns of the token grid.
        hidden_dim: int. Channels; a multiple of 4.

    Returns:
        A float32 NumPy array of shape `(rows * columns, hidden_dim)`, tokens in
        row-major order.

    Raises:
        ValueError: If `hidden_dim` is not a multiple of 4.
    """
    if hidden_dim % 4:
        raise ValueError(
            "`hidden_dim` must be a multiple of 4. "
            f"Received: hidden_dim={hidden_dim}"
        )
    rows, columns = np.meshgrid(*map(np.arange, grid_size), indexing="ij")
    frequencies = 10000.0 ** (-np.arange(hidden_dim // 4) / (hidden_dim // 4))

    def encode(positions):
        angles = positions.reshape(-1, 1) * frequencies
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)

    embedding = np.concatenate([encode(columns), encode(rows)], axis=-1)
    return embedding.astype("float32")
