from keras import ops

from keras_s4t import losses
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import STRENGTH
from keras_s4t.tasks.not_a_number import keep_nan
from keras_s4t.tasks.rmse import rmse_kwargs
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup


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


def edge(loss="l1", weight=1.0, alignment="none"):
    """Edges, in [0, 1].

    Metric: RMSE.

    Args:
        loss: `"l1"` (Taskonomy as source), `"balanced_bce"` on logits (NYUD
            and PASCAL as source, with `weight=50`), or `"mse"`, which thin
            edges need, since the median that `"l1"` learns is no edge at all.
        weight: float. Weight of the source loss among tasks.
        alignment: Fit of predictions to labels before the RMSE is taken, see
            `RootMeanSquaredError`. The metric is called after it, since it
            compares with no other. An affine fit also absorbs the factor 255
            that the authors' release has in its predictions.

    Returns:
        A `Task` with labels and predictions of shape `(height, width, 1)`,
        float32 in [0, 1].

    Raises:
        ValueError: If `loss` or `alignment` is unknown.
    """
    loss_fn, postprocess, divergence = lookup("loss", loss, EDGE_LOSSES)
    return Task(
        name="edge",
        title="Edges",
        num_outputs=1,
        label=STRENGTH,
        loss=loss_fn,
        divergence=divergence,
        **rmse_kwargs("edge", alignment),
        metric_unit="",
        higher_is_better=False,
        weight=weight,
        postprocess=postprocess,
        unit="",
        value_range=unit_range,
        picture=picture,
        legend="gray_r",
        config={"loss": loss, "weight": weight, "alignment": alignment},
    )


def unit_range(arrays):
    """Probabilities share [0, 1]."""
    del arrays
    return (0.0, 1.0)


def picture(values, value_range=(0.0, 1.0)):
    """Edges in gray, black being an edge."""
    return colors.color_scalar(values, *value_range, colormap="gray_r")
