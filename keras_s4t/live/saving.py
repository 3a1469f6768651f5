"""State of a live adapter in a folder, whole or not at all."""

import json
import os
import pathlib
import shutil

import keras
import numpy as np

from keras_s4t.files import atomic_path
from keras_s4t.version import __version__

CURRENT, ADAPTER = "current", "adapter.keras"
ARRAYS, VALUES = "arrays.npz", "values.json"
_UNFINISHED = ".unfinished"


def save_state(folder, adapter, values, arrays):
    """Writes a state beside the previous one, and then replaces it.

    A process that is killed meanwhile leaves the previous state.

    Args:
        folder: string or path. It is created if needed.
        adapter: `TargetAdapter`.
        values: dict that JSON can hold.
        arrays: dict from name to array.

    Raises:
        OSError: If the state cannot be written, such as on a full disk. The
            previous state stays.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    previous = _current(folder)
    number = 0 if previous is None else int(previous.split("_")[1]) + 1
    name = f"state_{number}"
    unfinished = folder / _UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(folder / name, ignore_errors=True)
    unfinished.mkdir()
    try:
        adapter.save(unfinished / ADAPTER)
        np.savez(unfinished / ARRAYS, **arrays)
        content = {"version": __version__, **values}
        (unfinished / VALUES).write_text(json.dumps(content))
        for path in unfinished.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(unfinished, folder / name)
        with atomic_path(folder / CURRENT) as path:
            path.write_text(name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    if previous is not None:
        shutil.rmtree(folder / previous, ignore_errors=True)


def load_state(folder):
    """What `save_state` was given.

    Args:
        folder: string or path.

    Returns:
        Tuple of a compiled `TargetAdapter`, a dict of values and a dict of
        arrays.

    Raises:
        ValueError: If the folder holds no complete state.
    """
    folder = pathlib.Path(folder)
    name = _current(folder)
    if name is None:
        raise ValueError(
            "`folder` must be one that `LiveAdapter.save` has written. "
            f"Received: folder={str(folder)!r}"
        )
    try:
        adapter = keras.saving.load_model(folder / name / ADAPTER)
        values = json.loads((folder / name / VALUES).read_text())
        with np.load(folder / name / ARRAYS) as file:
            arrays = dict(file)
    except Exception as error:
        raise ValueError(
            "The files of a state must be those that `LiveAdapter.save` has "
            f"written. Received: {str(folder / name)!r} "
            f"({type(error).__name__}: {error})"
        ) from error
    return adapter, values, arrays


def _current(folder):
    try:
        name = (folder / CURRENT).read_text().strip()
    except OSError:
        return None
    return name if (folder / name).is_dir() else None


def flat(prefix, arrays):
    """A dict or list of arrays as entries whose names begin with a prefix."""
    pairs = arrays.items() if isinstance(arrays, dict) else enumerate(arrays)
    return {f"{prefix}/{key}": value for key, value in pairs}


def unflat_dict(prefix, arrays):
    """The dict that `flat` was given."""
    start = f"{prefix}/"
    return {
        key.removeprefix(start): value
        for key, value in arrays.items()
        if key.startswith(start)
    }


def unflat_list(prefix, arrays):
    """The list that `flat` was given."""
    found = unflat_dict(prefix, arrays)
    return [found[str(i)] for i in range(len(found))]
