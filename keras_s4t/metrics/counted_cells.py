"""Counts of pixels per cell that stay exact beyond the digits of float32."""

import math

import keras
from keras import ops

from keras_s4t.backend import count_ids

# Float32 counts no further than 2**24 by ones. Whole pixels are counted in
# int32 and kept as blocks of this many and a rest, both of them exact.
BLOCK = 2**20


def count_cells(cells, weights, num_cells):
    """Pixels of weight 1 per cell, in int32, and the sum of the others.

    Args:
        cells: Int32 tensor, the cell of every pixel. Negative ones do not
            count.
        weights: Float32 tensor of the same size, or `None` for weights of 1.
        num_cells: int or int tensor. Number of cells.

    Returns:
        Int32 and float32 tensors of shape `(num_cells,)`.
    """
    cells = ops.reshape(cells, (-1,))
    if weights is None:
        return count_ids(cells, num_cells), ops.zeros((num_cells,))
    weights = ops.reshape(weights, (-1,))
    is_whole = weights == 1
    sums = ops.segment_sum(
        ops.where(ops.logical_or(cells < 0, is_whole), 0.0, weights),
        ops.maximum(cells, 0),
        num_segments=num_cells,
    )
    return count_ids(ops.where(is_whole, cells, -1), num_cells), sums


def add_counts(blocks, rest, counts, sums, is_lost):
    """Adds counts to a pair of variables, `blocks * BLOCK + rest`.

    Args:
        blocks: Float32 variable of any shape.
        rest: Float32 variable of that shape. It becomes NaN if `is_lost`.
        counts: Int32 tensor of that shape, counted pixels.
        sums: Float32 tensor of that shape, weights of other pixels.
        is_lost: Bool scalar.
    """
    total = rest + sums + ops.cast(counts % BLOCK, "float32")
    full = ops.floor(total / BLOCK)
    rest.assign(ops.where(is_lost, math.nan, total - full * BLOCK))
    blocks.assign_add(ops.cast(counts // BLOCK, "float32") + full)


class CountedCells(keras.Metric):
    """Base class of metrics that follow from how many pixels each cell has.

    Its state does not grow: two float32 numbers per cell.

    Args:
        num_cells: int. Number of cells.
        name: str. Name of the metric in logs.
    """

    def __init__(self, num_cells, name):
        super().__init__(dtype="float32", name=name)
        self.num_cells = num_cells
        shape = (num_cells,)
        self._blocks = self.add_variable(
            shape, "zeros", "float32", name="blocks"
        )
        self._rest = self.add_variable(shape, "zeros", "float32", name="rest")

    def add_cells(self, cells, weights, is_lost):
        """Adds pixels, as `count_cells` and `add_counts` take them."""
        counts, sums = count_cells(cells, weights, self.num_cells)
        add_counts(self._blocks, self._rest, counts, sums, is_lost)

    @property
    def cell_weights(self):
        """Weight of the pixels of every cell, float32 `(num_cells,)`."""
        return self._blocks * BLOCK + self._rest

    @property
    def is_lost(self):
        """Whether the prediction of a pixel that counts was not a number."""
        # A compiled sum or maximum may lose NaN on JAX.
        return ops.any(ops.isnan(self._rest))

    def get_config(self):
        """The arguments of the constructor."""
        return {"name": self.name}


def ratio_or_nan(part, whole):
    """`part / whole`; NaN where the whole is 0."""
    whole = ops.convert_to_tensor(whole)
    ratio = part / ops.where(whole == 0, 1.0, whole)
    return ops.where(whole == 0, math.nan, ratio)
