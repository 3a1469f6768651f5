"""JSON files of results."""

import json
import pathlib
import shlex
import sys

import filelock

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


def given_command():
    """The command that runs, as text.

    Folders of this machine are left out.
    """
    program, *words = map(pathlib.Path, sys.argv)
    if program.parent.name == "recipes":
        program = pathlib.Path("recipes", program.name)
    words = [word.name if word.is_absolute() else word for word in words]
    return shlex.join(["python", str(program), *map(str, words)])


class ResultsFile:
    """A JSON file that an interrupted program finds again.

    Several processes may write one file: it keeps what each of them adds to
    `parts`. Subclasses implement `check` and, for another layout, `text`.

    Args:
        path: Path of the file.
        fresh: bool. Whether to ignore what the file holds.

    Attributes:
        content: dict, what the file holds.
        parts: Names of dicts in `content` to which results are added.

    Raises:
        ValueError: If the file is no JSON, or `check` rejects its content.
    """

    kind = "a program"
    parts = ()

    def __init__(self, path, fresh=False):
        self.path = pathlib.Path(path)
        self.content = {}
        # What the file holds now is not to be kept.
        self._is_fresh = fresh
        self._is_told = False
        if self.path.exists() and not fresh:
            self.content = self._read()

    def check(self, content):
        """Raises a `ValueError` if this is not the content of such a file."""

    def text(self):
        """The content as text."""
        return json.dumps(self.content, indent=2) + "\n"

    def save(self):
        """Writes the file atomically, with what others have added to it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = self.path.with_name(f".{self.path.name}.lock")
        with filelock.FileLock(lock):
            if self.path.exists() and not self._is_fresh:
                others = self._read()
                for part in self.parts:
                    mine = self.content.get(part, {})
                    merged = {**others.get(part, {}), **mine}
                    self.content[part] = merged
            with atomic_path(self.path) as path:
                path.write_text(self.text())
        self._is_fresh = False

    def save_if_possible(self):
        """As `save`, but a full disk does not end what takes hours.

        The results stay in memory and are written with the next ones.
        """
        try:
            self.save()
        except OSError as error:
            if not self._is_told:
                print(
                    f"{self.path} cannot be written: {error}. The results are "
                    "kept and written with the next ones.",
                    file=sys.stderr,
                )
            self._is_told = True
        else:
            self._is_told = False

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
