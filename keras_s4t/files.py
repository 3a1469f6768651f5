"""Files that are written whole or not at all."""

import contextlib
import os
import pathlib
import tempfile


@contextlib.contextmanager
def atomic_path(path):
    """Yields a temporary path that replaces `path` when the body succeeds.

    The temporary file is in the same folder, which is created if needed, and
    has the same suffixes. It is removed if the body raises.

    Args:
        path: string or path. The file to write.

    Yields:
        The `pathlib.Path` to write to.

    Example:

    ```python
    with atomic_path("results.json") as temporary:
        temporary.write_text("{}")
    ```
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def check_folder(folder, argument):
    """Raises a `ValueError` unless files can be written to a folder.

    For the beginning of long work whose result is to be kept.

    Args:
        folder: string or path. It is created if needed.
        argument: What the caller calls it, for the error.
    """
    try:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
    except OSError as error:
        raise ValueError(
            f"`{argument}` must be a folder that can be written to. "
            f"Received: {argument}={str(folder)!r} ({error})"
        ) from error
