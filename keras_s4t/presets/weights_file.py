"""Weight files of Keras, without optimizers and in float16."""

import pathlib
import tempfile
import zipfile

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


def write_compact_model(source, target, dtype=None):
    """As `write_compact`, of the weights in a `.keras` file.

    Args:
        source: path. What `keras.Model.save` has written.
        target: path.
        dtype: As that of `write_compact`.
    """
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
        tempfile.TemporaryDirectory() as folder,
    ):
        for name in old.namelist():
            path = old.extract(name, folder)
            if name.endswith(".weights.h5"):
                compact = pathlib.Path(folder, f"compact.{name}")
                write_compact(path, compact, dtype)
                path = compact
            new.write(path, name)


def _fits(array):
    if array.dtype != "float32" or not array.size:
        return False
    largest = np.abs(array).max()
    return largest == 0 or SMALLEST <= largest <= LARGEST
