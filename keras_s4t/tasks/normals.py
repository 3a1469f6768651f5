import functools

from keras import ops

from keras_s4t import losses
from keras_s4t import metrics as keras_metrics
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import DIRECTION
from keras_s4t.tasks.measure import Measure
from keras_s4t.tasks.measure import choose
from keras_s4t.tasks.registration import of_this_package
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup
from keras_s4t.tasks.task import no_range
from keras_s4t.tasks.task import title_of
from keras_s4t.vectors import unit

NORMALS_LOSSES = {
    "cosine": losses.cosine_distance,
    "l1": losses.unit_absolute_error,
    "row_cosine": losses.row_cosine_distance,
}


MEASURES = {
    "merr": Measure(
        "merr",
        "mean angular error",
        "degrees",
        False,
        keras_metrics.MeanAngularError,
    ),
    "median": Measure(
        "median",
        "median angular error",
        "degrees",
        False,
        keras_metrics.MedianAngularError,
    ),
    **{
        f"within_{degrees}": Measure(
            f"within_{degrees}",
            f"within {degrees}°",
            "",
            True,
            functools.partial(
                keras_metrics.ShareWithinAngle, degrees=float(degrees)
            ),
        )
        for degrees in ("5", "7.5", "11.25", "22.5", "30")
    },
}


@of_this_package
def normals(
    loss="cosine", weight=1.0, metrics=("merr",), name="normals", title=None
):
    """Surface normals: unit vectors, x right, y up, z towards the camera.

    Args:
        loss: `"cosine"`, one minus the cosine (Taskonomy as source), or
            `"l1"`, the absolute error of the normalized prediction (NYUD and
            PASCAL as source, with `weight=10`), or `"row_cosine"`, only to
            reproduce the authors' release; see `row_cosine_distance`.
        weight: float. Weight of the source loss among tasks.
        metrics: list of str, the first of which curves and tables count:
            `"merr"` and `"median"`, the mean and median angular error in
            degrees, and the shares of pixels within an angle, `"within_5"`,
            `"within_7.5"`, `"within_11.25"`, `"within_22.5"`, `"within_30"`.
        name: str. Name of the task, and the beginning of its metrics' names.
        title: Optional str. Name for people, by default one that follows
            `name`.

    Returns:
        A `Task` with labels and predictions of shape `(height, width, 3)`,
        float32, unit vectors.

    Raises:
        ValueError: If `loss` or a metric is unknown.
    """
    return Task(
        name=name,
        title=title_of(name, title, "normals", "Surface normals"),
        num_outputs=3,
        label=DIRECTION,
        loss=lookup("loss", loss, NORMALS_LOSSES),
        divergence=losses.direction_divergence,
        measures=choose(metrics, MEASURES),
        weight=weight,
        postprocess=unit_vectors,
        unit="",
        value_range=no_range,
        picture=picture,
        legend=(
            ("x right", (255, 128, 128)),
            ("y up", (128, 255, 128)),
            ("z to camera", (128, 128, 255)),
        ),
    )


def unit_vectors(outputs):
    """Unit vectors from raw outputs, zero where an output is zero."""
    return unit(ops.cast(outputs, "float32"))


def picture(values, value_range=None):
    """Normals as colors: x red, y green, z blue."""
    del value_range
    return colors.color_normals(values)
