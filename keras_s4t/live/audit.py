"""What was decided, one line of JSON at a time."""

import json
import math
import pathlib
import warnings


class Audit:
    """Appends to a file of JSON lines.

    A line is written whole and at once, so that a file whose writer was killed
    ends in at most one incomplete line. A line that cannot be written, such as
    on a full disk, is a warning, once: a stream must not end for it.

    Args:
        path: Optional path of the file; without it nothing is written.
    """

    def __init__(self, path=None):
        self.path = None if path is None else pathlib.Path(path)
        self._fails = self._warned = False
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._end_line()

    def write(self, record):
        """Adds a line.

        Args:
            record: dict of numbers, strings, and dicts of them. Numbers that
                are not finite become `null`, which JSON has not.
        """
        if self.path is None:
            return
        line = json.dumps(_finite(record)) + "\n"
        try:
            if self._fails:
                self._end_line()
            with self.path.open("a") as file:
                file.write(line)
            self._fails = False
        except OSError as error:
            self._fails = True
            if not self._warned:
                self._warned = True
                warnings.warn(
                    "A decision could not be added to the audit file; "
                    f"adaptation goes on, and so will the file: {error}",
                    stacklevel=4,
                )

    def _end_line(self):
        # After a writer that was killed.
        if self.path.exists() and self.path.stat().st_size:
            with self.path.open("rb+") as file:
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")


def read_audit(path):
    """The records of an audit file; incomplete lines are left out.

    Args:
        path: string or path.

    Returns:
        list of dicts.
    """
    records = []
    for line in pathlib.Path(path).read_text().splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
