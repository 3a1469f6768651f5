from keras import ops

from keras_s4t import losses
from keras_s4t import metrics
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import DIRECTION
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup
from keras_s4t.tasks.task import no_range
from keras_s4t.vectors import unit

NORMALS_LOSSES = {
    "cosine": losses.cosine_distance,
    "l1": losses.unit_absolute_error,
    "row_cosine": losses.row_cosine_distance,
}


def normals(loss="cosine", weight=1.0):
    """Surface normals: unit vectors, x right, y up, z towards the camera.

    Metric: mean angular error in degrees.

    Args:
        loss: `"cosine"`, one minus the cosine (Taskonomy as source), or
            `"l1"`, the absolute error of the normalized prediction (NYUD and
            PASCAL as source, with `weight=10`), or `"row_cosine"`, only to
            reproduce the authors' release; see `row_cosine_distance`.
        weight: float. Weight of the source loss among tasks.

    Returns:
        A `Task` with labels and predictions of shape `(height, width, 3)`,
        float32, unit vectors.

    Raises:
        ValueError: If `loss` is unknown.
    """
    return Task(
        name="normals",
        title="Surface normals",
        num_outputs=3,
        label=DIRECTION,
        loss=lookup("loss", loss, NORMALS_LOSSES),
        divergence=losses.direction_divergence,
        metric=metrics.MeanAngularError,
        metric_key="normals_merr",
        metric_title="mean angular error",
        metric_unit="degrees",
        higher_is_better=False,
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
        config={"loss": loss, "weight": weight},
    )


def unit_vectors(outputs):
    """Unit vectors from raw outputs, zero where an output is zero."""
    return unit(ops.cast(outputs, "float32"))


def picture(values, value_range=None):
    """Normals as colors: x red, y green, z blue."""
    del value_range
    return colors.color_normals(values)
