import functools
import math

from keras import ops

from keras_s4t import losses
from keras_s4t import metrics as keras_metrics
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import DISTANCE
from keras_s4t.tasks.measure import Measure
from keras_s4t.tasks.measure import choose
from keras_s4t.tasks.measure import mae
from keras_s4t.tasks.measure import rmse
from keras_s4t.tasks.not_a_number import keep_nan
from keras_s4t.tasks.registration import of_this_package
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup
from keras_s4t.tasks.task import title_of

# The authors' release has Taskonomy's depth in 1/512 m, up to 2**16 - 1.
LOG_UNITS = 512.0
LOG_RANGE = math.log(2.0**16)


def log_code(meters):
    """Depth on a logarithmic scale, 0 at the camera and 1 at 128 m."""
    meters = ops.cast(meters, "float32")
    return ops.log1p(LOG_UNITS * meters) / LOG_RANGE


def meters_of_log_code(outputs):
    """Meters from raw outputs on the logarithmic scale."""

    def meters(code):
        return ops.expm1(LOG_RANGE * ops.clip(code, 0.0, 1.0)) / LOG_UNITS

    return keep_nan(outputs, meters)


def log_absolute_error(y_true, y_pred, mask=None):
    """Absolute error of raw outputs on the logarithmic scale."""
    return losses.absolute_error(log_code(y_true), y_pred, mask)


def not_negative(outputs):
    """Meters from raw outputs."""
    return keep_nan(outputs, ops.relu)


ENCODINGS = {
    "meters": (losses.absolute_error, not_negative),
    "log": (log_absolute_error, meters_of_log_code),
}


def _share(power):
    factor = functools.partial(
        keras_metrics.ShareWithinFactor, factor=1.25**power
    )
    title = "within 1.25" + ("" if power == 1 else f"^{power}")
    return Measure(f"delta{power}", title, "", True, factor)


MEASURES = {
    "mae": mae("m"),
    "abs_rel": Measure(
        "abs_rel", "AbsRel", "", False, keras_metrics.AbsoluteRelativeError
    ),
    "sq_rel": Measure(
        "sq_rel", "SqRel", "m", False, keras_metrics.SquaredRelativeError
    ),
    "rmse_log": Measure(
        "rmse_log",
        "RMSE of logarithms",
        "",
        False,
        keras_metrics.RootMeanSquaredLogError,
    ),
    "delta1": _share(1),
    "delta2": _share(2),
    "delta3": _share(3),
}


@of_this_package
def depth(
    weight=1.0,
    encoding="meters",
    alignment="none",
    metrics=("rmse",),
    name="depth",
    title=None,
):
    """Depth along the optical axis, in meters.

    Source loss: absolute error over valid pixels.

    Args:
        weight: float. Weight of the source loss among tasks.
        encoding: What raw outputs are: `"meters"`, or `"log"`, as the authors'
            release trains on Taskonomy: `log(1 + 512 d) / log(65536)`. Labels
            and predictions are in meters either way.
        alignment: Fit of predictions to labels before the RMSE is taken, see
            `RootMeanSquaredError`. The metric is called after it, since it
            compares with no other. Other metrics take predictions as they are.
        metrics: list of str, the first of which curves and tables count:
            `"rmse"` in meters, `"mae"` in meters, `"abs_rel"`, `"sq_rel"` in
            meters, `"rmse_log"` of natural logarithms, and `"delta1"`,
            `"delta2"`, `"delta3"`, the shares of pixels within the factors
            1.25, 1.25^2 and 1.25^3 of the label. The last six are over the
            pixels whose label is positive, whatever the mask.
        name: str. Name of the task, and the beginning of its metrics' names.
        title: Optional str. Name for people, by default one that follows
            `name`.

    Returns:
        A `Task` with labels and predictions of shape `(height, width, 1)`,
        float32, not negative.

    Raises:
        ValueError: If `encoding`, `alignment` or a metric is unknown.
    """
    # The name of meters in models that were saved before.
    encoding = "meters" if encoding == "metres" else encoding
    loss, postprocess = lookup("encoding", encoding, ENCODINGS)
    return Task(
        name=name,
        title=title_of(name, title, "depth", "Depth"),
        num_outputs=1,
        label=DISTANCE,
        loss=loss,
        divergence=losses.gaussian_kl_divergence,
        measures=choose(metrics, {"rmse": rmse("m", alignment), **MEASURES}),
        weight=weight,
        postprocess=postprocess,
        unit="m",
        value_range=colors.common_range,
        picture=picture,
        legend=colors.SCALAR_COLORMAP,
    )


def picture(values, value_range):
    """Depth in a colormap, missing depth white."""
    return colors.color_scalar(values, *value_range, missing=0.0)
