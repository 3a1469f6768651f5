"""The one file of a comparison, which an interrupted one finds again."""

import json
import math
import numbers

from shared.results_file import ResultsFile

from keras_s4t.curves import Curve

DIGITS = 6
PARTS = ("sources", "tuning", "costs", "runs")


class ComparisonResults(ResultsFile):
    """A JSON file that is written anew after everything that is finished.

    Finished things are in the dicts `sources`, `tuning`, `costs` and `runs`,
    under the keys of `Keys`, so that a changed setting finds nothing. What
    other processes have finished meanwhile stays in the file. Everything else
    describes what the last command asked for.

    Args:
        path: Path of the file.
        fresh: bool. Whether to ignore what the file holds.

    Raises:
        ValueError: If the file is not one of these.
    """

    kind = "a comparison"
    parts = PARTS

    def __init__(self, path, fresh=False):
        super().__init__(path, fresh)
        for part in PARTS:
            self.content.setdefault(part, {})

    def check(self, content):
        missing = [part for part in PARTS if part not in content]
        if missing:
            raise self.refusal(missing)
        if "methods" in content:
            raise self.refusal("`methods` of an older version")

    def text(self):
        return _one_record_a_line(self.content)

    def __getitem__(self, part):
        return self.content[part]

    def add(self, part, key, **record):
        """Keeps what is finished, and writes the file."""
        self.content[part][key] = _rounded(record)
        self.save_if_possible()

    def update(self, **parts):
        """Replaces parts, and writes the file."""
        self.content |= _rounded(parts)
        self.save()


class CollectedResults:
    """What a worker finishes, for the process that writes the file.

    Args:
        content: dict with the parts of a `ComparisonResults`: what is finished
            already.

    Attributes:
        added: list of dicts, the keyword arguments of `ComparisonResults.add`.
    """

    def __init__(self, content):
        self.content = {part: dict(content[part]) for part in PARTS}
        self.added = []

    def __getitem__(self, part):
        return self.content[part]

    def add(self, part, key, **record):
        """Keeps what is finished."""
        self.content[part][key] = _rounded(record)
        self.added.append({"part": part, "key": key, **record})


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
