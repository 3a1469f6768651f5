"""A resumable cache of the arrays of a whole split."""

import pathlib
import warnings

import numpy as np

from keras_s4t.files import atomic_path

EXAMPLES_PER_PART = 256
FINGERPRINT_KEY = "fingerprint"


class ArrayCache:
    """Files of one split, which are checked when they are read.

    Parts are stored until the file of the whole split is written.

    Args:
        folder: str or path. Created when the first file is written.
        name: str, the file's name without suffix.
        fingerprint, specs, count: see `ArrayFile`.
    """

    def __init__(self, folder, name, fingerprint, specs, count):
        folder = pathlib.Path(folder)
        self.whole = ArrayFile(
            folder / f"{name}.npz", fingerprint, specs, count
        )
        self.parts = {}
        for start in range(0, count, EXAMPLES_PER_PART):
            part = range(start, min(start + EXAMPLES_PER_PART, count))
            path = folder / f"{name}.{start:06d}-{part.stop:06d}.npz"
            self.parts[part] = ArrayFile(path, fingerprint, specs, len(part))

    def finish(self, arrays):
        """Writes the whole split, then deletes the parts."""
        self.whole.write(arrays)
        for part in self.parts.values():
            part.path.unlink(missing_ok=True)


class ArrayFile:
    """An `.npz` file of examples, stacked along the first axis.

    Args:
        path: `pathlib.Path`.
        fingerprint: str that identifies the parameters of the arrays.
        specs: dict of `(shape of one example, dtype)` by array name.
        count: int, number of examples.
    """

    def __init__(self, path, fingerprint, specs, count):
        self.path = path
        self.fingerprint = fingerprint
        self.specs = specs
        self.count = count

    def read(self):
        """Reads the arrays if the file exists and is valid.

        An invalid file is reported with a warning.

        Returns:
            dict of arrays, or `None`.
        """
        try:
            return self._checked_arrays()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Exception as error:
            # Damaged archives raise many types of errors in zipfile, zlib and
            # NumPy's header parser.
            warnings.warn(
                f"The cached file {self.path} is damaged or foreign and is "
                f"rendered again ({type(error).__name__}: {error}).",
                stacklevel=4,
            )
            return None

    def write(self, arrays):
        """Writes the arrays, atomically."""
        fingerprint = {FINGERPRINT_KEY: np.array(self.fingerprint)}
        with atomic_path(self.path) as path:
            np.savez(path, **arrays, **fingerprint)

    def _checked_arrays(self):
        with self.path.open("rb") as file:
            # Reading an array completely verifies its CRC-32.
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        fingerprint = str(arrays.pop(FINGERPRINT_KEY))
        if fingerprint != self.fingerprint:
            raise ValueError(
                f"fingerprint {fingerprint!r} instead of {self.fingerprint!r}"
            )
        found = {name: (a.shape, a.dtype) for name, a in arrays.items()}
        expected = {
            name: ((self.count, *shape), np.dtype(dtype))
            for name, (shape, dtype) in self.specs.items()
        }
        if found != expected:
            raise ValueError(f"arrays {found} instead of {expected}")
        return arrays
