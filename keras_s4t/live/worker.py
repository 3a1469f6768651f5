"""A thread of low priority that does one job at a time."""

import contextlib
import os
import sys
import threading

from keras_s4t.backend import fewer_threads

# Of Unix: the lowest one.
LOWEST_PRIORITY = 19


class Worker:
    """Runs a function in a thread, on the last job it was given.

    Args:
        function: Called with the job.
        name: Name of the thread.
    """

    def __init__(self, function, name):
        self._function = function
        self._condition = threading.Condition()
        self._job = None
        self._is_busy = False
        self._ends = False
        self.error = None
        self._thread = threading.Thread(
            target=self._run, name=name, daemon=True
        )
        self._thread.start()

    def offer(self, job):
        """Gives it a job if it is idle; returns whether it took it."""
        with self._condition:
            if self._is_busy or self.error is not None or self._ends:
                return False
            self._job, self._is_busy = job, True
            self._condition.notify_all()
            return True

    def wait(self):
        """Waits until it is idle.

        Raises:
            RuntimeError: If its own thread would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "The thread that adapts must not wait for itself. `collect`, "
                "`observe`, `reset`, `save` and `close` are for other threads."
            )
        with self._condition:
            self._condition.wait_for(lambda: not self._is_busy)

    def close(self):
        """Waits until it is idle, and ends the thread."""
        self.wait()
        with self._condition:
            self._ends = True
            self._condition.notify_all()
        self._thread.join()

    def _run(self):
        # Predictions come first. Only Linux has priorities of threads.
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                os.setpriority(
                    os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY
                )
        with fewer_threads():
            while self._do_next():
                pass

    def _do_next(self):
        """Waits for a job and does it; returns whether there may be more."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_busy or self._ends)
            if self._ends:
                return False
            job, self._job = self._job, None
        try:
            self._function(job)
        except BaseException as error:
            self.error = error
        with self._condition:
            self._is_busy = False
            self._condition.notify_all()
        return True
