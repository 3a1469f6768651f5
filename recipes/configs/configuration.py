"""What recipes ask about a source, its targets and how to train for them."""

import abc
import dataclasses
import types

import keras_s4t


@dataclasses.dataclass(frozen=True)
class Configuration(abc.ABC):
    """A source, its targets, and tasks, network and methods to fit them.

    The constructor's arguments are what a command line may change.

    Args:
        size: int. Side of the images, in pixels.

    Attributes:
        name: string.
        source: Dataset to train on, as `keras_s4t.data.load` takes it.
        targets: Tuple of datasets to adapt to.
        learning_rate: float, of `make_optimizer`.
        source_training: dict with the `"epochs"`, `"batch_size"`,
            `"num_examples"` (`None` for all) and `"steps_per_epoch"` (`None`
            for a pass over the images) of `train_source.py`.
    """

    size: int

    name = ""
    source = ""
    targets = ()
    learning_rate = 0.0
    source_training = types.MappingProxyType({})

    def load_options(self, dataset):
        """Further arguments of `keras_s4t.data.load`.

        Args:
            dataset: Name of the dataset.

        Returns:
            dict.
        """
        del dataset
        return {"size": self.size}

    def augmentation(self, dataset):
        """The augmentation of the images that a network is trained on.

        Args:
            dataset: Name of the dataset.

        Returns:
            A `keras_s4t.data.Augmentation`.
        """
        del dataset
        return keras_s4t.data.Augmentation()

    @abc.abstractmethod
    def make_tasks(self):
        """The tasks, a list of `Task`."""

    @abc.abstractmethod
    def make_network(self, seed=0):
        """An untrained network.

        Args:
            seed: int. Seed of the weights.

        Returns:
            A `MultiTaskModel`.
        """

    @abc.abstractmethod
    def make_method(self, name, seed=0, **options):
        """A method of a size that fits the network.

        Args:
            name: Name of a method's class.
            seed: int. Seed of masks, noise and views.
            **options: Further arguments of the class, in the place of those
                of the configuration.

        Returns:
            A `Method`.
        """

    def make_trainer(
        self,
        network,
        method,
        num_steps,
        loss_balance=None,
        metrics=None,
        stage="network",
    ):
        """A compiled `SourceTrainer`.

        Args:
            network: What `make_network` returned.
            method: A `Method`.
            num_steps: int. Steps of source training, for the schedule.
            loss_balance: `"fixed"` or `"awl"`, see `SourceTrainer`; by default
                that of the configuration.
            metrics: `"auto"` to measure the tasks in training, or `None`.
            stage: `"network"` to train an untrained network, with the method
                or without, `"joint"` for a method that joins a trained network
                and is trained with it, or `"method"` for the method alone.

        Returns:
            A `SourceTrainer`.
        """
        trainer = keras_s4t.SourceTrainer(
            network,
            method,
            loss_balance or self.loss_balance,
            stage == "method",
        )
        optimizer = self.make_source_optimizer(num_steps, stage)
        trainer.compile(optimizer, metrics=metrics)
        return trainer

    @property
    def loss_balance(self):
        """How the source losses of tasks are balanced."""
        return "fixed"

    @abc.abstractmethod
    def make_source_optimizer(self, num_steps, stage="network"):
        """The optimizer of the source training; see `make_trainer`."""

    @abc.abstractmethod
    def make_optimizer(self, learning_rate=None):
        """The optimizer of the adaptation.

        Args:
            learning_rate: Optional float instead of `learning_rate`.

        Returns:
            A Keras optimizer.
        """
