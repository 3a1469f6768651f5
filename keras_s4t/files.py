"""Atomic file writes."""

import contextlib
import os
import pathlib


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
