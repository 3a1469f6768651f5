import functools

import numpy as np
from keras import ops

from keras_s4t import losses
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import numbers
from keras_s4t.tasks.measure import choose
from keras_s4t.tasks.measure import mae
from keras_s4t.tasks.measure import rmse
from keras_s4t.tasks.registration import of_this_package
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup
from keras_s4t.tasks.task import title_of

REGRESSION_LOSSES = {"l1": losses.absolute_error, "l2": losses.squared_error}
RED_GREEN_BLUE = (
    ("channel 0", (255, 0, 0)),
    ("channel 1", (0, 255, 0)),
    ("channel 2", (0, 0, 255)),
)


@of_this_package
def regression(
    name,
    num_outputs=1,
    loss="l1",
    weight=1.0,
    unit="",
    value_range=None,
    metrics=("rmse",),
    title=None,
):
    """Numbers of any meaning per pixel: reflectance, motion, a height.

    Labels are NaN where they are missing. Errors of channels are summed in loss
    and metrics. Resizing takes the nearest pixel, and mirroring leaves values
    alone: for what changes with the camera, replace `label` in a function of
    your own, see `register`.

    Pictures show one channel in a color map, three as red, green and blue, and
    the length of the vector of any other number in a color map.

    Args:
        name: str. Name of the task, and the beginning of its metrics' names.
        num_outputs: int. Channels.
        loss: `"l1"`, the absolute error, or `"l2"`, the squared error.
        weight: float. Weight of the source loss among tasks.
        unit: str. Unit of the values, for legends and tables.
        value_range: Optional pair of floats, the range that pictures show. By
            default it is that of the values that are drawn together.
        metrics: list of str, the first of which curves and tables count:
            `"rmse"` and `"mae"`, in the unit of the values.
        title: Optional str. Name for people, by default one that follows
            `name`.

    Returns:
        A `Task` with labels and predictions of shape
        `(height, width, num_outputs)`, float32.

    Raises:
        ValueError: If `num_outputs` is not positive, `loss` or a metric is
            unknown, or `value_range` is not an ascending pair.

    Example:

    ```python
    keras_s4t.tasks.regression("height", unit="m", metrics=("rmse", "mae"))
    ```
    """
    if num_outputs < 1:
        raise ValueError(
            "`num_outputs` must be at least 1. "
            f"Received: num_outputs={num_outputs}"
        )
    if value_range is not None and (
        len(value_range) != 2 or not value_range[0] < value_range[1]
    ):
        raise ValueError(
            "`value_range` must be a pair of floats in ascending order. "
            f"Received: value_range={value_range}"
        )
    return Task(
        name=name,
        title=title_of(name, title, None, None),
        num_outputs=num_outputs,
        label=numbers(num_outputs),
        loss=lookup("loss", loss, REGRESSION_LOSSES),
        divergence=losses.gaussian_kl_divergence,
        measures=choose(metrics, {"rmse": rmse(unit), "mae": mae(unit)}),
        weight=weight,
        postprocess=in_float32,
        unit=unit,
        value_range=functools.partial(
            finite_range,
            value_range=None if value_range is None else tuple(value_range),
        ),
        picture=picture,
        legend=RED_GREEN_BLUE if num_outputs == 3 else colors.SCALAR_COLORMAP,
    )


def in_float32(outputs):
    """Raw outputs are the values."""
    return ops.cast(outputs, "float32")


def finite_range(arrays, value_range=None):
    """The given range, or that of what is drawn of finite values."""
    if value_range is not None:
        return value_range
    drawn = np.concatenate([np.ravel(_drawn(array)) for array in arrays])
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return (0.0, 1.0)
    return (float(drawn.min()), float(drawn.max()))


def picture(values, value_range=(0.0, 1.0)):
    """Numbers as colors, missing ones white."""
    drawn = _drawn(values)
    if drawn.shape[-1] == 1:
        return colors.color_scalar(drawn, *value_range)
    channels = [
        colors.color_scalar(drawn[..., i], *value_range, colormap="gray")
        for i in range(3)
    ]
    rgb = np.stack([channel[..., 0] for channel in channels], axis=-1)
    is_known = np.isfinite(drawn).all(axis=-1, keepdims=True)
    return np.where(is_known, rgb, 255).astype("uint8")


def _drawn(values):
    """One channel or three: the length of vectors of another number."""
    values = np.asarray(values, "float64")
    if values.shape[-1] in (1, 3):
        return values
    return np.linalg.norm(values, axis=-1, keepdims=True)
