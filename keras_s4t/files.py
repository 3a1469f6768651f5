"""Writing files so that a reader never meets half of one."""

import contextlib
import os
import pathlib


@contextlib.contextmanager
def atomic_path(path):
    """A temporary path that takes the place of `path` when all went well.

    The temporary file lies in the same folder, which is created if needed, and
    keeps all suffixes. It is removed if the body raises.

    Args:
        path: Where the file should end up.

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
