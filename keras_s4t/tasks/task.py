import dataclasses
import math
from collections.abc import Callable

import keras

from keras_s4t.tasks.label import Label


@keras.saving.register_keras_serializable("keras_s4t")
@dataclasses.dataclass(frozen=True)
class Task:
    """One dense task. Made by the functions of this package.

    Attributes:
        name: Key of the task in labels, masks and predictions.
        title: Name for people.
        num_outputs: Channels of the raw prediction.
        label: The kind of its labels, a `Label`.
        loss: `loss(y_true, y_pred, mask)`, the source loss on raw outputs.
        divergence: `divergence(outputs, reference)`, how far raw outputs are
            from a reference of the same shape: a float32 scalar, 0 where they
            agree, with gradients to both.
        metric: `metric(name=...)`, a new Keras metric on postprocessed values.
        metric_key: Name of the metric in logs and curves.
        metric_title: Its name for people.
        metric_unit: Its unit, empty if it has none.
        higher_is_better: Direction of the metric.
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
    """

    name: str
    title: str
    num_outputs: int
    label: Label
    loss: Callable
    divergence: Callable
    metric: Callable
    metric_key: str
    metric_title: str
    metric_unit: str
    higher_is_better: bool
    weight: float
    postprocess: Callable
    unit: str
    value_range: Callable
    picture: Callable
    legend: tuple | str
    config: dict

    def __post_init__(self):
        if not 0 <= self.weight < math.inf:
            raise ValueError(
                "The `weight` of a task must be finite and not negative. "
                f"Received: weight={self.weight}"
            )

    def make_metric(self):
        """A new Keras metric on postprocessed values, named by its key."""
        return self.metric(name=self.metric_key)

    def label_shape(self, size):
        """Shape of one label of an image of size `(height, width)`."""
        channels = self.label.channels
        return (*size, channels) if channels else tuple(size)

    def get_config(self):
        """The configuration that `from_config` takes."""
        return {"task": self.name, **self.config}

    @classmethod
    def from_config(cls, config):
        """Makes the task of a configuration."""
        # The table imports this module.
        from keras_s4t.tasks import get

        config = dict(config)
        return get(config.pop("task"), **config)


def no_range(arrays):
    """The `value_range` of what is drawn in fixed colors."""
    del arrays


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
