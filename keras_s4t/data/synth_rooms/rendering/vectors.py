"""Products of 3-vectors as explicit sums.

BLAS rounds differently on different processors. Explicit sums do not, so that
rooms have the same pixels on every machine. They also avoid the threads that
BLAS starts even for small matrices.
"""

import numpy as np


def rotate_columns(matrix, vectors):
    """Multiplies a `(3, 3)` matrix with `(3, count)` column vectors."""
    x, y, z = vectors
    return np.stack([r[0] * x + r[1] * y + r[2] * z for r in matrix])


def rotate_rows(vectors, matrix):
    """Multiplies `(count, 3)` row vectors with one matrix or one per vector."""
    x, y, z = vectors.T
    columns = np.moveaxis(matrix, -1, 0)
    return np.stack(
        [x * c[..., 0] + y * c[..., 1] + z * c[..., 2] for c in columns], 1
    )


def products(rows, columns):
    """All scalar products of `(rows, 3)` with `(3, columns)`."""
    return np.einsum("ik,kj->ij", rows, columns)


def dot(vectors, vector):
    """Scalar product over the last axis of `(..., 3)` with one `(3,)`."""
    return (
        vectors[..., 0] * vector[0]
        + vectors[..., 1] * vector[1]
        + vectors[..., 2] * vector[2]
    )
