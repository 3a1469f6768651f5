"""What a comparison is asked for."""

import dataclasses
import pathlib
from dataclasses import fields

import configs
from configs.configuration import Configuration
from shared.protocols import PROTOCOLS

from comparison.data import returned

# What `--quick` takes where nothing else is asked for.
QUICK = {
    "size": 32,
    "seeds": (0,),
    "epochs": 1,
    "num_source": 16,
    "num_target": 8,
    "num_statistics": 8,
    "num_tuning": 8,
    "steps": 2,
    "factors": (1.0, 100.0),
    "severities": (5,),
    "timing_steps": (1, 1),
    # Starting worker processes takes longer than a few images do.
    "workers": 1,
}
# Where a configuration does not say how a source is trained.
SOURCE_TRAINING = {
    "epochs": 10,
    "batch_size": 16,
    "num_examples": None,
    "steps_per_epoch": None,
}
# What this is called among the settings.
TRAINING_NAMES = {
    "epochs": "epochs",
    "source_batch_size": "batch_size",
    "num_source": "num_examples",
    "steps_per_epoch": "steps_per_epoch",
}
CONFIGURED = ("size", "source", "targets")
COUNTS = (
    "steps",
    "batch_size",
    "size",
    "epochs",
    "steps_per_epoch",
    "num_source",
    "source_batch_size",
    "method_epochs",
    "num_target",
    "num_tuning",
    "workers",
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything about a comparison but its methods.

    Attributes:
        config: Name of a configuration in `configs`, or a `Configuration`.
        size: Side of the images, in pixels; by default that of the
            configuration.
        preset: Backbone, where the configuration lets choose one.
        decoder: Decoder, likewise.
        legacy: What the authors' release did differently, likewise.
        source: Dataset to train on, as `keras_s4t.data.load` takes it; by
            default that of the configuration.
        targets: Datasets to adapt to; by default those of the configuration.
        seeds: Seeds of source training, masks, noise and views.
        protocol: `"release"`, `"online"`, `"episodic"` or `"continual"`, in
            which the targets in their order are one stream: updates persist
            from one to the next.
        return_to_source: Whether the stream of `"continual"` ends with images
            of the source, which tell what was forgotten.
        reset_at_change: Whether to reset the adapter before every target of
            `"continual"`, as if it were known where a new one begins.
        steps: Most adaptation steps, and the fixed step unless it is tuned.
        batch_size: Images per adaptation step, and of every evaluation.
        epochs: Epochs of source training. This and what follows are by
            default as the configuration says.
        steps_per_epoch: Steps of an epoch, by default a pass over the images.
        num_source: Images of source training, by default as many as the
            configuration says, or all.
        source_batch_size: Images per step of source training.
        method_epochs: Epochs of a method that joins the trained plain network,
            and is trained with it or, if it leaves the network as it is,
            alone. By default, a method that is trained with the network has a
            network of its own, from the first step on, and all are trained for
            `epochs`.
        split: Split of the targets.
        num_target: Images of each target, `None` for all.
        num_statistics: Source images for methods that collect statistics.
        tune: Whether learning rates and numbers of steps are chosen on
            corrupted source images.
        factors: Factors of a method's own learning rate to choose from.
        severities: Of the corruptions, in 1 ... 5.
        num_tuning: Images of each corruption.
        timing_steps: Steps to warm up, and steps of which the median counts.
        output: Folder for the results.
        sources: Folder of source models; by default one in `output`. Several
            programs may share it: what one has trained, the others find.
        cache: Folder of rendered and decoded images.
        data_dir: Folder of prepared datasets.
        workers: Rendering processes; more than one needs a `__main__` guard in
            the calling script.

    Raises:
        ValueError: If a setting is out of its range.
    """

    config: str | Configuration = "synth_rooms"
    size: int | None = None
    preset: str | None = None
    decoder: str | None = None
    legacy: tuple | None = None
    source: str | None = None
    targets: tuple | None = None
    seeds: tuple = (0, 1, 2)
    protocol: str = "release"
    return_to_source: bool = False
    reset_at_change: bool = False
    steps: int = 40
    batch_size: int = 8
    epochs: int | None = None
    steps_per_epoch: int | None = None
    num_source: int | None = None
    source_batch_size: int | None = None
    method_epochs: int | None = None
    split: str = "test"
    num_target: int | None = 200
    num_statistics: int = 400
    tune: bool = False
    factors: tuple = (0.1, 1.0, 10.0, 100.0)
    severities: tuple = (4,)
    num_tuning: int = 64
    timing_steps: tuple = (5, 20)
    output: pathlib.Path = pathlib.Path("runs/comparison")
    sources: pathlib.Path | None = None
    cache: pathlib.Path | None = pathlib.Path("runs/cache")
    data_dir: pathlib.Path | None = None
    workers: int = 1

    def __post_init__(self):
        # Plain values, since they decide what is found again.
        for name in ("targets", "seeds", "factors", "severities"):
            value = getattr(self, name)
            if value is not None:
                value = tuple(dict.fromkeys(value))
                object.__setattr__(self, name, value)
        object.__setattr__(self, "output", pathlib.Path(self.output))
        config = self.configuration
        training = {**SOURCE_TRAINING, **config.source_training}
        defaults = {
            **{name: getattr(config, name) for name in CONFIGURED},
            **{name: training[key] for name, key in TRAINING_NAMES.items()},
        }
        for name, value in defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        if self.protocol not in PROTOCOLS:
            raise ValueError(
                f"`protocol` must be one of {sorted(PROTOCOLS)}. "
                f"Received: protocol={self.protocol!r}"
            )
        for name in ("return_to_source", "reset_at_change"):
            if getattr(self, name) and self.protocol != "continual":
                raise ValueError(
                    f"`{name}` is for the protocol 'continual'. "
                    f"Received: protocol={self.protocol!r}"
                )
        for name in COUNTS:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. Received: {name}={value}"
                )
        if self.num_statistics < self.batch_size:
            raise ValueError(
                "`num_statistics` must be at least `batch_size`. Received: "
                f"num_statistics={self.num_statistics}, "
                f"batch_size={self.batch_size}"
            )
        for name in ("targets", "seeds", "factors", "severities"):
            if not getattr(self, name):
                raise ValueError(
                    f"`{name}` must not be empty. Received: {name}=()"
                )

    @property
    def stages(self):
        """What is adapted to, in order: the targets, perhaps the source."""
        if self.return_to_source:
            return (*self.targets, returned(self.source))
        return self.targets

    @property
    def persists(self):
        """Whether updates persist from one target to the next."""
        return self.protocol == "continual" and not self.reset_at_change

    @property
    def configuration(self):
        """What makes tasks, network, methods and trainer."""
        if not isinstance(self.config, str):
            return self.config
        return configs.get(
            self.config,
            size=self.size,
            preset=self.preset,
            decoder=self.decoder,
            legacy=self.legacy,
        )

    def get_config(self):
        """The settings in types of JSON."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {
            "config": self.configuration.name,
            "output": str(self.output),
            "sources": str(self.sources),
            "cache": str(self.cache),
            "data_dir": str(self.data_dir),
        }
