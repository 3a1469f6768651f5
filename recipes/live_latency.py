"""How long a prediction takes while a thread adapts.

    python recipes/live_latency.py

Frames of random content come at a fixed rate, one at a time. Measured is the
time from a frame to its prediction: without adaptation, with adaptation before
the prediction (`background=False`), and with adaptation in a thread. Compare
within one run only, on a machine that does nothing else. Every frame is
predicted; windows that came while the thread was at work are counted as
missed.

Writes `results.json` and `tables.md`. Three minutes on two cores.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import pathlib
import time

import keras
import numpy as np
from benchmarking.hardware import device_name
from comparison.writing import write_tables
from shared.results_file import given_command
from shared.results_file import write_json
from shared.tables import Table
from streaming.arguments import make_parser
from streaming.arguments import parse
from streaming.contenders import BASE
from streaming.contenders import Contender
from streaming.contenders import make_live

WAYS = {
    "no adaptation": (Contender(BASE), False),
    "before the prediction": (Contender(), False),
    "in a thread": (Contender(), True),
}
NOTE = """\
Milliseconds from a frame to its prediction; the ratio is that of the medians.
"""


def run_one(contender, background, frames, arguments):
    """Feeds frames at a fixed rate.

    Args:
        contender: `Contender`.
        background: bool. Whether a thread adapts.
        frames: Array of shape `(num_frames, height, width, 3)`.
        arguments: The command line's values.

    Returns:
        dict of seconds and counts.
    """
    live = make_live(
        contender,
        arguments.preset,
        None,
        arguments.window,
        background=background,
    )
    with live:
        # Compiles everything.
        for frame in frames[: 2 * arguments.window]:
            live(frame)
        live.wait()
        seconds, start = [], time.perf_counter()
        for i, frame in enumerate(frames):
            due = start + i / arguments.frame_rate
            time.sleep(max(0.0, due - time.perf_counter()))
            begin = time.perf_counter()
            live(frame)
            seconds.append(time.perf_counter() - begin)
        total = time.perf_counter() - start
        report = live.report()
    return {
        "median": float(np.median(seconds)),
        "p99": float(np.percentile(seconds, 99)),
        "frames": len(seconds),
        "frames_per_second": len(seconds) / total,
        "windows": report["windows"],
        "missed": report["missed"],
        "adaptation": report["adaptation_seconds"],
    }


def latency_table(measured):
    """A row per way."""
    headers = ["adaptation", "median\nms", "p99\nms", "ratio"]
    headers += ["frames per\nsecond", "windows", "missed", "ms per\nwindow"]
    base = measured["no adaptation"]["median"]
    rows = []
    for way, found in measured.items():
        adaptation = found["adaptation"]
        is_adapted = way != "no adaptation"
        rows.append(
            [
                way,
                f"{1000 * found['median']:.0f}",
                f"{1000 * found['p99']:.0f}",
                f"{found['median'] / base:.2f}",
                f"{found['frames_per_second']:.1f}",
                str(found["windows"]) if is_adapted else "",
                str(found["missed"]) if is_adapted else "",
                f"{1000 * adaptation['median']:.0f}"
                if is_adapted and adaptation
                else "",
            ]
        )
    return Table("Latency of a prediction", headers, rows)


def main():
    """Runs the recipe."""
    parser = make_parser(__doc__, pathlib.Path("runs/live_latency"))
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--frame-rate", type=float, default=5.0, help="per s")
    parser.set_defaults(size=192)
    arguments = parse(parser)
    if not 0 < arguments.frame_rate < float("inf"):
        rate = arguments.frame_rate
        parser.error(f"--frame-rate must be positive, not {rate:g}")
    if arguments.frames < 2 * arguments.window:
        count = arguments.frames
        parser.error(f"--frames must be at least two windows, not {count}")
    count = 2 * arguments.window if arguments.quick else arguments.frames
    size = 64 if arguments.quick else arguments.size
    frames = np.random.default_rng(0).integers(
        0, 256, (count, size, size * 4 // 3 // 32 * 32, 3), "uint8"
    )
    measured = {}
    for way, (contender, background) in WAYS.items():
        measured[way] = run_one(contender, background, frames, arguments)
    content = {
        "command": given_command(),
        "device": device_name(),
        "backend": keras.backend.backend(),
        "size": list(frames.shape[1:3]),
        "window": arguments.window,
        "frame_rate": arguments.frame_rate,
        "ways": measured,
    }
    write_json(arguments.output / "results.json", content)
    write_tables([latency_table(measured)], arguments.output, NOTE)


if __name__ == "__main__":
    main()
