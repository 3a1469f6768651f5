"""Which source model a method starts from, trained once and kept."""

import contextlib
import functools
import json
import math
import pathlib
import sys
import tempfile

import filelock
import keras
from shared.training_state import HistoryFile
from shared.training_state import TrainingState
from shared.training_state import fit

import keras_s4t
from comparison.contenders import PLAIN
from comparison.contenders import make_contender
from comparison.data import load_source
from comparison.keys import Keys
from keras_s4t.files import atomic_path
from keras_s4t.presets.weights_file import write_compact_model

# Source models that ship with the recipes.
SHIPPED = pathlib.Path(__file__).parents[1] / "sources"


class SourceModels:
    """Source models in files, trained when first asked for.

    Methods that add nothing to the source training share one plain model per
    seed, methods that are trained with the network have their own, and
    methods that are trained afterwards add themselves to the plain one. An
    interrupted training goes on after the last epoch that it finished.

    Args:
        settings: `Settings`.
        results: `ComparisonResults`.
        keys: Optional `Keys`, made from the settings by default.
    """

    def __init__(self, settings, results, keys=None):
        self.settings = settings
        self.results = results
        self.keys = keys or Keys(settings)
        self.folder = settings.sources or settings.output / "sources"
        self.plain = make_contender(PLAIN, "SourceOnly", settings)
        self._cardinality = None

    def path(self, seed, contender):
        """Where the source model of a contender is kept."""
        # The name of a class: another program may call the same method by
        # another name.
        name = contender.class_name if contender.is_trained else PLAIN
        key = self.keys.source(seed, contender)
        file = f"{name}_seed{seed}_{key}.keras"
        shipped = SHIPPED / file
        return shipped if shipped.exists() else self.folder / file

    def is_there(self, seed, contender):
        """Whether the source model of a contender is trained and kept."""
        return self.path(seed, contender).exists()

    def get(self, seed, owner, contender):
        """A network, trained on the source, and a method to adapt it.

        Args:
            seed: int.
            owner: The `Contender` whose network it is.
            contender: The `Contender` of the method.

        Returns:
            Pair of a new `MultiTaskModel` and a new `Method`.
        """
        trainer = self.trained(seed, owner)
        if contender is owner and contender.is_trained:
            return trainer.network, trainer.method
        return trainer.network, contender.make(seed)

    def trained(self, seed, contender):
        """The trained `SourceTrainer` of a contender.

        It is loaded from its file if there is one.

        Args:
            seed: int.
            contender: `Contender`.

        Returns:
            A new `SourceTrainer`.
        """
        if not contender.is_trained:
            contender = self.plain
        config = self.settings.configuration
        path = self.path(seed, contender)
        if not self.is_there(seed, contender):
            with _alone(path):
                # Another process may have finished it meanwhile.
                if not self.is_there(seed, contender):
                    self._train(seed, contender, path)
        self._keep(seed, contender)
        # Weights alone, so that a method's class need not be registered.
        trainer = keras_s4t.SourceTrainer(
            config.make_network(seed),
            contender.make(seed),
            frozen_network=contender.is_frozen,
        )
        trainer.load_weights(path)
        return trainer

    def _train(self, seed, contender, path):
        settings, stage = self.settings, contender.stage
        config = settings.configuration
        joins = stage != "network"
        network = config.make_network(seed)
        if joins:
            network = self.trained(seed, self.plain).network
        epochs = settings.epochs
        if joins and settings.method_epochs is not None:
            epochs = settings.method_epochs
        method = contender.make(seed)
        load = functools.partial(load_source, settings, network.tasks, seed)
        steps = settings.steps_per_epoch or self._num_batches(load)
        if not steps:
            raise ValueError(
                "The source must have images for a batch to train on. Received:"
                f" {settings.source!r} with fewer than "
                f"{settings.source_batch_size} images"
            )
        trainer = config.make_trainer(
            network, method, epochs * steps, stage=stage
        )
        print(f"Training the source model: {contender.name}, seed {seed}")
        state = TrainingState(path.with_suffix(".weights.h5"), steps)
        history = HistoryFile(path.with_suffix(".json"))
        fit(trainer, state, epochs, load, [history, Epochs(epochs)], verbose=0)
        # Without the optimizer, whose variables nobody needs again.
        trained = keras_s4t.SourceTrainer(
            network, method, frozen_network=contender.is_frozen
        )
        with (
            tempfile.TemporaryDirectory() as folder,
            atomic_path(path) as unfinished,
        ):
            whole = pathlib.Path(folder, "whole.keras")
            trained.save(whole)
            write_compact_model(whole, unfinished, "float16")
        state.remove()

    def _num_batches(self, load):
        """Batches of the source, the same for all seeds and contenders."""
        if self._cardinality is None:
            self._cardinality = int(load().cardinality())
        return self._cardinality

    def _keep(self, seed, contender):
        """Adds to the results how a source model was trained, once."""
        key = self.keys.source(seed, contender)
        if key in self.results["sources"]:
            return
        history = self.path(seed, contender).with_suffix(".json")
        rows = json.loads(history.read_text())
        loss = [row["loss"] for row in rows]
        if not math.isfinite(loss[-1]):
            print(
                f"The training of {contender.name} diverged.", file=sys.stderr
            )
        self.results.add(
            "sources",
            key,
            name=contender.name,
            seed=seed,
            seconds=sum(row["seconds"] for row in rows),
            loss=loss,
        )


@contextlib.contextmanager
def _alone(path):
    """Only one process at a time trains the model of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"Waiting for another process, which trains {path}", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class Epochs(keras.callbacks.Callback):
    """A progress bar of epochs.

    Args:
        epochs: int.
    """

    def __init__(self, epochs):
        super().__init__()
        self.progress = keras.utils.Progbar(epochs, unit_name="epoch")

    def on_epoch_end(self, epoch, logs=None):
        self.progress.update(epoch + 1, [("loss", logs["loss"])])
