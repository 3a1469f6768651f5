"""The table of tasks: everything that differs between dense tasks."""

import dataclasses
import functools
import itertools
from collections.abc import Callable

import keras
from keras import ops

from keras_s4t import colors
from keras_s4t import losses
from keras_s4t import metrics


@keras.saving.register_keras_serializable("keras_s4t")
@dataclasses.dataclass(frozen=True)
class Task:
    """One dense task. Made by `semseg`, `depth`, `normals` or `edge`.

    Attributes:
        name: Key of the task in labels, masks and predictions.
        title: Name for people.
        num_outputs: Channels of the raw prediction.
        label_channels: Channels of the label, `None` for a label without a
            channel axis.
        loss: `loss(y_true, y_pred, mask)`, the source loss on raw outputs.
        make_metric: Returns a new Keras metric on physical values.
        metric_key: Name of that metric in logs and curves.
        metric_title: Its name for people.
        metric_unit: Its unit, empty if it has none.
        higher_is_better: Direction of the metric.
        weight: Weight of the source loss among tasks.
        physical: Turns raw outputs `(batch_size, height, width,
            num_outputs)` into class ids, metres, unit vectors or
            probabilities.
        unit: Unit of the physical value, empty if it has none.
        value_range: `value_range(arrays)`, the `(low, high)` that pictures of
            these physical values share, or `None`.
        picture: `picture(values, value_range)`, one image's physical values
            as uint8 RGB.
        legend: Tuple of `(label, rgb)` entries, or the name of a colormap.
        config: The call of this module's function that made the task.
    """

    name: str
    title: str
    num_outputs: int
    label_channels: int | None
    loss: Callable
    make_metric: Callable
    metric_key: str
    metric_title: str
    metric_unit: str
    higher_is_better: bool
    weight: float
    physical: Callable
    unit: str
    value_range: Callable
    picture: Callable
    legend: tuple | str
    config: dict

    def __post_init__(self):
        if self.weight < 0:
            raise ValueError(
                "The `weight` of a task must not be negative. "
                f"Received: weight={self.weight}"
            )

    def label_shape(self, size):
        """Shape of one label.

        Args:
            size: Pair `(height, width)`.

        Returns:
            A tuple.
        """
        channels = self.label_channels
        return (*size, channels) if channels else tuple(size)

    def get_config(self):
        """The configuration that `from_config` takes."""
        return {"task": self.name, **self.config}

    @classmethod
    def from_config(cls, config):
        """Makes the task of a configuration."""
        config = dict(config)
        return get(config.pop("task"), **config)


def semseg(num_classes, class_names=None, weight=1.0):
    """Semantic segmentation; label 255 is ignored.

    Source loss: softmax cross-entropy over valid pixels. Metric: mean
    intersection over union in [0, 1], absent classes counting 0.

    Args:
        num_classes: int. Classes, with ids `0 ... num_classes - 1`.
        class_names: Optional names of the classes, for legends.
        weight: float. Weight of the source loss among tasks.

    Returns:
        A `Task` with labels of shape `(height, width)`, integer, and physical
        values of the same shape, int32 ids.

    Raises:
        ValueError: If `num_classes` is not 2 ... 255, or names are missing.
    """
    if not 2 <= num_classes <= 255:
        raise ValueError(
            "`num_classes` must be in the range [2, 255]. "
            f"Received: num_classes={num_classes}"
        )
    if class_names is not None and len(class_names) != num_classes:
        raise ValueError(
            "`class_names` must hold one name per class. Received: "
            f"{len(class_names)} names for num_classes={num_classes}"
        )
    names = class_names or [f"class {i}" for i in range(num_classes)]
    palette = itertools.cycle(colors.CLASS_COLORS.tolist())
    legend = tuple(
        (name, tuple(color))
        for name, color in zip(names, palette, strict=False)
    )
    return Task(
        name="semseg",
        title="Semantic segmentation",
        num_outputs=num_classes,
        label_channels=None,
        loss=losses.softmax_cross_entropy,
        make_metric=functools.partial(
            metrics.MeanIoU,
            num_classes,
            sparse_y_pred=True,
            name="semseg_miou",
        ),
        metric_key="semseg_miou",
        metric_title="mIoU",
        metric_unit="",
        higher_is_better=True,
        weight=weight,
        physical=_class_ids,
        unit="",
        value_range=_no_range,
        picture=_picture_of_classes,
        legend=(*legend, ("ignored", (255, 255, 255))),
        config={
            "num_classes": num_classes,
            "class_names": None if class_names is None else list(class_names),
            "weight": weight,
        },
    )


def depth(weight=1.0):
    """Depth along the optical axis, in metres.

    Source loss: absolute error over valid pixels. Metric: RMSE in metres.

    Args:
        weight: float. Weight of the source loss among tasks.

    Returns:
        A `Task` with labels and physical values of shape `(height, width, 1)`,
        float32, not negative.
    """
    return Task(
        name="depth",
        title="Depth",
        num_outputs=1,
        label_channels=1,
        loss=losses.absolute_error,
        make_metric=functools.partial(
            metrics.RootMeanSquaredError, name="depth_rmse"
        ),
        metric_key="depth_rmse",
        metric_title="RMSE",
        metric_unit="m",
        higher_is_better=False,
        weight=weight,
        physical=_not_negative,
        unit="m",
        value_range=colors.common_range,
        picture=_picture_of_depth,
        legend=colors.SCALAR_COLORMAP,
        config={"weight": weight},
    )


