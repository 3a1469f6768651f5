"""What a live adapter does, in the terminal."""

import rich.console
import rich.live
import rich.table
from rich import box

from keras_s4t.live.guard import SPREAD


class LiveTable:
    """A monitor that shows the last window in the terminal.

    The table stays in its place; what the program prints appears above it.
    Where the output is no terminal, the last table is printed at the end.

    Args:
        console: Optional `rich.console.Console`, by default one of standard
            output.

    Example:

    ```python
    monitors = [keras_s4t.live.LiveTable()]
    with keras_s4t.live.LiveAdapter(adapter, monitors=monitors) as live:
        for frame in camera:
            live(frame)
    ```
    """

    def __init__(self, console=None):
        self.console = console or rich.console.Console()
        self._display = None

    def on_window(self, live, record):
        """Shows a window."""
        table = table_of(live, record)
        if self._display is None:
            # Nothing changes between two windows: no thread need refresh it.
            self._display = rich.live.Live(
                console=self.console, auto_refresh=False
            )
            self._display.start()
        self._display.update(table, refresh=True)

    def close(self):
        """Leaves the last table where it is."""
        display, self._display = self._display, None
        if display is not None:
            display.stop()


def table_of(live, record):
    """A window as a `rich.table.Table` of names and texts."""
    report = live.report()
    limits = live.limits()["limits"]
    table = rich.table.Table(box=box.SIMPLE, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    action = record["action"].replace("_", " ")
    reason = record["reason"]
    rows = {
        "window": f"{record['window']}, at frame {record['frame']}",
        "action": f"{action}: {reason}" if reason else action,
        "predicts": record["predicts"],
        "estimated gains": ", ".join(
            f"{name} {gain:+.1f} %"
            for name, gain in record["estimates"].items()
        ),
        "frames per second": f"{report['frames_per_second']:.1f}",
        "prediction": _latency(report["prediction_seconds"]),
        "adaptation": _latency(report["adaptation_seconds"]),
        "skipped frames": _counts(report["skipped"]),
        "windows": _counts({**report["actions"], "missed": report["missed"]}),
        "statistics": _number(
            record["statistics_distance"], "{:.3f} deviations from the source"
        ),
    }
    if not record["scores"]:
        rows["loss"] = _number(record["loss"], "{:.4g}")
    for name, score in record["scores"].items():
        text = _number(score, "{:.4g}")
        if name in limits:
            side = "least" if name.endswith(SPREAD) else "most"
            text += f", at {side} {limits[name]:.4g}"
        rows[name.replace("_", " ")] = text
    for name, text in rows.items():
        if text:
            table.add_row(name, text)
    return table


def _latency(quantiles):
    if quantiles is None:
        return ""
    return (
        f"{1000 * quantiles['median']:.1f} ms, 99 % within "
        f"{1000 * quantiles['p99']:.1f} ms"
    )


def _counts(counts):
    found = [
        f"{count} {name.replace('_', ' ')}"
        for name, count in counts.items()
        if count
    ]
    return ", ".join(found) or "0"


def _number(value, form):
    return "" if value is None else form.format(value)
