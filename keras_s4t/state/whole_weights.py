"""Weight files of models with tasks, loaded as a whole or not at all."""

import contextlib
import json
import os
import pathlib
import tempfile
import warnings
import zipfile

import h5py
import numpy as np

from keras_s4t.state.snapshot import Snapshot

# Of Keras, within a `.keras` file.
WEIGHTS = "model.weights.h5"
# Keras numbers variables: no name of one.
NAMES = "tasks"


class WholeWeights:
    """What networks and trainers share for `load_weights`."""

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """As `keras.Model.load_weights`; what is refused changes nothing.

        Keras tells weights of tasks apart by their order alone. The names of
        the tasks are saved with the weights and compared before loading.

        Args:
            filepath: As `keras.Model.load_weights` takes it.
            skip_mismatch: bool. Whether weights that do not fit are skipped
                with a warning. Tasks of other names are warned of, too.
            **kwargs: Passed on to `keras.Model.load_weights`.

        Raises:
            ValueError: If the weights are those of other tasks, of tasks in
                another order, or do not fit.
        """
        with _weights_of(filepath) as weights:
            self._load_weights(weights, filepath, skip_mismatch, **kwargs)

    def _load_weights(self, weights, filepath, skip_mismatch, **kwargs):
        received = saved_task_names(weights)
        expected = [task.name for task in self.tasks]
        if received not in (None, expected):
            text = (
                "The tasks of a file of weights must be those of the network, "
                f"in their order: {expected}. Received: tasks {received} in "
                f"{str(filepath)!r}"
            )
            if not skip_mismatch:
                raise ValueError(text)
            warnings.warn(
                f"{text}. Weights of equal shapes are loaded all the same, by "
                "their order.",
                stacklevel=2,
            )
        optimizer = getattr(self, "optimizer", None)
        before = Snapshot(
            [
                *self.variables,
                *self.metrics_variables,
                *getattr(optimizer, "variables", ()),
            ]
        )
        try:
            super().load_weights(weights, skip_mismatch, **kwargs)
        except BaseException:
            before.restore()
            raise


def save_task_names(store, tasks):
    """Saves the names of tasks with the weights of a network.

    Args:
        store: What `save_own_variables` of the network received.
        tasks: list of `Task`.
    """
    names = json.dumps([task.name for task in tasks])
    store[NAMES] = np.frombuffer(names.encode(), "uint8")


def without_task_names(store):
    """The variables in what `load_own_variables` of a network received."""
    return {key: store[key] for key in store.keys() if key != NAMES}


def saved_task_names(filepath):
    """The names of the tasks of a file of weights.

    Args:
        filepath: string or path, as `keras.Model.load_weights` takes it.

    Returns:
        list of strings; `None` if the file is older than such names, or none
        on this machine.
    """
    if not os.path.isfile(filepath):
        return None
    with _weights_of(filepath) as weights:
        for path in _files(pathlib.Path(weights)):
            with h5py.File(path, "r") as file:
                names = _names(file)
            if names is not None:
                return json.loads(names.tobytes())
    return None


def _names(file):
    # Visiting a whole file takes longer than reading its weights.
    for usual in (f"network/vars/{NAMES}", f"vars/{NAMES}"):
        if usual in file:
            return file[usual][()]

    def find(name, item):
        return item[()] if name.endswith(f"/vars/{NAMES}") else None

    return file.visititems(find)


@contextlib.contextmanager
def _weights_of(filepath):
    """A file of weights, taken out of a `.keras` file.

    Within the archive every seek of HDF5 reads from its beginning.
    """
    with tempfile.TemporaryDirectory() as folder:
        if str(filepath).endswith(".keras") and os.path.isfile(filepath):
            with zipfile.ZipFile(filepath) as archive:
                if WEIGHTS in archive.namelist():
                    filepath = archive.extract(WEIGHTS, folder)
        yield filepath


def _files(path):
    """The HDF5 files of a file of weights."""
    if path.name.endswith(".weights.h5"):
        return [path]
    if path.name.endswith(".weights.json"):
        shards = json.loads(path.read_text())["weight_map"].values()
        names = {x for s in shards for x in ([s] if isinstance(s, str) else s)}
        return [path.parent / name for name in sorted(names)]
    return []
