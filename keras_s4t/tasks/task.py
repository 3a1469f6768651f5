import dataclasses
import json
import math
import re
from collections.abc import Callable

import keras
from keras import ops

from keras_s4t import losses
from keras_s4t.tasks.averaging import average
from keras_s4t.tasks.label import Label

# Keys of a configuration beside the arguments of the function.
FUNCTION = "task"
CHANGED = "changed"
# What `dataclasses.replace` may change of a task that can be saved.
REPLACEABLE = ("name", "title", "weight")


@dataclasses.dataclass(frozen=True)
class Origin:
    """What made a task.

    Attributes:
        function: Name of the function.
        task: The task as the function made it.
    """

    function: str
    task: "Task"


@keras.saving.register_keras_serializable("keras_s4t")
@dataclasses.dataclass(frozen=True)
class Task:
    """One dense task.

    Made by the functions of this package, or by one of your own, see
    `register`. `dataclasses.replace` changes fields of a task; if other ones
    than `name`, `title` and `weight` are changed outside of such a function,
    the task cannot be saved.

    Attributes:
        name: Key of the task in labels, masks and predictions.
        title: Name for people.
        num_outputs: Channels of the raw prediction.
        label: The kind of its labels, a `Label`.
        loss: `loss(y_true, y_pred, mask)`, the source loss on raw outputs.
        divergence: `divergence(outputs, reference)`, how far raw outputs are
            from a reference of the same shape: a float32 scalar, 0 where they
            agree, with gradients to both.
        measures: Tuple of `Measure`. The first one is what curves, tables and
            Delta_TTT count.
        weight: Weight of the source loss among tasks.
        postprocess: Turns raw outputs `(batch_size, height, width,
            num_outputs)` into class ids, meters, unit vectors or
            probabilities.
        unit: Unit of the postprocessed value, empty if it has none.
        value_range: `value_range(arrays)`, the `(low, high)` that pictures of
            these values share, or `None`.
        picture: `picture(values, value_range)`, one image's values
            as uint8 RGB.
        legend: Tuple of `(label, rgb)` entries, or the name of a colormap.
        config: Arguments of the function that made the task.
        origin: What made the task; `None` if no function did.
    """

    name: str
    title: str
    num_outputs: int
    label: Label
    loss: Callable
    divergence: Callable
    measures: tuple
    weight: float
    postprocess: Callable
    unit: str
    value_range: Callable
    picture: Callable
    legend: tuple | str
    config: dict = dataclasses.field(default_factory=dict)
    origin: Origin | None = dataclasses.field(
        default=None, compare=False, repr=False
    )

    def __post_init__(self):
        # Names are parts of those of layers and metrics.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name):
            raise ValueError(
                "The `name` of a task must be of letters, digits, '_', '-' and "
                f"'.'. Received: name={self.name!r}"
            )
        if not 0 <= self.weight < math.inf:
            raise ValueError(
                "The `weight` of a task must be finite and not negative. "
                f"Received: weight={self.weight}"
            )
        names = [measure.name for measure in self.measures]
        if not names or len(set(names)) < len(names):
            raise ValueError(
                "A task must have at least one metric, each of another name. "
                f"Received: metrics {names}"
            )
        if self.measures[0].is_dict:
            raise ValueError(
                "The first metric of a task must be a single number. "
                f"Received: metrics {names}"
            )

    @property
    def activation(self):
        """What makes probabilities of raw outputs that are logits.

        `"softmax"`, `"sigmoid"`, or `None` if raw outputs are no logits.
        """
        if self.label.is_classes:
            return "softmax"
        if self.divergence is losses.bernoulli_kl_divergence:
            return "sigmoid"
        return None

    @property
    def metric_keys(self):
        """Names of all metrics in logs and curves, a tuple."""
        return tuple(f"{self.name}_{m.name}" for m in self.measures)

    @property
    def metric_key(self):
        """Name of the first metric in logs and curves."""
        return self.metric_keys[0]

    @property
    def metric_title(self):
        """Name of the first metric for people."""
        return self.measures[0].title

    @property
    def metric_unit(self):
        """Unit of the first metric, empty if it has none."""
        return self.measures[0].unit

    @property
    def higher_is_better(self):
        """Direction of the first metric."""
        return self.measures[0].higher_is_better

    def average(self, outputs, weights=None):
        """The mean of raw outputs, in a space where they can be averaged.

        Probabilities of classes and of what is there or not are averaged as
        such, directions as unit vectors, and everything else as raw outputs.

        Args:
            outputs: list of tensors of shape `(batch_size, height, width,
                num_outputs)`.
            weights: Optional list of numbers that sum to 1, one per tensor; by
                default all count the same.

        Returns:
            float32 tensor of the same shape, raw outputs. For classes, the
            logarithms of the probabilities.
        """
        return average(self, outputs, weights)

    def mirrored(self, outputs):
        """Raw outputs of images that were mirrored left to right.

        Args:
            outputs: Raw outputs of the images, a tensor of shape `(batch_size,
                height, width, num_outputs)`.

        Returns:
            A tensor of the same shape.
        """
        return self.label.flip(ops.flip(outputs, axis=2))

    def make_metrics(self):
        """New Keras metrics on postprocessed values, named by their keys."""
        return [
            measure.make(name=key)
            for key, measure in zip(
                self.metric_keys, self.measures, strict=True
            )
        ]

    def make_metric(self):
        """The first of `make_metrics`."""
        return self.measures[0].make(name=self.metric_key)

    def label_shape(self, size):
        """Shape of one label of an image of size `(height, width)`."""
        channels = self.label.channels
        return (*size, channels) if channels else tuple(size)

    def get_config(self):
        """The configuration that `from_config` takes.

        Raises:
            ValueError: If it would not give this task again.
        """
        if self.origin is None:
            raise ValueError(
                "A task can be saved if a registered function made it: "
                "decorate yours with `keras_s4t.tasks.register`. Received: "
                f"task {self.name!r}, which no such function made"
            )
        changed = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.compare
            and getattr(self, field.name)
            != getattr(self.origin.task, field.name)
        }
        lost = sorted(set(changed) - set(REPLACEABLE))
        if lost:
            raise ValueError(
                f"Only {list(REPLACEABLE)} of a task can be replaced if it is "
                "to be saved. Replace others in a function of your own, "
                "decorated with `keras_s4t.tasks.register`. Received: task "
                f"{self.name!r} with other {lost}"
            )
        try:
            json.dumps([self.config, changed])
        except TypeError as error:
            raise ValueError(
                "Arguments of a function that makes a task must be numbers, "
                "strings, bools, None, or lists or dicts of them. Received: "
                f"task {self.name!r} of {self.config}"
            ) from error
        config = {FUNCTION: self.origin.function, **self.config}
        return config | ({CHANGED: changed} if changed else {})

    @classmethod
    def from_config(cls, config):
        """Makes the task of a configuration.

        Raises:
            ValueError: If the function that made it is not known.
        """
        # The table imports this module.
        from keras_s4t.tasks import FUNCTIONS

        config = dict(config)
        name, changed = config.pop(FUNCTION), config.pop(CHANGED, {})
        function = FUNCTIONS.get(name)
        function = function or keras.saving.get_registered_object(name)
        if function is None:
            raise ValueError(
                f"The function of a task must be one of {sorted(FUNCTIONS)} "
                "or registered by `keras_s4t.tasks.register`: import the "
                f"module that does it. Received: task={name!r}"
            )
        return dataclasses.replace(function(**config), **changed)


def title_of(name, title, default_name, default_title):
    """The title of a task: the given one, or one that follows its name."""
    if title is not None:
        return title
    if name == default_name:
        return default_title
    return name.replace("_", " ").capitalize()


def no_range(arrays):
    """The `value_range` of what is drawn in fixed colors."""
    del arrays


def unit_range(arrays):
    """Probabilities share [0, 1]."""
    del arrays
    return (0.0, 1.0)


def lookup(argument, name, table):
    """`table[name]`, or a `ValueError` that lists the valid names.

    `argument` is what the caller calls `name`, for the error.
    """
    if name not in table:
        raise ValueError(
            f"`{argument}` must be one of {sorted(table)}. "
            f"Received: {argument}={name!r}"
        )
    return table[name]
