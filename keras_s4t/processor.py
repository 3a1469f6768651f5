"""What the processor can do, and what TensorFlow is to know of it."""

import os
import pathlib
import sys

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
# Of Linux. TensorFlow has no oneDNN for the other systems' processors, or
# chooses itself.
CPU_INFO = pathlib.Path("/proc/cpuinfo")


def has_avx2():
    """Whether the processor is known to have AVX2."""
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return "avx2" in flags.split()


def enable_onednn():
    """Turns oneDNN on for TensorFlow on processors with AVX2.

    TensorFlow 2.21 does so itself on processors with AVX-512 alone. With AVX2,
    too, a step takes about half the time. Nothing happens if the user has set
    `TF_ENABLE_ONEDNN_OPTS`, or if TensorFlow is imported already, which reads
    it only then.
    """
    if "tensorflow" not in sys.modules and has_avx2():
        os.environ.setdefault(ONEDNN, "1")
