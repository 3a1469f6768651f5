import functools
import itertools

from keras import ops

from keras_s4t import losses
from keras_s4t import metrics as keras_metrics
from keras_s4t.backend import argmax
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import CLASSES
from keras_s4t.tasks.measure import Measure
from keras_s4t.tasks.measure import choose
from keras_s4t.tasks.registration import of_this_package
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup
from keras_s4t.tasks.task import no_range
from keras_s4t.tasks.task import title_of

# A prediction that is no class; see `MeanIoU`.
NOT_A_NUMBER = -1
# What `"miou"` is.
AVERAGES = {"pixels": "miou", "images": "per_image_miou"}


@of_this_package
def semseg(
    num_classes,
    class_names=None,
    weight=1.0,
    average="pixels",
    metrics=("miou",),
    name="semseg",
    title=None,
):
    """Semantic segmentation; label 255 is ignored.

    Source loss: softmax cross-entropy over valid pixels.

    Args:
        num_classes: int. Classes, with ids `0 ... num_classes - 1`.
        class_names: Optional names of the classes, for legends.
        weight: float. Weight of the source loss among tasks.
        average: `"pixels"`, as in the paper: intersections and unions of all
            images are summed, a class that is absent from all counts as 0; see
            `MeanIoU`. `"images"`: the mean over images, with another key; see
            `PerImageMeanIoU`.
        metrics: list of str, the first of which curves and tables count:
            `"miou"`, the mean intersection over union by `average`;
            `"per_image_miou"`, that over images whatever `average` is;
            `"pixel_accuracy"`; `"mean_accuracy"`, the mean over classes of
            the share of their pixels that is found; and, not as the first,
            `"iou"`, that of every class, `"semseg_iou/<class name>"` in logs.
        name: str. Name of the task, and the beginning of its metrics' names.
        title: Optional str. Name for people, by default one that follows
            `name`.

    Returns:
        A `Task` with labels of shape `(height, width)`, integer, and predicted
        values of the same shape, int32 ids, -1 where logits are NaN.

    Raises:
        ValueError: If `num_classes` is not 2 ... 255, names are missing, or
            `average` or a metric is unknown.
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
    measures = _measures(num_classes, class_names)
    measures["miou"] = measures[lookup("average", average, AVERAGES)]
    names = class_names or [f"class {i}" for i in range(num_classes)]
    palette = itertools.cycle(colors.CLASS_COLORS.tolist())
    legend = tuple(
        (class_name, tuple(color))
        for class_name, color in zip(names, palette, strict=False)
    )
    return Task(
        name=name,
        title=title_of(name, title, "semseg", "Semantic segmentation"),
        num_outputs=num_classes,
        label=CLASSES,
        loss=losses.softmax_cross_entropy,
        divergence=losses.softmax_kl_divergence,
        measures=choose(metrics, measures),
        weight=weight,
        postprocess=class_ids,
        unit="",
        value_range=no_range,
        picture=picture,
        legend=(*legend, ("ignored", (255, 255, 255))),
    )


def _measures(num_classes, class_names):
    def measure(name, title, metric, is_dict=False, **kwargs):
        make = functools.partial(
            metric, num_classes, sparse_y_pred=True, **kwargs
        )
        return Measure(name, title, "", True, make, is_dict)

    return {
        "miou": measure("miou", "mIoU", keras_metrics.MeanIoU),
        "per_image_miou": measure(
            "per_image_miou", "mIoU per image", keras_metrics.PerImageMeanIoU
        ),
        "pixel_accuracy": measure(
            "pixel_accuracy", "pixel accuracy", keras_metrics.PixelAccuracy
        ),
        "mean_accuracy": measure(
            "mean_accuracy", "mean accuracy", keras_metrics.MeanAccuracy
        ),
        "iou": measure(
            "iou",
            "IoU",
            keras_metrics.ClassIoU,
            is_dict=True,
            class_names=class_names,
        ),
    }


def class_ids(outputs):
    """The most likely class of every pixel, -1 where logits are NaN."""
    outputs = ops.convert_to_tensor(outputs)
    is_nan = ops.any(ops.isnan(outputs), axis=-1)
    return ops.where(is_nan, NOT_A_NUMBER, argmax(outputs))


def picture(values, value_range=None):
    """Class ids in the colors of the legend, ignored ones white."""
    del value_range
    return colors.color_classes(values)
