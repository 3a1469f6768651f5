"""Ctrl-C that waits."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def interrupts_later():
    """Holds Ctrl-C back until the body is done. A second one does not wait.

    For steps that must not be left halfway.
    """
    if threading.current_thread() is not threading.main_thread():
        # Handlers run in the main thread alone.
        yield
        return
    previous = signal.getsignal(signal.SIGINT)
    if not callable(previous):
        yield
        return
    received = []

    def hold(*arguments):
        received.append(arguments)
        if len(received) > 1:
            previous(*arguments)

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if received:
        previous(*received[0])
