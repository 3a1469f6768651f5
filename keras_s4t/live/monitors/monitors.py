"""Calling the monitors of a live adapter."""

import warnings


class Monitors:
    """Calls monitors. One that raises does not end adaptation.

    Args:
        monitors: list of objects with `on_window(live, record)` and `close()`.

    Raises:
        ValueError: If it is no such list.
    """

    def __init__(self, monitors):
        try:
            self._monitors = list(monitors)
        except TypeError:
            self._monitors = [None]
        for monitor in self._monitors:
            for name in ("on_window", "close"):
                if not callable(getattr(monitor, name, None)):
                    raise ValueError(
                        "`monitors` must be a list of objects with "
                        "`on_window(live, record)` and `close()`. "
                        f"Received: monitors={monitors!r}"
                    )
        self._warned = set()

    def on_window(self, live, record):
        """Calls all of them.

        Args:
            live: The `LiveAdapter`.
            record: dict, the decision, as the audit file has it.
        """
        for monitor in self._monitors:
            self._try(monitor, monitor.on_window, live, record)

    def close(self):
        """Closes all of them."""
        for monitor in self._monitors:
            self._try(monitor, monitor.close)

    def _try(self, monitor, function, *args):
        try:
            function(*args)
        except Exception as error:
            if id(monitor) not in self._warned:
                self._warned.add(id(monitor))
                warnings.warn(
                    f"The monitor {type(monitor).__name__} failed; adaptation "
                    f"goes on, and it is called again: {type(error).__name__}: "
                    f"{error}",
                    stacklevel=5,
                )
