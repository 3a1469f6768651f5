"""Keys of results: digests of the values that decide them."""

import dataclasses
import hashlib
import inspect
import json
import pathlib
import re

import keras
import numpy as np

from comparison.code_digest import code_of
from comparison.code_digest import is_of_library
from comparison.data import without_noise
from comparison.data import without_return

# The version of what `keras_s4t` and `recipes/comparison` compute. To be raised
# by 1 with every change of their code that moves a result, such as one of a
# layer, a loss, a training step, a protocol or the loading of images: every
# source model is then trained again. Arguments count by themselves, and so do
# the configuration's values and the code of a method that is not of the
# package.
NUMERICS = 4

# The schedule of a source optimizer is compared at this length. The real one
# follows from the epochs and the images, which are part of the key as well.
SCHEDULE_STEPS = 1000


def signature(*parts):
    """A digest of everything that changes a result.

    Args:
        *parts: What `json.dumps` takes, objects of Keras, dataclasses, arrays
            and paths. Counters in the names that Keras gives layers do not
            matter.

    Returns:
        string of 12 hexadecimal digits.
    """
    parts = json.loads(json.dumps(parts, sort_keys=True, default=_plain))
    text = json.dumps(without_counters(parts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value):
    """A value in types of JSON."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, type) or inspect.isroutine(value):
        return value.__qualname__
    if hasattr(value, "get_config"):
        return [type(value).__name__, value.get_config()]
    if dataclasses.is_dataclass(value):
        values = {f.name: getattr(value, f.name) for f in keyed_fields(value)}
        return [type(value).__name__, values]
    return keras.saving.serialize_keras_object(value)


def keyed_fields(value):
    """The fields of a dataclass that belong in a key.

    An option that came later is left out at its default, where it changes no
    result: its `metadata` says `{"in_keys": "unless default"}`.
    """
    return [
        field
        for field in dataclasses.fields(value)
        if field.metadata.get("in_keys") != "unless default"
        or getattr(value, field.name) != field.default
    ]


def without_counters(config):
    """The same config, automatic names numbered from 0 within it.

    Keras counts over the whole process: the second layer of a class has
    another name than the first.

    Args:
        config: dict or list in types of JSON, such as the config of a model.

    Returns:
        A copy of the same structure.
    """
    names, counts, renamed = set(), {}, {}

    def collect(value):
        if isinstance(value, dict):
            if isinstance(value.get("name"), str):
                names.add(value["name"])
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                collect(item)

    def rename(name):
        if name not in renamed:
            stem = re.sub(r"_\d+$", "", name)
            counts[stem] = counts.get(stem, -1) + 1
            renamed[name] = f"{stem}#{counts[stem]}"
        return renamed[name]

    def visit(value):
        if isinstance(value, dict):
            return {
                key: rename(item)
                if key == "name" and isinstance(item, str)
                else visit(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            is_history = [type(item) for item in value] == [str, int, int]
            if is_history and value[0] in names:
                # Where a tensor comes from: a layer, a node and an output.
                return [rename(value[0]), *value[1:]]
            return [visit(item) for item in value]
        return value

    collect(config)
    return visit(config)


def method_signature(method):
    """A digest of a method: its arguments, its optimizer, a user's code.

    Args:
        method: A `Method`.

    Returns:
        string.
    """
    arguments = {k: v for k, v in method.get_config().items() if k != "name"}
    cls = type(method)
    return signature(
        cls.__name__,
        arguments,
        keras.optimizers.serialize(method.default_optimizer()),
        None if is_of_library(cls) else code_of(cls),
    )


class Keys:
    """The keys of source models and adaptations.

    Args:
        settings: `Settings`.
        network: Optional network that `settings.configuration` made; by
            default one is made.
    """

    def __init__(self, settings, network=None):
        self.settings = settings
        self.configuration = settings.configuration
        if network is None:
            network = self.configuration.make_network(settings.seeds[0])
        # Fields of the configuration say what its objects do not, such as the
        # preset of the weights that a network starts from.
        self._source = signature(
            NUMERICS,
            keras.backend.backend(),
            keras.__version__,
            self._fields(),
            [task.get_config() for task in network.tasks],
            keras.saving.serialize_keras_object(network),
            self.configuration.loss_balance,
            self._source_optimizer("network"),
            self._data(settings.source),
            self.configuration.augmentation(settings.source),
            settings.epochs,
            settings.num_source,
            settings.steps_per_epoch,
            settings.source_batch_size,
        )

    def _fields(self):
        fields = keyed_fields(self.configuration)
        return {f.name: getattr(self.configuration, f.name) for f in fields}

    def _source_optimizer(self, stage):
        return keras.optimizers.serialize(
            self.configuration.make_source_optimizer(SCHEDULE_STEPS, stage)
        )

    def _data(self, dataset):
        name = without_noise(without_return(dataset))
        return [dataset, self.configuration.load_options(name)]

    def source(self, seed, contender):
        """The key of the source model that a contender starts from.

        Args:
            seed: int.
            contender: `Contender`.

        Returns:
            string.
        """
        stage = contender.stage
        if not contender.is_trained:
            return signature(self._source, seed)
        return signature(
            self._source,
            seed,
            contender.signature,
            stage,
            self._source_optimizer(stage),
            None if stage == "network" else self.settings.method_epochs,
        )

    def adaptation(self, source_key, contender, learning_rate, *data):
        """The key of an adaptation.

        Args:
            source_key: Key of the source model.
            contender: `Contender`.
            learning_rate: float, or `None` for the method's own.
            *data: What decides the target.

        Returns:
            string.
        """
        settings = self.settings
        statistics = None
        if contender.needs_statistics:
            statistics = self._data(settings.source), settings.num_statistics
        return signature(
            source_key,
            contender.signature,
            learning_rate,
            settings.protocol,
            settings.steps,
            settings.batch_size,
            statistics,
            data,
        )

    def run(self, seed, owner, contender, learning_rate, target, before=()):
        """The key of a run.

        Args:
            seed: int.
            owner: The `Contender` whose network it is.
            contender: The `Contender` that adapts.
            learning_rate: float, or `None` for the method's own.
            target: Name of a dataset.
            before: Names of the targets that were adapted to before, without
                a reset.

        Returns:
            string.
        """
        return self.adaptation(
            self.source(seed, owner),
            contender,
            learning_rate,
            self._data(target),
            self.settings.split,
            self.settings.num_target,
            *map(self._data, before),
        )

    def tuning(self, contender):
        """The key of the choices for a contender."""
        settings = self.settings
        return self.adaptation(
            self.source(settings.seeds[0], contender),
            contender,
            None,
            self._data(settings.source),
            settings.factors,
            settings.severities,
            settings.num_tuning,
        )
