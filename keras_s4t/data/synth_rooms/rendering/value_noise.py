"""Smooth random patterns from a lattice of random values."""

import numpy as np

PERIOD = 32
LATTICE = (
    np.random.Generator(np.random.PCG64(7))
    .random((PERIOD, PERIOD, PERIOD))
    .astype(np.float32)
)


def lattice_value(x, y, z):
    """Random values in `[0, 1)` of integer cells, with a period of 32 cells."""
    return LATTICE[x & (PERIOD - 1), y & (PERIOD - 1), z & (PERIOD - 1)]


def value_noise(points):
    """Trilinear noise in `[0, 1]` at points `(count, 3)` in lattice cells."""
    cell = np.floor(points)
    f = points - cell
    f = f * f * (3 - 2 * f)
    i = cell.astype(np.int32) & (PERIOD - 1)
    j = (i + 1) & (PERIOD - 1)
    total = 0
    for x, weight_x in ((i[:, 0], 1 - f[:, 0]), (j[:, 0], f[:, 0])):
        for y, weight_y in ((i[:, 1], 1 - f[:, 1]), (j[:, 1], f[:, 1])):
            below = (1 - f[:, 2]) * LATTICE[x, y, i[:, 2]]
            above = f[:, 2] * LATTICE[x, y, j[:, 2]]
            total = total + weight_x * weight_y * (below + above)
    return total
