"""Square matrices over tasks, their numbers written in the cells."""

import numpy as np

from keras_s4t.plots.save_figure import check_figure_path
from keras_s4t.plots.save_figure import save_figure

_PANEL_SIZE = 1.9  # inches


def matrices(values, labels, path=None, title=None, limits=(-1.0, 1.0)):
    """Draws matrices side by side, with one color scale.

    Args:
        values: dict from the title of a panel to an array of shape
            `(num_labels, num_labels)`.
        labels: list of strings, of rows and columns.
        path: string or path ending in `.png` or `.pdf`, or None. File to
            write the figure to.
        title: string or None. Title of the figure.
        limits: Pair of floats, the ends of the color scale.

    Returns:
        `matplotlib.figure.Figure`, not managed by pyplot.

    Raises:
        ValueError: If there is no matrix, a matrix has another shape, or `path`
            has another suffix.

    Example:
    ```python
    matrices({"source": affinity}, ["semseg", "depth"], limits=(0, 1))
    ```
    """
    import matplotlib
    from matplotlib.figure import Figure

    check_figure_path(path)
    shapes = {name: np.shape(matrix) for name, matrix in values.items()}
    expected = (len(labels), len(labels))
    if not values or any(shape != expected for shape in shapes.values()):
        raise ValueError(
            f"`values` must hold at least one matrix, each of shape {expected}."
            f" Received: shapes {shapes}"
        )
    with matplotlib.rc_context({"font.size": 8, "axes.titlesize": 8}):
        figure = Figure(
            figsize=(0.9 + _PANEL_SIZE * len(values), _PANEL_SIZE + 0.6),
            layout="constrained",
        )
        axes = figure.subplots(1, len(values), sharey=True, squeeze=False)[0]
        for ax, (name, matrix) in zip(axes, values.items(), strict=True):
            image = ax.imshow(
                matrix, cmap="viridis", vmin=limits[0], vmax=limits[1]
            )
            _write_cells(ax, np.asarray(matrix), limits)
            ax.set_title(name)
            ax.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
            ax.set_yticks(range(len(labels)), labels)
            ax.tick_params(labelsize=7, length=0)
            ax.spines[:].set_visible(False)
        figure.colorbar(image, ax=list(axes), shrink=0.8).ax.tick_params(
            labelsize=7
        )
        if title is not None:
            figure.suptitle(title, fontsize=9)
    if path is not None:
        save_figure(figure, path)
    return figure


def _write_cells(ax, matrix, limits):
    middle = (limits[0] + limits[1]) / 2
    for (row, column), value in np.ndenumerate(matrix):
        ax.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            fontsize=7,
            color="black" if value > middle else "white",
        )
