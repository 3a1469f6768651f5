"""JSON files of results."""

import json
import pathlib

from keras_s4t.files import atomic_path


def write_json(path, content, indent=2):
    """Writes JSON atomically.

    Args:
        path: Path of the file.
        content: What `json.dumps` takes.
        indent: int. Spaces per level.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=indent) + "\n")


class ResultsFile:
    """A JSON file that an interrupted program finds again.

    Subclasses implement `check` and, for another layout, `text`.

    Args:
        path: Path of the file.
        fresh: bool. Whether to ignore what the file holds.

    Attributes:
        content: dict, what the file holds.

    Raises:
        ValueError: If the file is no JSON, or `check` rejects its content.
    """

    kind = "a program"

    def __init__(self, path, fresh=False):
        self.path = pathlib.Path(path)
        self.content = {}
        if self.path.exists() and not fresh:
            self.content = self._read()

    def check(self, content):
        """Raises a `ValueError` if this is not the content of such a file."""

    def text(self):
        """The content as text."""
        return json.dumps(self.content, indent=2) + "\n"

    def save(self):
        """Writes the file atomically."""
        with atomic_path(self.path) as path:
            path.write_text(self.text())

    def refusal(self, reason):
        """The error for a file of another kind."""
        return ValueError(
            f"The file must be that of {self.kind}. "
            f"Received: {self.path} ({reason})"
        )

    def _read(self):
        try:
            content = json.loads(self.path.read_text())
        except ValueError as error:
            raise self.refusal(error) from error
        if not isinstance(content, dict):
            raise self.refusal(f"{type(content).__name__} instead of a dict")
        self.check(content)
        return content
