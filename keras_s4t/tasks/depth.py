import functools

from keras import ops

from keras_s4t import colors
from keras_s4t import losses
from keras_s4t import metrics
from keras_s4t.tasks.task import Task


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
        divergence=losses.gaussian_kl_divergence,
        make_metric=functools.partial(
            metrics.RootMeanSquaredError, name="depth_rmse"
        ),
        metric_key="depth_rmse",
        metric_title="RMSE",
        metric_unit="m",
        higher_is_better=False,
        weight=weight,
        physical=not_negative,
        unit="m",
        value_range=colors.common_range,
        picture=picture,
        legend=colors.SCALAR_COLORMAP,
        config={"weight": weight},
    )


def not_negative(outputs):
    """Metres from raw outputs."""
    return ops.relu(ops.cast(outputs, "float32"))


def picture(values, value_range):
    """Depth in a colormap, missing depth white."""
    return colors.color_scalar(values, *value_range, missing=0.0)
