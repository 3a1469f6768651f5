"""Images with the labels and predictions of every task."""

import numpy as np

from keras_s4t.plots.save_figure import check_figure_path
from keras_s4t.plots.save_figure import save_figure
from keras_s4t.plots.value_legend import BAR_HEIGHT
from keras_s4t.plots.value_legend import GAP
from keras_s4t.plots.value_legend import add_axes
from keras_s4t.plots.value_legend import color_names_height
from keras_s4t.plots.value_legend import draw_color_bar
from keras_s4t.plots.value_legend import draw_color_names

# All lengths are in inches. Pictures have the same size in every figure.
_PICTURE_WIDTH = 1.3
_IMAGE_SCALE = 1.4  # of the image beside several rows of pictures
_MARGIN = 0.06
_HEADING = 0.2


def prediction_grid(
    images, predictions, tasks, labels=None, path=None, max_images=4
):
    """Draws images with their labels and predictions, for comparison.

    Each image has a block with a column per task, a row for the labels and a
    row per set of predictions. The pictures of one task in one block share a
    range of values, which a color bar below them shows in the unit of the task.
    A legend at the bottom names classes and directions.

    Args:
        images: NumPy array of shape `(num_images, height, width, 3)`, values
            in `[0, 255]`.
        predictions: dict from the heading of a row, such as `"before"`, to a
            dict from task name to a NumPy array of postprocessed values: class
            ids of shape `(num_images, height, width)`, depth in meters or edge
            strength of shape `(num_images, height, width, 1)`, unit normals of
            shape `(num_images, height, width, 3)`.
        tasks: list of tasks with `name`, `title`, `unit`, `legend`,
            `value_range` and `picture`, in the order of the columns.
        labels: dict from task name to arrays as in `predictions`, or None. The
            cell of a task without labels stays empty.
        path: string or path ending in `.png` or `.pdf`, or None. File to
            write the figure to.
        max_images: int. Maximum number of images; the first ones are drawn.

    Returns:
        `matplotlib.figure.Figure`, not managed by pyplot.

    Raises:
        ValueError: If shapes or names do not match, or if `path` has another
            suffix.

    Example:
    ```python
    prediction_grid(
        images,
        {"before": source_predictions, "after": adapted_predictions},
        tasks,
        labels=labels,
        path="predictions.pdf",
    )
    ```
    """
    import matplotlib

    check_figure_path(path)
    images = np.asarray(images)
    _check(images, predictions, tasks, labels, max_images)
    rows = list(predictions.items())
    if labels is not None:
        rows = [("label", labels), *rows]
    with matplotlib.rc_context({"font.size": 8}):
        figure = _draw(images[:max_images], rows, tasks)
    if path is not None:
        save_figure(figure, path)
    return figure


def _check(images, predictions, tasks, labels, max_images):
    if images.ndim != 4 or images.shape[-1] != 3 or not images.size:
        raise ValueError(
            "`images` must have shape `(num_images, height, width, 3)`. "
            f"Received: images of shape {images.shape}"
        )
    if not (0 <= images.min() and images.max() <= 255):
        raise ValueError(
            "`images` must be in [0, 255]. Received: images from "
            f"{images.min()} to {images.max()}"
        )
    if max_images < 1:
        raise ValueError(
            "`max_images` must be at least 1. "
            f"Received: max_images={max_images}"
        )
    names = [task.name for task in tasks]
    if not predictions or not names:
        raise ValueError(
            "`predictions` and `tasks` must not be empty. Received: "
            f"predictions={list(predictions)}, tasks={names}"
        )
    for title, arrays in predictions.items():
        if set(arrays) != set(names):
            raise ValueError(
                f"Every set of predictions must hold the tasks {names}. "
                f"Received: predictions[{title!r}] with {sorted(arrays)}"
            )
    if not set(labels or ()) <= set(names):
        raise ValueError(
            f"`labels` must be of the tasks {names}. "
            f"Received: labels={sorted(labels)}"
        )
    for title, arrays in (*predictions.items(), ("labels", labels or {})):
        for name, array in arrays.items():
            if np.shape(array)[:3] != images.shape[:3]:
                raise ValueError(
                    "Every array must begin with the shape of `images`, "
                    f"{images.shape[:3]}. Received: {title!r} of {name!r} "
                    f"with shape {np.shape(array)}"
                )


def _draw(images, rows, tasks):
    from matplotlib.figure import Figure

    image_width = _PICTURE_WIDTH * (_IMAGE_SCALE if len(rows) > 1 else 1.0)
    aspect = images.shape[1] / images.shape[2]
    picture_height = _PICTURE_WIDTH * aspect
    first_left = _MARGIN + image_width + _HEADING
    lefts = first_left + np.arange(len(tasks)) * (_PICTURE_WIDTH + GAP)
    width = lefts[-1] + _PICTURE_WIDTH + 2 * _MARGIN
    rows_height = len(rows) * (picture_height + GAP)
    has_bars = any(isinstance(task.legend, str) for task in tasks)
    block_height = rows_height + (BAR_HEIGHT if has_bars else 0.0) + 2 * GAP
    bottom = _HEADING + len(images) * block_height
    named = [t for t in tasks if t.legend and not isinstance(t.legend, str)]
    names_heights = [color_names_height(t.legend, width) for t in named]
    figure = Figure(figsize=(width, bottom + sum(names_heights) + _MARGIN))

    for index, image in enumerate(images):
        top = _HEADING + index * block_height
        title = "Image" if index == 0 else ""
        axes = add_axes(figure, _MARGIN, top, image_width, image_width * aspect)
        _draw_picture(axes, image.astype("uint8"), title)
        for task, left in zip(tasks, lefts, strict=True):
            values = {
                row: np.asarray(arrays[task.name][index])
                for row, (_, arrays) in enumerate(rows)
                if task.name in arrays
            }
            value_range = task.value_range(list(values.values()))
            for row, (heading, _) in enumerate(rows):
                picture_top = top + row * (picture_height + GAP)
                axes = add_axes(
                    figure, left, picture_top, _PICTURE_WIDTH, picture_height
                )
                picture = None
                if row in values:
                    picture = task.picture(values[row], value_range)
                title = task.title if index == row == 0 else ""
                _draw_picture(axes, picture, title)
                if task is tasks[0]:
                    axes.set_ylabel(heading, labelpad=3)
            if isinstance(task.legend, str):
                draw_color_bar(
                    figure,
                    left,
                    top + rows_height,
                    _PICTURE_WIDTH,
                    task.legend,
                    value_range,
                    task.unit,
                )
    for task, height in zip(named, names_heights, strict=True):
        draw_color_names(figure, bottom, task.title, task.legend)
        bottom += height
    return figure


def _draw_picture(axes, picture, title):
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=8, pad=4)
    if picture is None:
        axes.text(0.5, 0.5, "no label", color="#808080", ha="center")
    else:
        axes.imshow(picture)
