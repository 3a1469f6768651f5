"""Ctrl-C that waits."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def interrupts_later():
    """Holds Ctrl-C back until the body is done.

    For predictions: on JAX, Keras gives the variables away meanwhile, and an
    interruption would lose them.
    """
    if threading.current_thread() is not threading.main_thread():
        # Handlers run in the main thread alone.
        yield
        return
    received = []
    previous = signal.getsignal(signal.SIGINT)
    if not callable(previous):
        yield
        return
    signal.signal(signal.SIGINT, lambda *arguments: received.append(arguments))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if received:
            previous(*received[0])
