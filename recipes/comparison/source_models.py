"""Which source model a method starts from, trained once and kept."""

import math
import re
import sys
import time

import keras

import keras_s4t
from comparison.contenders import PLAIN
from comparison.contenders import make_contender
from comparison.data import load_source
from comparison.keys import Keys
from keras_s4t.files import atomic_path


class SourceModels:
    """Source models in files, trained when first asked for.

    Methods that add nothing to the source training share one plain model per
    seed, methods that are trained with the network have their own, and
    methods that are trained afterwards add themselves to the plain one.

    Args:
        settings: `Settings`.
        results: `ComparisonResults`, which knows whose training is finished.
        keys: Optional `Keys`, made from the settings by default.
    """

    def __init__(self, settings, results, keys=None):
        self.settings = settings
        self.results = results
        self.keys = keys or Keys(settings)
        self.folder = settings.output / "sources"
        self.plain = make_contender(PLAIN, "SourceOnly", settings)

    def path(self, seed, contender):
        """Where the source model of a contender is kept."""
        contender = contender if contender.is_trained else self.plain
        name = re.sub(r"\W+", "_", contender.name)
        key = self.keys.source(seed, contender)
        return self.folder / f"{name}_seed{seed}_{key}.keras"

    def is_there(self, seed, contender):
        """Whether the source model of a contender is trained and kept."""
        contender = contender if contender.is_trained else self.plain
        key = self.keys.source(seed, contender)
        is_finished = key in self.results["sources"]
        return is_finished and self.path(seed, contender).exists()

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
            self._train(seed, contender, path)
        # Weights alone, so that a method's class need not be registered.
        trainer = keras_s4t.SourceTrainer(
            config.make_network(seed),
            contender.make(seed),
            frozen_network=contender.is_frozen,
        )
        trainer.load_weights(path)
        return trainer

    def _train(self, seed, contender, path):
        settings = self.settings
        config = settings.configuration
        start = time.time()
        if contender.is_frozen:
            network = self.trained(seed, self.plain).network
        else:
            network = config.make_network(seed)
        method = contender.make(seed)
        print(f"Training the source model: {contender.name}, seed {seed}")
        source = load_source(settings, network.tasks, seed)
        if not int(source.cardinality()):
            raise ValueError(
                "The source must have images for a batch to train on. Received:"
                f" {settings.source!r} with fewer than "
                f"{settings.source_batch_size} images"
            )
        trainer = config.make_trainer(
            network,
            method,
            settings.epochs * int(source.cardinality()),
            frozen_network=contender.is_frozen,
        )
        history = trainer.fit(
            source,
            epochs=settings.epochs,
            verbose=0,
            callbacks=[Epochs(settings.epochs)],
        ).history
        if not math.isfinite(history["loss"][-1]):
            print(
                f"The training of {contender.name} diverged.", file=sys.stderr
            )
        # Without the optimizer, whose variables nobody needs again.
        trained = keras_s4t.SourceTrainer(
            network, method, frozen_network=contender.is_frozen
        )
        with atomic_path(path) as unfinished:
            trained.save(unfinished)
        self.results.add(
            "sources",
            self.keys.source(seed, contender),
            name=contender.name,
            seed=seed,
            seconds=time.time() - start,
            loss=history["loss"],
        )


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
