"""State of a live adapter in a folder, whole or not at all."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import warnings

import keras
import numpy as np

from keras_s4t.files import atomic_path
from keras_s4t.version import __version__

CURRENT, ADAPTER = "current", "adapter.keras"
ARRAYS, VALUES = "arrays.npz", "values.json"
FILES = {ADAPTER, ARRAYS, VALUES}
# What the values of every state have.
KEYS = (
    "arguments",
    "counts",
    "distance",
    "estimates",
    "failures",
    "frame_id",
    "frame_size",
    "history",
    "measured",
    "missed",
    "num_skipped",
    "num_unchecked",
    "num_windows",
    "observed",
    "pause",
    "predicts",
    "rng",
    "since_update",
    "skipped_frames",
)
_STATE = re.compile("state_(0|[1-9][0-9]*)")
_UNFINISHED = ".unfinished"


def save_state(folder, adapter, values, arrays):
    """Writes a state beside the previous one, and then replaces it.

    A process that is killed meanwhile leaves the previous state. What it began
    is removed by the next one. Nothing else in the folder is touched.

    Args:
        folder: string or path. It is created if needed.
        adapter: `TargetAdapter`.
        values: dict that JSON can hold.
        arrays: dict from name to array.

    Raises:
        ValueError: If `folder` is a file, or has a file `current` of others.
        OSError: If the state cannot be written, such as on a full disk. The
            previous state stays.
    """
    folder = pathlib.Path(folder)
    _make_folder(folder)
    states = _states(folder)
    _check_current(folder, states)
    name = f"state_{max(states, default=-1) + 1}"
    unfinished = folder / _UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        adapter.save(unfinished / ADAPTER)
        np.savez(unfinished / ARRAYS, **arrays)
        content = {"version": __version__, **values}
        (unfinished / VALUES).write_text(json.dumps(content))
        for path in unfinished.iterdir():
            _sync(path)
        _sync(unfinished)
        os.replace(unfinished, folder / name)
        # Without these, a power cut may leave the new name of a state that is
        # not there, or an empty file.
        _sync(folder)
        with atomic_path(folder / CURRENT) as path:
            path.write_text(name)
            _sync(path)
        _sync(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    for path in states.values():
        if _is_ours(path):
            # Removed under this name, it is never taken for a state.
            with contextlib.suppress(OSError):
                os.replace(path, unfinished)
            shutil.rmtree(unfinished, ignore_errors=True)
    for path in folder.iterdir():
        if re.fullmatch(rf"\.[0-9]+\.{CURRENT}", path.name):
            with contextlib.suppress(OSError):
                path.unlink()


def load_state(folder):
    """What `save_state` was given.

    Args:
        folder: string or path.

    Returns:
        Tuple of a compiled `TargetAdapter`, a dict of values and a dict of
        arrays.

    Raises:
        ValueError: If the folder holds no complete state, or one of a version
            that cannot be read.
    """
    folder = pathlib.Path(folder)
    path = _current(folder)
    if path is None:
        raise ValueError(
            "`folder` must be one that `LiveAdapter.save` has written. "
            f"Received: folder={str(folder)!r}"
        )
    with reading(path, Exception):
        values = _read_values(path)
    _check_version(values, path)
    with reading(path, Exception):
        _check_keys(values)
        adapter = keras.saving.load_model(path / ADAPTER)
        with np.load(path / ARRAYS) as file:
            arrays = dict(file)
    return adapter, values, arrays


@contextlib.contextmanager
def reading(
    folder, errors=(KeyError, IndexError, TypeError, ValueError, AttributeError)
):
    """Turns errors over what a state holds into those that are documented.

    Args:
        folder: string or path, for the error.
        errors: Class or tuple of classes of errors to turn.

    Raises:
        ValueError: If the body raises one of `errors`. It says so if a class
            is not registered.

    Example:

    ```python
    adapter, values, arrays = load_state(folder)
    with reading(folder):
        adaptation.set_state(values, arrays)
    ```
    """
    try:
        yield
    except errors as error:
        text = f"{type(error).__name__}: {error}"
        hint = ""
        if re.search("deserializ|could not locate", text, re.IGNORECASE):
            hint = (
                " A class of one's own must be registered by `keras.saving."
                "register_keras_serializable`, and its module imported before."
            )
        raise ValueError(
            "The files of a state must be those that `LiveAdapter.save` has "
            f"written.{hint} Received: {str(folder)!r} ({text})"
        ) from error


def _make_folder(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(
            "`folder` must be a folder, or new. "
            f"Received: folder={str(folder)!r} ({error})"
        ) from error


def _states(folder):
    """Paths named as states are, by their numbers."""
    if not folder.is_dir():
        return {}
    return {
        int(path.name.split("_")[1]): path
        for path in folder.iterdir()
        if _STATE.fullmatch(path.name)
    }


def _names_in(path):
    if path.is_symlink() or not path.is_dir():
        return set()
    return {item.name for item in path.iterdir()}


def _is_ours(path):
    """Whether a folder holds files of a state, and nothing else."""
    names = _names_in(path)
    return bool(names) and names <= FILES


def _is_complete(path):
    return _names_in(path) >= FILES


def _text_of_current(folder):
    try:
        return (
            (folder / CURRENT).read_bytes().decode("latin-1").strip("\0 \t\r\n")
        )
    except OSError:
        return ""


def _check_current(folder, states):
    # Empty after a power cut. Of anything else, a state beside it says that it
    # is not of others.
    text = _text_of_current(folder)
    is_known = not text or _STATE.fullmatch(text)
    if (folder / CURRENT).is_dir() or not (
        is_known or any(map(_is_complete, states.values()))
    ):
        raise ValueError(
            "`folder` must be new, or one that `LiveAdapter.save` has written. "
            f"Received: folder={str(folder)!r} with {CURRENT!r} of others"
        )


def _current(folder):
    """The path of the state to read, or `None`."""
    text = _text_of_current(folder)
    if _STATE.fullmatch(text) and _is_complete(folder / text):
        return folder / text
    complete = {k: v for k, v in _states(folder).items() if _is_complete(v)}
    if not complete:
        return None
    path = complete[max(complete)]
    warnings.warn(
        f"{folder / CURRENT} must name a complete state. The last complete one "
        f"is read: {path.name}. Received: {text!r}",
        stacklevel=4,
    )
    return path


def _read_values(path):
    values = json.loads((path / VALUES).read_text())
    if not isinstance(values, dict):
        raise TypeError(f"{VALUES} holds a {type(values).__name__}")
    return values


def _check_version(values, path):
    version = values.get("version")
    series = __version__.rpartition(".")[0]
    if str(version).rpartition(".")[0] != series:
        raise ValueError(
            f"A state must be of a version {series}.x to be read by "
            f"keras_s4t {__version__}. Received: {str(path)!r} of version "
            f"{version!r}"
        )


def _check_keys(values):
    missing = [key for key in KEYS if key not in values]
    if missing:
        raise KeyError(f"{VALUES} has no {', '.join(missing)}")


def _sync(path):
    is_folder = path.is_dir()
    # Not every system opens or syncs folders.
    errors = (OSError,) if is_folder else ()
    with contextlib.suppress(*errors):
        descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