NORMALS_LOSSES = {
    "cosine": losses.cosine_distance,
    "l1": losses.unit_absolute_error,
}


def normals(loss="cosine", weight=1.0):
    """Surface normals: unit vectors, x right, y up, z towards the camera.

    Metric: mean angular error in degrees.

    Args:
        loss: `"cosine"`, one minus the cosine (Taskonomy as source), or
            `"l1"`, the absolute error of the normalized prediction (NYUD and
            PASCAL as source, with `weight=10`).
        weight: float. Weight of the source loss among tasks.

    Returns:
        A `Task` with labels and physical values of shape `(height, width, 3)`,
        float32, unit vectors.

    Raises:
        ValueError: If `loss` is unknown.
    """
    return Task(
        name="normals",
        title="Surface normals",
        num_outputs=3,
        label_channels=3,
        loss=_lookup("loss", loss, NORMALS_LOSSES),
        make_metric=functools.partial(
            metrics.MeanAngularError, name="normals_merr"
        ),
        metric_key="normals_merr",
        metric_title="mean angular error",
        metric_unit="degrees",
        higher_is_better=False,
        weight=weight,
        physical=_unit_vectors,
        unit="",
        value_range=_no_range,
        picture=_picture_of_normals,
        legend=(
            ("x right", (255, 128, 128)),
            ("y up", (128, 255, 128)),
            ("z to camera", (128, 128, 255)),
        ),
        config={"loss": loss, "weight": weight},
    )


def _probability(outputs):
    return ops.clip(ops.cast(outputs, "float32"), 0.0, 1.0)


def _probability_of_logits(outputs):
    return ops.sigmoid(ops.cast(outputs, "float32"))


EDGE_LOSSES = {
    "l1": (losses.absolute_error, _probability),
    "mse": (losses.squared_error, _probability),
    "balanced_bce": (
        losses.balanced_binary_cross_entropy,
        _probability_of_logits,
    ),
}


def edge(loss="l1", weight=1.0):
    """Edges, in [0, 1].

    Metric: RMSE.

    Args:
        loss: `"l1"` (Taskonomy as source), `"balanced_bce"` on logits (NYUD
            and PASCAL as source, with `weight=50`), or `"mse"`, which thin
            edges need, since the median that `"l1"` learns is no edge at all.
        weight: float. Weight of the source loss among tasks.

    Returns:
        A `Task` with labels and physical values of shape `(height, width, 1)`,
        float32 in [0, 1].

    Raises:
        ValueError: If `loss` is unknown.
    """
    loss_fn, physical = _lookup("loss", loss, EDGE_LOSSES)
    return Task(
        name="edge",
        title="Edges",
        num_outputs=1,
        label_channels=1,
        loss=loss_fn,
        make_metric=functools.partial(
            metrics.RootMeanSquaredError, name="edge_rmse"
        ),
        metric_key="edge_rmse",
        metric_title="RMSE",
        metric_unit="",
        higher_is_better=False,
        weight=weight,
        physical=physical,
        unit="",
        value_range=_unit_range,
        picture=_picture_of_edges,
        legend="gray_r",
        config={"loss": loss, "weight": weight},
    )


TASKS = {"semseg": semseg, "depth": depth, "normals": normals, "edge": edge}


def get(name, **kwargs):
    """Makes a task by its name.

    Args:
        name: `"semseg"`, `"depth"`, `"normals"` or `"edge"`.
        **kwargs: Arguments of the function of that name.

    Returns:
        A `Task`.

    Raises:
        ValueError: If the name is unknown.
    """
    return _lookup("task", name, TASKS)(**kwargs)


def _lookup(argument, name, table):
    if name not in table:
        raise ValueError(
            f"`{argument}` must be one of {sorted(table)}. "
            f"Received: {argument}={name!r}"
        )
    return table[name]


def _class_ids(outputs):
    return ops.cast(ops.argmax(outputs, axis=-1), "int32")


def _not_negative(outputs):
    return ops.relu(ops.cast(outputs, "float32"))


def _unit_vectors(outputs):
    return ops.normalize(ops.cast(outputs, "float32"), axis=-1, epsilon=1e-12)


def _no_range(arrays):
    del arrays


def _unit_range(arrays):
    del arrays
    return (0.0, 1.0)


def _picture_of_classes(values, value_range=None):
    del value_range
    return colors.color_classes(values)


def _picture_of_normals(values, value_range=None):
    del value_range
    return colors.color_normals(values)


def _picture_of_depth(values, value_range):
    return colors.color_scalar(values, *value_range, missing=0.0)


def _picture_of_edges(values, value_range=(0.0, 1.0)):
    return colors.color_scalar(values, *value_range, colormap="gray_r")
