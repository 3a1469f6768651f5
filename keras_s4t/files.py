"""Files that are written whole or not at all."""

import contextlib
import os
import pathlib
import shutil
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


@contextlib.contextmanager
def atomic_folder(path, replaces):
    """As `atomic_path`, for a folder.

    Args:
        path: string or path. The folder to write.
        replaces: Function from the `pathlib.Path` of a folder that is there
            already to whether it may be replaced. An empty one always is.

    Yields:
        The `pathlib.Path` of a new, empty folder to write to.

    Raises:
        ValueError: If something is there that may not be replaced.
    """
    path = pathlib.Path(path).absolute()
    is_there = path.exists()
    if is_there and not (
        path.is_dir() and (not any(path.iterdir()) or replaces(path))
    ):
        raise ValueError(
            "The path must be new, or a folder that may be replaced. "
            f"Received: {str(path)!r}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    old = path.with_name(f".{os.getpid()}.old.{path.name}")
    temporary.mkdir()
    try:
        yield temporary
        if is_there:
            os.replace(path, old)
        try:
            os.replace(temporary, path)
        except BaseException:
            if is_there:
                os.replace(old, path)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


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
