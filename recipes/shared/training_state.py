"""The state of a training in one file, from which it goes on exactly."""

import json
import math
import pathlib
import time

import keras

from keras_s4t.files import atomic_path
from shared.processes import alone
from shared.results_file import write_json


class TrainingState(keras.callbacks.Callback):
    """Keeps weights, optimizer and random states after every epoch.

    The file replaces the one before in a single step, and the optimizer in it
    counts the steps that were made. So weights and position in the data always
    belong together, whenever the training is killed.

    Args:
        path: Path of the file, ending in `.weights.h5`.
        steps_per_epoch: int.
        writes: bool. Whether this process keeps the state, which all read.
        settings: Optional dict in types of JSON, what the training depends on.
            It is kept beside the state, for `check`.
    """

    def __init__(self, path, steps_per_epoch, writes=True, settings=None):
        super().__init__()
        self.writes = writes
        self.path = pathlib.Path(path)
        self.steps_per_epoch = steps_per_epoch
        self.settings = settings
        self.settings_path = self.path.with_suffix("").with_suffix(".json")

    def check(self):
        """Raises an error if the state is that of another training.

        Raises:
            ValueError: If there is a state, of other settings.
        """
        if not self.path.exists() or not self.settings_path.exists():
            return
        kept = json.loads(self.settings_path.read_text())
        own = json.loads(json.dumps(self.settings))
        changes = [
            f"{name}={own.get(name)!r}, not {kept.get(name)!r}"
            for name in sorted({*kept, *own})
            if kept.get(name) != own.get(name)
        ]
        if changes:
            raise ValueError(
                f"{self.path.parent} has an interrupted training, which must "
                "go on with its own settings. Received: " + "; ".join(changes)
            )

    def restore(self, trainer):
        """Loads the state into a compiled trainer, if there is one.

        Args:
            trainer: A `SourceTrainer`.

        Returns:
            int, the number of epochs that are finished.
        """
        if not self.path.exists():
            return 0
        trainer.load_weights(self.path)
        # Rounded up: steps that were skipped are not counted.
        steps = int(trainer.optimizer.iterations)
        return math.ceil(steps / self.steps_per_epoch)

    def on_epoch_end(self, epoch, logs=None):
        # On JAX, hosts fill the variables together.
        model = self.model
        if not self.writes:
            return
        if self.settings is not None:
            write_json(self.settings_path, self.settings)
        with atomic_path(self.path) as path, alone():
            model.save_weights(path)

    def remove(self):
        """Removes what it kept; for when nothing is left to do."""
        self.path.unlink(missing_ok=True)
        if self.settings is not None:
            self.settings_path.unlink(missing_ok=True)


def fit(trainer, state, epochs, load_images, callbacks=(), **options):
    """Fits a trainer from where an interrupted training stopped.

    Args:
        trainer: A compiled `SourceTrainer`.
        state: `TrainingState`.
        epochs: int. Of the whole training.
        load_images: Function that returns the batches to train on, with the
            arguments `num_batches` and `first_batch` of
            `keras_s4t.data.Training`.
        callbacks: Callbacks, called before the state is kept: an epoch whose
            state is kept has been seen by them.
        **options: Further arguments of `trainer.fit`.
    """
    first_epoch = state.restore(trainer)
    if first_epoch >= epochs:
        return
    steps = state.steps_per_epoch
    images = load_images(
        num_batches=epochs * steps, first_batch=first_epoch * steps
    )
    trainer.fit(
        images,
        epochs=epochs,
        initial_epoch=first_epoch,
        steps_per_epoch=steps,
        callbacks=[*callbacks, state],
        **options,
    )


class HistoryFile(keras.callbacks.Callback):
    """Writes the metrics of all epochs to a JSON file after every epoch.

    `"seconds"` is the time that the epoch took, validation included.

    Args:
        path: Path of the file.
    """

    def __init__(self, path):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.time()

    def on_epoch_end(self, epoch, logs=None):
        # An interrupted training goes on in the file that it left.
        rows = json.loads(self.path.read_text())[:epoch] if epoch else []
        seconds = round(time.time() - self.begin, 1)
        rows.append({"epoch": epoch + 1, "seconds": seconds, **logs})
        with atomic_path(self.path) as path:
            path.write_text(json.dumps(rows, indent=2) + "\n")
