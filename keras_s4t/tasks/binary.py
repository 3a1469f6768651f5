import functools

from keras import ops

from keras_s4t import losses
from keras_s4t import metrics as keras_metrics
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import BINARY
from keras_s4t.tasks.measure import Measure
from keras_s4t.tasks.measure import choose
from keras_s4t.tasks.not_a_number import keep_nan
from keras_s4t.tasks.registration import of_this_package
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import title_of
from keras_s4t.tasks.task import unit_range

MEASURES = {
    "iou": Measure("iou", "IoU", "", True, keras_metrics.BinaryIoU),
    "accuracy": Measure(
        "accuracy", "accuracy", "", True, keras_metrics.BinaryAccuracy
    ),
    "f1": Measure("f1", "F1", "", True, keras_metrics.BinaryF1),
    "ap": Measure(
        "ap", "average precision", "", True, keras_metrics.AveragePrecision
    ),
}


@of_this_package
def binary(
    name,
    weight=1.0,
    positive_weight=0.5,
    metrics=("iou",),
    title=None,
):
    """A yes or no per pixel: salient, drivable, a person.

    Labels are 0 or 1, as numbers, and NaN where they are missing; 255 is not
    missing here. The network predicts logits, and values are probabilities.
    Source loss: binary cross-entropy over valid pixels.

    Args:
        name: str. Name of the task, and the beginning of its metrics' names.
        weight: float. Weight of the source loss among tasks.
        positive_weight: float in [0, 1]. Share of positive pixels in the
            loss, for rare ones: `2 * positive_weight` times their
            cross-entropy, `2 * (1 - positive_weight)` times that of others.
        metrics: list of str, the first of which curves and tables count:
            `"iou"` of what is positive, `"accuracy"`, `"f1"`, each at the
            probability 0.5, and `"ap"`, the average precision.
        title: Optional str. Name for people, by default one that follows
            `name`.

    Returns:
        A `Task` with labels and predictions of shape `(height, width, 1)`,
        float32 in [0, 1].

    Raises:
        ValueError: If `positive_weight` is not in [0, 1] or a metric unknown.

    Example:

    ```python
    keras_s4t.tasks.binary("saliency", metrics=("iou", "f1", "ap"))
    ```
    """
    if not 0 <= positive_weight <= 1:
        raise ValueError(
            "`positive_weight` must be in [0, 1]. "
            f"Received: positive_weight={positive_weight}"
        )
    return Task(
        name=name,
        title=title_of(name, title, None, None),
        num_outputs=1,
        label=BINARY,
        loss=functools.partial(
            binary_cross_entropy, positive_weight=positive_weight
        ),
        divergence=losses.bernoulli_kl_divergence,
        measures=choose(metrics, MEASURES),
        weight=weight,
        postprocess=probability,
        unit="",
        value_range=unit_range,
        picture=picture,
        legend=colors.SCALAR_COLORMAP,
    )


def binary_cross_entropy(y_true, y_pred, mask=None, positive_weight=0.5):
    """Cross-entropy of logits, in nats per valid pixel for equal weights."""
    return 2 * losses.balanced_binary_cross_entropy(
        y_true, y_pred, mask, positive_weight
    )


def probability(outputs):
    """Probabilities of logits."""
    return keep_nan(outputs, ops.sigmoid)


def picture(values, value_range=(0.0, 1.0)):
    """Probabilities in a color map, missing labels white."""
    return colors.color_scalar(values, *value_range)
