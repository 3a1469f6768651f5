import functools
import itertools

from keras import ops

from keras_s4t import losses
from keras_s4t import metrics
from keras_s4t.backend import argmax
from keras_s4t.tasks import colors
from keras_s4t.tasks.label import CLASSES
from keras_s4t.tasks.task import Task
from keras_s4t.tasks.task import lookup
from keras_s4t.tasks.task import no_range

# A prediction that is no class; see `MeanIoU`.
NOT_A_NUMBER = -1
AVERAGES = {
    "pixels": (metrics.MeanIoU, "semseg_miou", "mIoU"),
    "images": (
        metrics.PerImageMeanIoU,
        "semseg_per_image_miou",
        "mIoU per image",
    ),
}


def semseg(num_classes, class_names=None, weight=1.0, average="pixels"):
    """Semantic segmentation; label 255 is ignored.

    Source loss: softmax cross-entropy over valid pixels. Metric: mean
    intersection over union in [0, 1].

    Args:
        num_classes: int. Classes, with ids `0 ... num_classes - 1`.
        class_names: Optional names of the classes, for legends.
        weight: float. Weight of the source loss among tasks.
        average: `"pixels"`, as in the paper: intersections and unions of all
            images are summed, a class that is absent from all counts as 0; see
            `MeanIoU`. `"images"`: the mean over images, with another key; see
            `PerImageMeanIoU`.

    Returns:
        A `Task` with labels of shape `(height, width)`, integer, and predicted
        values of the same shape, int32 ids, -1 where logits are NaN.

    Raises:
        ValueError: If `num_classes` is not 2 ... 255, names are missing, or
            `average` is unknown.
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
    metric, key, title = lookup("average", average, AVERAGES)
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
        label=CLASSES,
        loss=losses.softmax_cross_entropy,
        divergence=losses.softmax_kl_divergence,
        metric=functools.partial(metric, num_classes, sparse_y_pred=True),
        metric_key=key,
        metric_title=title,
        metric_unit="",
        higher_is_better=True,
        weight=weight,
        postprocess=class_ids,
        unit="",
        value_range=no_range,
        picture=picture,
        legend=(*legend, ("ignored", (255, 255, 255))),
        config={
            "num_classes": num_classes,
            "class_names": None if class_names is None else list(class_names),
            "weight": weight,
            "average": average,
        },
    )


def class_ids(outputs):
    """The most likely class of every pixel, -1 where logits are NaN."""
    outputs = ops.convert_to_tensor(outputs)
    is_nan = ops.any(ops.isnan(outputs), axis=-1)
    return ops.where(is_nan, NOT_A_NUMBER, argmax(outputs))


def picture(values, value_range=None):
    """Class ids in the colors of the legend, ignored ones white."""
    del value_range
    return colors.color_classes(values)
