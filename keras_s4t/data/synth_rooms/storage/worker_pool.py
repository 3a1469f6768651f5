"""Parallel calls of a function in several processes."""

import concurrent.futures
import math
import multiprocessing
from concurrent.futures.process import BrokenProcessPool

MAX_CALLS_PER_MESSAGE = 8


def map_in_order(function, arguments, workers):
    """Yields `function(argument)` for each argument, in order.

    Args:
        function: Function of one argument. It must be picklable if
            `workers > 1`.
        arguments: list of arguments.
        workers: int, number of processes; 1 is the current process.

    Raises:
        RuntimeError: if a process stopped unexpectedly, for example because
            the calling script lacks a `__main__` guard.
    """
    if workers == 1 or len(arguments) < 2:
        yield from map(function, arguments)
        return
    # Forked processes may hang if TensorFlow or PyTorch has started threads.
    executor = concurrent.futures.ProcessPoolExecutor(
        min(workers, len(arguments)),
        mp_context=multiprocessing.get_context("spawn"),
    )
    try:
        calls = min(MAX_CALLS_PER_MESSAGE, math.ceil(len(arguments) / workers))
        yield from executor.map(function, arguments, chunksize=calls)
    except BrokenProcessPool as error:
        raise RuntimeError(
            "A worker process stopped unexpectedly. With `workers` > 1 the "
            "calling script must start its work below "
            "`if __name__ == '__main__':`, since every worker imports the "
            "script; otherwise the machine may be out of memory. "
            f"Received: workers={workers}"
        ) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
