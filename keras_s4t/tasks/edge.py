import functools

from keras import ops

from keras_s4t import losses
from keras_s4t import metrics as keras_metrics
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import STRENGTH
from keras_s4t.tasks.measure import Measure
from keras_s4t.tasks.measure import choose
from keras_s4t.tasks.measure import rmse
from keras_s4t.tasks.not_a_number import keep_nan
from keras_s4t.tasks.registration import of_this_package
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup
from keras_s4t.tasks.task import title_of
from keras_s4t.tasks.task import unit_range


def probability(outputs):
    """Raw outputs that were trained as probabilities."""
    return keep_nan(outputs, lambda values: ops.clip(values, 0.0, 1.0))


def probability_of_logits(outputs):
    """Raw outputs that were trained as logits."""
    return keep_nan(outputs, ops.sigmoid)


EDGE_LOSSES = {
    "l1": (
        losses.absolute_error,
        probability,
        losses.gaussian_kl_divergence,
    ),
    "mse": (
        losses.squared_error,
        probability,
        losses.gaussian_kl_divergence,
    ),
    "balanced_bce": (
        losses.balanced_binary_cross_entropy,
        probability_of_logits,
        losses.bernoulli_kl_divergence,
    ),
}


MEASURES = {
    "odsf": Measure(
        "odsf", "ODS-F", "", True, keras_metrics.OptimalThresholdF1
    ),
    "ap": Measure(
        "ap",
        "average precision",
        "",
        True,
        functools.partial(keras_metrics.AveragePrecision, tolerance=0.0075),
    ),
}


@of_this_package
def edge(
    loss="l1",
    weight=1.0,
    alignment="none",
    metrics=("rmse",),
    name="edge",
    title=None,
):
    """Edges, in [0, 1].

    Args:
        loss: `"l1"` (Taskonomy as source), `"balanced_bce"` on logits (NYUD
            and PASCAL as source, with `weight=50`), or `"mse"`, which thin
            edges need, since the median that `"l1"` learns is no edge at all.
        weight: float. Weight of the source loss among tasks.
        alignment: Fit of predictions to labels before the RMSE is taken, see
            `RootMeanSquaredError`. The metric is called after it, since it
            compares with no other. An affine fit also absorbs the factor 255
            that the authors' release has in its predictions.
        metrics: list of str, the first of which curves and tables count:
            `"rmse"`; `"odsf"`, the best F1 at one threshold, see
            `OptimalThresholdF1` for its protocol, which is not that of the
            BSDS benchmark; `"ap"`, the average precision by the same protocol.
            For both, labels from 0.5 on are edges.
        name: str. Name of the task, and the beginning of its metrics' names.
        title: Optional str. Name for people, by default one that follows
            `name`.

    Returns:
        A `Task` with labels and predictions of shape `(height, width, 1)`,
        float32 in [0, 1].

    Raises:
        ValueError: If `loss`, `alignment` or a metric is unknown.
    """
    loss_fn, postprocess, divergence = lookup("loss", loss, EDGE_LOSSES)
    return Task(
        name=name,
        title=title_of(name, title, "edge", "Edges"),
        num_outputs=1,
        label=STRENGTH,
        loss=loss_fn,
        divergence=divergence,
        measures=choose(metrics, {"rmse": rmse("", alignment), **MEASURES}),
        weight=weight,
        postprocess=postprocess,
        unit="",
        value_range=unit_range,
        picture=picture,
        legend="gray_r",
    )


def picture(values, value_range=(0.0, 1.0)):
    """Edges in gray, black being an edge."""
    return colors.color_scalar(values, *value_range, colormap="gray_r")
