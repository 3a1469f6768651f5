"""Where the values of PyTorch tensors go in Keras variables."""

import dataclasses
from collections.abc import Callable

import numpy as np

# For a Keras variable of so many axes: which axis of the tensor each one is.
# Kernels are (out, in) and (out, in, height, width) in PyTorch.
AXES = {1: (0,), 2: (1, 0), 3: (0, 1, 2), 4: (2, 3, 1, 0)}


@dataclasses.dataclass(frozen=True)
class TensorMap:
    """What a tensor holds.

    Attributes:
        shape: Tuple of ints, the shape of the tensor.
        split: `split(values)`, list of pairs of a variable and its values,
            from a NumPy array of that shape.
    """

    shape: tuple
    split: Callable


def single(variable):
    """The tensor of one variable."""
    axes = AXES[len(variable.shape)]
    shape = tuple(variable.shape[i] for i in np.argsort(axes))
    return TensorMap(shape, lambda x: [(variable, np.transpose(x, axes))])


def stacked(maps, axis):
    """A tensor that is others side by side along an axis."""
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
    """A tensor that is another one in a different shape."""
    return TensorMap(tuple(shape), lambda x: part.split(x.reshape(part.shape)))
