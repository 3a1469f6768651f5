"""The contenders of a comparison, and whose network each of them adapts."""

import collections.abc
import dataclasses

import keras
from shared.reporting import CONTROL
from shared.reporting import method_title

import keras_s4t
from comparison.keys import method_signature

SOURCE_ONLY = "SourceOnly"
BATCH_CONTROL = "BatchNormBatch"
CONTROLS = (SOURCE_ONLY, CONTROL, BATCH_CONTROL)
PLAIN = "plain"
# The method of the package that stores source images.
BEYOND = "ReplayS4T"


@dataclasses.dataclass(frozen=True)
class Contender:
    """One method of a comparison.

    Attributes:
        name: Its name in the results.
        class_name: Name of the class of its method.
        make: Function from a seed to a new `Method`.
        needs_source: As the attribute of `Method`.
        frozen_network: As the attribute of `Method`.
        bn_mode: As the attribute of `Method`.
        signature: Digest of the method, see `method_signature`.
        joins: bool. Whether the method, if it is trained with the network,
            joins the trained plain one.
    """

    name: str
    class_name: str
    make: collections.abc.Callable
    needs_source: tuple
    frozen_network: bool
    bn_mode: str
    signature: str
    joins: bool = False

    @property
    def is_trained(self):
        """Whether the method needs training on the source."""
        return "training" in self.needs_source

    @property
    def needs_statistics(self):
        """Whether the method collects statistics of the source."""
        return "statistics" in self.needs_source

    @property
    def is_frozen(self):
        """Whether it is trained alone, on the plain network."""
        return self.is_trained and self.frozen_network

    @property
    def stage(self):
        """The stage of the training, see `Configuration.make_trainer`."""
        if self.is_frozen:
            return "method"
        return "joint" if self.is_trained and self.joins else "network"

    @property
    def network(self):
        """Name of the source model: its own, or the one that others share."""
        is_own = self.is_trained and not self.is_frozen
        return self.name if is_own else PLAIN


def default_methods():
    """The names of the methods that the paper compares."""
    return tuple(x for x in keras_s4t.methods.METHODS if x != BEYOND)


def make_contenders(methods, settings):
    """The contenders of a comparison.

    Args:
        methods: Names of methods, or a dict from a contender's name to the
            name of a method, a pair of this and a dict of options of
            `Configuration.make_method`, or a function without arguments that
            makes a `Method`, such as its class.
        settings: `Settings`.

    Returns:
        list of `Contender`, the controls first. `SourceOnly` and
        `BatchNormOnly` are always among them, and `BatchNormBatch` where a
        method normalizes with every batch's own statistics.

    Raises:
        ValueError: If a name is unknown or taken, or a function makes no
            method.
    """
    if not isinstance(methods, collections.abc.Mapping):
        methods = {name: name for name in methods}
    if PLAIN in methods:
        raise ValueError(
            "The name of the shared source model is no name for a method. "
            f"Received: {PLAIN!r} among {list(methods)}"
        )
    if method_title(SOURCE_ONLY) in methods:
        raise ValueError(
            f"The title of `{SOURCE_ONLY}` is no name for another method. "
            f"Received: {method_title(SOURCE_ONLY)!r} among {list(methods)}"
        )
    contenders = {
        name: make_contender(name, method, settings)
        for name, method in {
            SOURCE_ONLY: SOURCE_ONLY,
            CONTROL: CONTROL,
            **methods,
        }.items()
    }
    if any(c.bn_mode == "batch" for c in contenders.values()):
        contenders.setdefault(
            BATCH_CONTROL,
            make_contender(BATCH_CONTROL, BATCH_CONTROL, settings),
        )
    return sorted(contenders.values(), key=lambda c: c.name not in CONTROLS)


def make_contender(name, method, settings):
    """One contender, see `make_contenders`."""
    config = settings.configuration

    def make(seed):
        keras.utils.set_random_seed(seed)
        if isinstance(method, tuple):
            class_name, options = method
            return config.make_method(class_name, seed, **options)
        if not isinstance(method, str):
            return method()
        if method == BATCH_CONTROL:
            return keras_s4t.methods.BatchNormOnly(bn_mode="batch")
        return config.make_method(method, seed)

    example = make(0)
    if not isinstance(example, keras_s4t.methods.Method):
        raise ValueError(
            "A method must be a name, or a function without arguments that "
            f"makes a `Method`. Received: methods[{name!r}]={method!r}"
        )
    return Contender(
        name=name,
        class_name=type(example).__name__,
        make=make,
        needs_source=tuple(example.needs_source),
        frozen_network=example.frozen_network,
        bn_mode=example.bn_mode,
        signature=method_signature(example),
        joins=settings.method_epochs is not None,
    )
