"""Ctrl-C as a wish to come to an end."""

import signal

# The second one is what service managers and containers send.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """A context manager in which Ctrl-C lets the work of a frame end.

    A second one is a `KeyboardInterrupt`, as ever.

    Attributes:
        is_wanted: bool. Whether Ctrl-C was pressed.
    """

    is_wanted = False

    def __enter__(self):
        self._before = {n: signal.signal(n, self._handle) for n in SIGNALS}
        return self

    def __exit__(self, *exception):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number, frame):
        if self.is_wanted:
            raise KeyboardInterrupt
        self.is_wanted = True
