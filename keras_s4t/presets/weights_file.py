"""Weight files of Keras, without optimizers and in float16."""

import h5py
import numpy as np

# The magnitudes that float16 holds to 11 bits.
SMALLEST, LARGEST = 2.0**-14, 65504.0


def write_compact(source, target, dtype=None):
    """Copies a weights file without what no preset needs.

    Args:
        source: path. A weights file of Keras, which casts what it loads.
        target: path.
        dtype: Optional `"float16"`, to cast the float32 arrays whose largest
            magnitude it holds to its full precision.
    """
    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:

        def copy(name, item):
            if name.split("/")[0] == "optimizer":
                return
            if isinstance(item, h5py.Group):
                made = new.require_group(name)
            else:
                array = item[()]
                if dtype is not None and _fits(array):
                    array = array.astype(dtype)
                made = new.create_dataset(name, data=array)
            made.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)


def _fits(array):
    if array.dtype != "float32" or not array.size:
        return False
    largest = np.abs(array).max()
    return largest == 0 or SMALLEST <= largest <= LARGEST
