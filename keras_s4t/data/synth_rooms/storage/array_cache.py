"""A resumable cache of the arrays of a whole split."""

import pathlib

from keras_s4t.data.synth_rooms.storage.array_file import ArrayFile

EXAMPLES_PER_PART = 256


class ArrayCache:
    """Files of one split.

    Parts are stored until the file of the whole split is written.

    Args:
        folder: str or path. Created when the first file is written.
        name: str, the file's name without suffix.
        fingerprint: str that identifies the parameters of the arrays.
        specs: dict of `(shape of one example, dtype)` by array name.
        count: int, number of examples.
    """

    def __init__(self, folder, name, fingerprint, specs, count):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.fingerprint = fingerprint
        self.specs = specs
        self.count = count
        self.whole = self._file(f"{name}.npz", count)
        self.parts = {
            examples: self._file(
                f"{name}.{examples.start:06d}-{examples.stop:06d}.npz",
                len(examples),
            )
            for examples in _parts(count)
        }

    def finish(self, arrays):
        """Writes the whole split, then deletes the parts."""
        self.whole.write(arrays)
        for part in self.parts.values():
            part.delete()

    def _file(self, name, count):
        path = self.folder / name
        return ArrayFile(path, self.fingerprint, self.specs, count)


def _parts(count):
    starts = range(0, count, EXAMPLES_PER_PART)
    return [range(i, min(i + EXAMPLES_PER_PART, count)) for i in starts]
