from pathlib import Path

from keras_s4t.files import atomic_path

# Without a creation date, equal figures give equal files.
_OPTIONS = {
    ".png": {"dpi": 300},
    ".pdf": {"dpi": 300, "metadata": {"CreationDate": None}},
}


def check_figure_path(path):
    """Raises a `ValueError` unless `path` is `None` or names a PNG or PDF."""
    if path is not None and Path(path).suffix.lower() not in _OPTIONS:
        raise ValueError(
            f"`path` must end in one of {sorted(_OPTIONS)}. "
            f"Received: path={str(path)!r}"
        )


def save_figure(figure, path):
    """Writes a figure as PNG or PDF, atomically.

    Args:
        figure: `matplotlib.figure.Figure`.
        path: string or path ending in `.png` or `.pdf`. Its folder is
            created if needed.

    Raises:
        ValueError: If `path` has another suffix.
    """
    import matplotlib

    check_figure_path(path)
    suffix = Path(path).suffix.lower()
    # Type 42 embeds TrueType fonts. Many publishers refuse Type 3.
    with (
        matplotlib.rc_context({"pdf.fonttype": 42}),
        atomic_path(path) as unfinished,
    ):
        figure.savefig(unfinished, format=suffix[1:], **_OPTIONS[suffix])
