"""What was decided, one line of JSON at a time."""

import json
import math
import pathlib
import warnings

import numpy as np


class Audit:
    """Appends to a file of JSON lines.

    A line is written whole and at once, so that a file whose writer was killed
    ends in at most one incomplete line. A line that cannot be written, such as
    on a full disk, is a warning, once: a stream must not end for it.

    Args:
        path: Optional path of the file; without it nothing is written.

    Raises:
        ValueError: If the file cannot be written, or is no audit.
    """

    def __init__(self, path=None):
        self.path = None if path is None else pathlib.Path(path)
        self._fails = self._warned = False
        if self.path is not None:
            self._check()
            self._end_line()

    def write(self, record):
        """Adds a line.

        Args:
            record: dict of numbers, strings, arrays, and lists and dicts of
                them. Numbers that are not finite become `null`, which JSON has
                not, and what JSON has no form for its text.
        """
        if self.path is None:
            return
        line = json.dumps(_finite(record), default=str) + "\n"
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

    def _check(self):
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            reason = None
            if self.path.exists():
                with self.path.open("rb+") as file:
                    if not _is_audit(file):
                        reason = "whose first line is no record"
        except OSError as error:
            reason = f"({error})"
        if reason:
            raise ValueError(
                "`audit` must be a new file, or one that a `LiveAdapter` has "
                f"written. Received: audit={str(self.path)!r} {reason}"
            )

    def _end_line(self):
        # After a writer that was killed.
        if self.path.exists() and self.path.stat().st_size:
            with self.path.open("rb+") as file:
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")


def read_audit(path):
    """The records of an audit file; lines that hold none are left out.

    Args:
        path: string or path.

    Returns:
        list of dicts.
    """
    lines = pathlib.Path(path).read_bytes().split(b"\n")
    records = map(_record_of, lines)
    return [record for record in records if record is not None]


def _record_of(line):
    try:
        record = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _is_audit(lines):
    for line in lines:
        if _record_of(line) is not None:
            return True
        # A killed writer may have left the beginning of one.
        if not b'{"'.startswith(line.rstrip()[:2]):
            return False
    return True


def _finite(value):
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else str(key): _finite(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return _finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
