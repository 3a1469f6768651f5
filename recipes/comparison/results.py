"""The one file of a comparison, which an interrupted one finds again."""

import hashlib
import json
import math
import numbers
import pathlib

from keras_s4t.curves import Curve
from keras_s4t.files import atomic_path

DIGITS = 6
PARTS = ("sources", "tuning", "costs", "runs")


def signature(*parts):
    """A short name for everything that changes a result.

    Args:
        *parts: What `json.dumps` takes, or anything that says what it is as
            a string.

    Returns:
        string of 12 hexadecimal digits.
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Results:
    """A JSON file that is written anew after everything that is finished.

    Finished things lie in the dicts `sources`, `tuning`, `costs` and `runs`
    under the signature of all that made them, so that a changed setting finds
    nothing. Everything else tells what the last command asked for.

    Args:
        path: Path of the file.
        fresh: bool. Whether to forget what the file holds.

    Raises:
        ValueError: If the file is not one of these.
    """

    def __init__(self, path, fresh=False):
        self.path = pathlib.Path(path)
        self.content = {}
        if self.path.exists() and not fresh:
            self.content = self._read()
        for part in PARTS:
            self.content.setdefault(part, {})

    def _read(self):
        try:
            content = json.loads(self.path.read_text())
            missing = [part for part in PARTS if part not in content]
        except ValueError as error:
            missing = error
        if missing:
            raise ValueError(
                "The file must be that of a comparison. "
                f"Received: {self.path} ({missing})"
            )
        return content

    def __getitem__(self, part):
        return self.content[part]

    def add(self, part, key, **facts):
        """Keeps what is finished, and writes the file."""
        self.content[part][key] = _rounded(facts)
        self.save()

    def save(self, **parts):
        """Writes the file, after some parts were replaced."""
        self.content |= _rounded(parts)
        with atomic_path(self.path) as path:
            path.write_text(_one_record_a_line(self.content))


def columns_of(points):
    """The points of a curve as one list per quantity, which is shorter."""
    return {key: [point[key] for point in points] for key in points[0]}


def curve_of(columns, higher_is_better):
    """The `Curve` of such lists; a number that was not finite is NaN."""
    rows = zip(*columns.values(), strict=True)
    points = [
        {
            key: math.nan if value is None else value
            for key, value in zip(columns, row, strict=True)
        }
        for row in rows
    ]
    return Curve(points, higher_is_better)


def _rounded(value):
    """The value in types of JSON, floats with few digits."""
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, numbers.Number):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return str(value)


def _one_record_a_line(content):
    """JSON that people and `diff` can read."""
    parts = []
    for name, part in content.items():
        text = json.dumps(part, allow_nan=False)
        if isinstance(part, dict) and part:
            lines = [
                f"  {json.dumps(key)}: {json.dumps(value, allow_nan=False)}"
                for key, value in part.items()
            ]
            text = "{\n" + ",\n".join(lines) + "\n }"
        parts.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
