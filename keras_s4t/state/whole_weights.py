"""Weight files of models with tasks, loaded as a whole or not at all."""

import contextlib
import json
import os
import pathlib
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
        received = saved_task_names(filepath)
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
            super().load_weights(filepath, skip_mismatch, **kwargs)
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
    with contextlib.ExitStack() as stack:
        for part in _parts(pathlib.Path(filepath), stack):
            found = []

            def note(name, item, found=found):
                if name.split("/")[-2:] == ["vars", NAMES]:
                    found.append(json.loads(item[()].tobytes()))

            stack.enter_context(h5py.File(part, "r")).visititems(note)
            if found:
                return found[0]
    return None


def _parts(path, stack):
    """The HDF5 files of a file of weights, paths or open files."""
    if path.name.endswith(".keras"):
        archive = stack.enter_context(zipfile.ZipFile(path))
        if WEIGHTS in archive.namelist():
            return [stack.enter_context(archive.open(WEIGHTS))]
    if path.name.endswith(".weights.h5"):
        return [path]
    if path.name.endswith(".weights.json"):
        shards = json.loads(path.read_text())["weight_map"].values()
        names = {x for s in shards for x in ([s] if isinstance(s, str) else s)}
        return [path.parent / name for name in sorted(names)]
    return []
