"""Maps from PyTorch tensors to Keras variables."""

import dataclasses
from collections.abc import Callable

import numpy as np

# Transposition of a PyTorch tensor to a Keras variable, by number of axes.
# Kernels are (out, in) and (out, in, height, width) in PyTorch.
AXES = {1: (0,), 2: (1, 0), 3: (0, 1, 2), 4: (2, 3, 1, 0)}


@dataclasses.dataclass(frozen=True)
class TensorMap:
    """Maps a tensor to one or several variables.

    Attributes:
        shape: Tuple of ints, the shape of the tensor.
        split: Function from a NumPy array of that shape to a list of pairs of
            a variable and its values.
    """

    shape: tuple
    split: Callable


def single(variable):
    """Map of a tensor to one variable."""
    axes = AXES[len(variable.shape)]
    shape = tuple(variable.shape[i] for i in np.argsort(axes))
    return TensorMap(shape, lambda x: [(variable, np.transpose(x, axes))])


def stacked(maps, axis):
    """Map of the concatenation of several tensors along an axis."""
    ends = np.cumsum([part.shape[axis] for part in maps])
    shape = list(maps[0].shape)
    shape[axis] = int(ends[-1])

    def split(x):
        parts = np.split(x, ends[:-1], axis)
        return [
            pair
            for part, values in zip(maps, parts, strict=True)
            for pair in part.split(values)
        ]

    return TensorMap(tuple(shape), split)


def reshaped(part, shape):
    """Map of a tensor that is reshaped before `part` maps it."""
    return TensorMap(tuple(shape), lambda x: part.split(x.reshape(part.shape)))
