"""A table of windows that any spreadsheet opens."""

import csv
import errno
import io
import pathlib

from keras_s4t.files import atomic_path
from keras_s4t.files import check_folder
from keras_s4t.live.monitors.measures import measures_of

# What every row has.
KEYS = ("frame", "window")
# How headers begin: with what `LiveAdapter.report` has first.
STARTS = ("frames,skipped/", "frames,windows,")
MUST = "`path` must be a new file, or one that `CSVLog` has written."


class CSVLog:
    """A monitor that writes a row per window to a CSV file.

    A row holds the decision (frame, window, action, reason, who predicts, loss,
    seconds, scores, estimated gains), and counts and latencies so far, see
    `LiveAdapter.report`. A name such as `"scores/loss"` is that of an entry of
    a dict. Cells of what is not known are empty.

    A row is written whole and at once: what a killed process began of one is
    removed when the file is gone on with. Rows are added to a file that is
    there; one that is no such table is refused and left as it is. Where going
    on from a saved state repeats windows, so do rows. A column that comes
    later, such as the first blank frame's, is added at the right.

    Args:
        path: string or path. Its folder is created if needed.

    Raises:
        ValueError: If the file cannot be written, or is no such table.

    Example:

    ```python
    monitors = [keras_s4t.live.CSVLog("runs/windows.csv")]
    live = keras_s4t.live.LiveAdapter(adapter, monitors=monitors)
    ```
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        check_folder(self.path.parent, "path")
        self._columns = []
        if self.path.exists():
            self._columns = self._go_on()

    def on_window(self, live, record):
        """Adds a row.

        Raises:
            OSError: If it cannot be written. The rows before it stay.
        """
        row = measures_of(live, record)
        new = [name for name in row if name not in self._columns]
        if new or not self.path.exists():
            self._widen(new)
        self._append(_line(_cell(row.get(name)) for name in self._columns))

    def close(self):
        """Does nothing: no file is open between two rows."""

    def _go_on(self):
        """The columns of the file, whose unfinished row is cut off."""
        try:
            with self.path.open("rb+") as file:
                content = file.read()
                end = content.rfind(b"\n") + 1
                # A row may have been cut within a character.
                text = content[:end] or content
                columns = self._columns_of(text.decode())
                if end < len(content):
                    file.truncate(end)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ValueError(
                f"{MUST} Received: path={str(self.path)!r} ({error})"
            ) from error
        return columns

    def _columns_of(self, text):
        header, newline, _ = text.partition("\n")
        columns = next(csv.reader([header]), [])
        is_ours = set(KEYS) <= set(columns)
        if not newline:
            # Nothing, or a header that was not complete.
            is_ours = any(
                text.startswith(start[: len(text)]) for start in STARTS
            )
        if not is_ours:
            raise ValueError(
                f"{MUST} Received: path={str(self.path)!r} with the columns "
                f"{columns}"
            )
        return columns if newline else []

    def _widen(self, new):
        rows = []
        if self.path.exists():
            with self.path.open(newline="") as file:
                rows = list(csv.reader(file))[1:]
        columns = self._columns + new
        with atomic_path(self.path) as path:
            with path.open("w", newline="") as file:
                file.write(_line(columns))
                for row in rows:
                    file.write(_line(row + [""] * (len(columns) - len(row))))
        self._columns = columns

    def _append(self, line):
        line = line.encode()
        # Without a buffer, so that a row is one write.
        with self.path.open("ab", buffering=0) as file:
            start = file.tell()
            try:
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, "No space left on device")
            except OSError:
                file.truncate(start)
                raise


def _line(cells):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _cell(value):
    # A row is a line.
    return value.replace("\n", " ") if isinstance(value, str) else value
