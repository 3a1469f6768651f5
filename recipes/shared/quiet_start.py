"""Import Keras and TensorFlow without TensorFlow's log lines.

Every program imports this module first. `TF_CPP_MIN_LOG_LEVEL` is 3 unless the
user sets it. Some lines are logged before TensorFlow reads that variable; they
are left out here, unless the user sets it to 0. Worker processes inherit the
variable and import this module with the program.

The package is imported before TensorFlow, and turns oneDNN on.
"""

import contextlib
import os
import re
import sys
import tempfile

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
EARLY_LINES = re.compile(
    r"WARNING: All log messages before absl::InitializeLog\(\) .*"
    r"|I\d{4} [\d:.]+ +\d+ \S+\.cc:\d+\] .*"
)


@contextlib.contextmanager
def without_early_lines():
    """Leaves out information that libraries log to stderr while loading.

    Everything else that is written to stderr meanwhile appears afterwards.
    """
    sys.stderr.flush()
    # The lines come from C++, so the file descriptor itself is redirected.
    with tempfile.TemporaryFile() as log:
        stderr = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            log.seek(0)
            for line in log.read().decode(errors="replace").splitlines(True):
                if not EARLY_LINES.fullmatch(line.rstrip("\n")):
                    sys.stderr.write(line)


def import_quietly():
    """Imports the package, then TensorFlow where it is installed."""
    level = os.environ.setdefault(LEVEL, "3")
    is_verbose = level.strip() == "0"
    with contextlib.nullcontext() if is_verbose else without_early_lines():
        # With Keras, and first: PyTorch does not work after TensorFlow.
        import keras_s4t  # noqa: F401

        with contextlib.suppress(ModuleNotFoundError):
            import tensorflow  # noqa: F401


import_quietly()
