"""Which patches of which task a masking strategy leaves visible."""

import numpy as np

from keras_s4t.plots.curve_styles import COLORS
from keras_s4t.plots.save_figure import check_figure_path
from keras_s4t.plots.save_figure import save_figure

_CELL = 1.1  # inches


def mask_grid(masks, path=None, title=None):
    """Draws masks, one row per strategy and one column per task.

    Visible patches are colored, hidden ones are light gray.

    Args:
        masks: dict from the name of a strategy to a dict from the name of a
            task to an array of shape `(rows, columns)`: 1 where a patch is
            visible, 0 where it is hidden.
        path: string or path ending in `.png` or `.pdf`, or None. File to
            write the figure to.
        title: string or None. Title of the figure.

    Returns:
        `matplotlib.figure.Figure`, not managed by pyplot.

    Raises:
        ValueError: If there is no strategy, strategies have other tasks, or
            `path` has another suffix.

    Example:
    ```python
    maps = RandomMasking(256, ["depth", "edge"], 0.8).visible_maps(1)
    grid = {k: np.reshape(v, (16, 16)) for k, v in maps.items()}
    mask_grid({"shared": grid}, "masks.png")
    ```
    """
    import matplotlib
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    check_figure_path(path)
    task_names = [list(maps) for maps in masks.values()]
    if not masks or any(names != task_names[0] for names in task_names):
        raise ValueError(
            "`masks` must hold at least one strategy, all with the same tasks. "
            f"Received: {dict(zip(masks, task_names, strict=True))}"
        )
    names = task_names[0]
    with matplotlib.rc_context({"font.size": 8, "axes.titlesize": 8}):
        figure = Figure(
            figsize=(0.8 + _CELL * len(names), 0.4 + _CELL * len(masks)),
            layout="constrained",
        )
        axes = figure.subplots(len(masks), len(names), squeeze=False)
        for row, (strategy, maps) in zip(axes, masks.items(), strict=True):
            row[0].set_ylabel(strategy)
            for i, (ax, name) in enumerate(zip(row, names, strict=True)):
                colors = ListedColormap(["#E6E6E6", COLORS[i % len(COLORS)]])
                visible = np.asarray(maps[name])
                ax.imshow(visible, cmap=colors, vmin=0, vmax=1)
                # White lines between the patches.
                for edges, draw in zip(
                    visible.shape, (ax.axhline, ax.axvline), strict=True
                ):
                    for edge in range(1, edges):
                        draw(edge - 0.5, color="white", linewidth=0.4)
                ax.set(xticks=[], yticks=[])
                ax.spines[:].set_visible(False)
        for ax, name in zip(axes[0], names, strict=True):
            ax.set_title(name)
        if title is not None:
            figure.suptitle(title, fontsize=9)
    if path is not None:
        save_figure(figure, path)
    return figure
