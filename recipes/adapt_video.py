"""Adapt a model to a video, a folder of frames, a camera or a walk, live.

    python recipes/adapt_video.py
    python recipes/adapt_video.py --input drive.mp4 --size 128
    python recipes/adapt_video.py --input 0 --background --state runs/state

Every frame is predicted by the source model and by the live adapter, which
adapts to the last frames without any label. `--input` is a video file, a
folder of images, the index of a camera, or `walk`: a camera that walks through
synthetic rooms while the light changes.

Writes to `runs/video`: `before_after.mp4`, the frames with both predictions of
every task, side by side (PNG files without `pip install 'keras-s4t[video]'`);
`audit.jsonl`, every decision with its reason; `windows.csv`, a row per window;
`report.json`, counts, latencies, timestamps, and for a walk the metrics.
`--tensorboard` writes curves to `logs`.

The guards against failures are calibrated on labeled source images: for the
bundled model on synthetic rooms, for others on `--source`, if it is given.

`--background` is for streams that come at their own pace: a file read as fast
as possible leaves the thread little time, and windows are missed, which the
report counts.

Ctrl-C ends with a complete video and report. With `--state`, the adapter is
saved every `--save-every` windows and in the end; the same command goes on from
there, with the next frame and a video of its own. Windows since the last save
then come again, and so do their lines. Model, window, size and guards are those
of the state.

Nine minutes for the walk of 400 frames on two cores that were busy with other
work, three of them for rendering and the guards. With the PyTorch backend:

                         miou    rmse    merr    rmse
    source    source    0.537   0.319    18.3   0.180
                live    0.543   0.335    18.3   0.181
    evening   source    0.194   0.582    32.3   0.258
                live    0.238   0.536    29.0   0.252
    source_2  source    0.462   0.521    20.8   0.216
                live    0.467   0.488    20.1   0.216
    sensor    source    0.325   0.553    24.6   0.230
                live    0.390   0.603    24.2   0.234

The adapted model predicted after 50 of 99 windows, the source model after the
others.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import argparse
import itertools
import json
import pathlib
import time

import keras
from configs.synth_rooms import SynthRooms
from live_video.inputs import WALK
from live_video.inputs import Walk
from live_video.inputs import open_frames
from live_video.inputs import scaled
from live_video.interruption import Interruption
from live_video.outputs import open_output
from live_video.pictures import BeforeAfter
from rich.console import Console
from shared.reporting import task_header
from shared.results_file import given_command
from shared.results_file import write_json
from shared.tables import make_table
from shared.trained_model import load_adapter

import keras_s4t
from keras_s4t.data.corruptions import CORRUPTIONS
from keras_s4t.files import check_folder
from keras_s4t.live.saving import CURRENT

PRESET, PRESET_SIZE = "s4t_synth_rooms_64", 64
PRESET_SOURCE = "synth_rooms/source"
# Frames of a walk.
LENGTH, QUICK_LENGTH = 400, 24
QUICK_PHASES = ("source", "evening")
QUICK_CORRUPTIONS = ("contrast",)
SOURCE, LIVE = "source", "live"


def make_parser():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--input", default=WALK, help="file, folder, camera or walk"
    )
    parser.add_argument(
        "--model", default=PRESET, help="preset, its folder, or .keras file"
    )
    parser.add_argument(
        "--source",
        help="labeled source, as keras_s4t.data.load takes it; of the bundled "
        f"model:\n{PRESET_SOURCE}",
    )
    parser.add_argument("--data-dir", type=pathlib.Path, help="of the source")
    parser.add_argument(
        "--no-guards", action="store_true", help="adapt without a source"
    )
    parser.add_argument(
        "--size",
        type=int,
        help="shorter side of the frames; by default "
        f"{PRESET_SIZE} for the bundled\nmodel and the walk, otherwise as they "
        "are",
    )
    parser.add_argument(
        "--num-frames", type=int, help=f"default: all, of a walk {LENGTH}"
    )
    parser.add_argument(
        "--phases",
        nargs="+",
        choices=sorted(keras_s4t.data.DOMAINS),
        help="of the walk; default: source evening source sensor",
    )
    parser.add_argument("--window", type=int, default=8, help="frames")
    parser.add_argument(
        "--adapt-every", type=int, help="frames; default: 4, quick 8"
    )
    parser.add_argument("--steps", type=int, default=1, help="per window")
    parser.add_argument(
        "--learning-rate", type=float, default=SynthRooms.learning_rate
    )
    parser.add_argument(
        "--background", action="store_true", help="adapt in a thread"
    )
    parser.add_argument("--output", type=pathlib.Path, default="runs/video")
    parser.add_argument(
        "--frame-rate",
        type=float,
        default=10.0,
        help="of the video, for frames without timestamps",
    )
    parser.add_argument("--tensorboard", action="store_true")
    parser.add_argument("--state", type=pathlib.Path, help="folder to go on in")
    parser.add_argument("--save-every", type=int, default=10, help="windows")
    parser.add_argument("--cache", type=pathlib.Path, default="runs/cache")
    parser.add_argument("--quick", action="store_true", help="half a minute")
    return parser


def complete(arguments, parser):
    """Fills in what depends on other arguments; refuses what cannot be."""
    if arguments.adapt_every is None:
        arguments.adapt_every = 8 if arguments.quick else 4
    if arguments.quick:
        arguments.num_frames = arguments.num_frames or QUICK_LENGTH
        arguments.phases = arguments.phases or QUICK_PHASES
    if arguments.model == PRESET:
        arguments.source = arguments.source or PRESET_SOURCE
    if arguments.size is None and (
        arguments.model == PRESET or arguments.input == WALK
    ):
        arguments.size = PRESET_SIZE
    for name in (
        "size",
        "num_frames",
        "window",
        "adapt_every",
        "steps",
        "save_every",
    ):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            option = f"--{name.replace('_', '-')}"
            parser.error(f"{option} must be at least 1, not {value}")
    if not 0.0001 <= arguments.frame_rate <= 1000:
        parser.error("--frame-rate must be in [0.0001, 1000]")


class LastDecision:
    """A monitor that keeps the last decision in words."""

    text = "no window yet"

    def on_window(self, live, record):
        action = record["action"].replace("_", " ")
        reason = f" ({record['reason']})" if record["reason"] else ""
        self.text = f"window {record['window']}: {action}{reason}"

    def close(self):
        """Has nothing to close."""


def make_monitors(arguments, decision):
    """The monitors of the live adapter."""
    monitors = [
        decision,
        keras_s4t.live.LiveTable(),
        keras_s4t.live.CSVLog(arguments.output / "windows.csv"),
    ]
    if arguments.tensorboard:
        folder = arguments.output / "logs"
        monitors.append(keras_s4t.live.TensorBoardLog(folder))
    return monitors


def make_live(arguments, size, decision):
    """A live adapter, calibrated on the source or gone on with.

    Args:
        arguments: Arguments of the command line.
        size: Pair of ints that frames are rescaled to, or `None`.
        decision: `LastDecision`.
    """
    options = {
        "adapt_every": arguments.adapt_every,
        "steps": arguments.steps,
        "background": arguments.background,
        "audit": str(arguments.output / "audit.jsonl"),
    }
    if arguments.state and (arguments.state / CURRENT).exists():
        monitors = make_monitors(arguments, decision)
        return keras_s4t.live.LiveAdapter.load(
            arguments.state, monitors=monitors, **options
        )
    # What is here is of another run.
    for name in ("audit.jsonl", "windows.csv"):
        (arguments.output / name).unlink(missing_ok=True)
    adapter = load_adapter(arguments.model)
    adapter.compile(keras.optimizers.SGD(arguments.learning_rate), metrics=None)
    live = keras_s4t.live.LiveAdapter(
        adapter,
        window=arguments.window,
        size=size,
        size_change="rescale",
        monitors=make_monitors(arguments, decision),
        **options,
    )
    if arguments.no_guards or not arguments.source:
        print("Without a labeled --source, no guard works.")
    else:
        collect(live, arguments)
    return live


def collect(live, arguments):
    """Calibrates the guards."""
    window = arguments.window
    memory = window if arguments.quick else max(32, window)
    source = keras_s4t.data.load(
        arguments.source,
        "validation",
        live.adapter.tasks,
        size=arguments.size,
        num_examples=2 * memory,
        data_dir=arguments.data_dir,
        cache_dir=arguments.cache,
    )
    live.collect(
        source.as_numpy_iterator(),
        2 * memory,
        memory,
        QUICK_CORRUPTIONS if arguments.quick else tuple(CORRUPTIONS),
    )


class SourceModel:
    """Predicts with the source model what the live adapter was given.

    Args:
        live: `LiveAdapter`.
    """

    def __init__(self, live):
        self._format = live.format
        method = keras_s4t.methods.SourceOnly()
        self._predictor = live.adapter.source_copy(method)
        self._predictor.compile(metrics=None)

    def __call__(self, image):
        images = self._format.padded(self._format.images(image))
        outputs = self._predictor.predict_on_batch(images.astype("float32"))
        values = self._predictor.network.postprocess(outputs)
        values = self._format.cropped(values)
        return {
            name: keras.ops.convert_to_numpy(value)[0]
            for name, value in values.items()
        }


class Report:
    """What `report.json` holds, of this run and those that it goes on from.

    Args:
        arguments: Arguments of the command line.
        live: `LiveAdapter`.
        walk: `Walk`, or `None`.
    """

    def __init__(self, arguments, live, walk):
        self.path = arguments.output / "report.json"
        self._arguments, self._live, self._walk = arguments, live, walk
        self._start = time.time()
        self.first = live.frame_id + 1
        self.names, self.timestamps = [], []
        if self.first and self.path.exists():
            frames = json.loads(self.path.read_text())["frames"]
            self.names = frames["names"][: self.first]
            self.timestamps = frames["timestamps"][: self.first]

    def add(self, frame):
        """Takes note of a frame."""
        self.names.append(frame.name)
        self.timestamps.append(frame.timestamp)

    def write(self):
        """Writes the file."""
        content = {
            "command": given_command(),
            "arguments": {
                name: value.name if isinstance(value, pathlib.Path) else value
                for name, value in vars(self._arguments).items()
            },
            "backend": keras.backend.backend(),
            "seconds": round(time.time() - self._start, 1),
            "first_frame": self.first,
            "report": self._live.report(),
            "limits": self._live.limits(),
            "frames": {"names": self.names, "timestamps": self.timestamps},
        }
        if self._walk:
            content["metrics"] = self._walk.metrics()
        write_json(self.path, content)


def watch(live, frames, video, report, decision, arguments, walk=None):
    """Adapts to the frames and draws them, until they or the user end it.

    Args:
        live: `LiveAdapter`.
        frames: Iterable of `Frame`s.
        video: What pictures are written with.
        report: `Report`.
        decision: `LastDecision`.
        arguments: Arguments of the command line.
        walk: Optional `Walk` that the frames are of.
    """
    source = SourceModel(live)
    pictures = BeforeAfter(live.adapter.tasks)
    saved = live.report()["windows"]
    with Interruption() as interruption:
        for frame in frames:
            predictions = {
                SOURCE: source(frame.image),
                LIVE: live(frame.image),
            }
            report.add(frame)
            text = f"frame {live.frame_id}   {live.predicts} predicts   "
            video.write(
                pictures.draw(frame.image, predictions, text + decision.text),
                frame.timestamp,
            )
            if walk:
                walk.measure(live.frame_id, predictions)
            windows = live.report()["windows"]
            if arguments.state and windows >= saved + arguments.save_every:
                # The report first: it may hold more than the state.
                report.write()
                live.save(arguments.state)
                saved = windows
            if interruption.is_wanted:
                print("Interrupted: what there is is complete.")
                break


def metrics_table(walk, tasks):
    """The metrics of the phases of a walk, a row per phase and model."""
    table = make_table("Over the walk", ["phase", "", *map(task_header, tasks)])
    for phase, models in walk.metrics().items():
        for heading, metrics in models.items():
            values = [metrics.get(task.metric_key) for task in tasks]
            cells = ["" if v is None else f"{v:#.3g}" for v in values]
            table.add_row(phase, heading, *cells)
    return table


def main():
    """Runs the recipe."""
    parser = make_parser()
    arguments = parser.parse_args()
    complete(arguments, parser)
    start = time.time()
    decision, walk, size = LastDecision(), None, None
    try:
        if arguments.input != WALK:
            frames, first_size = open_frames(arguments.input)
            if arguments.size:
                size = scaled(first_size, arguments.size)
        check_folder(arguments.output, "--output")
        if arguments.state:
            check_folder(arguments.state, "--state")
        live = make_live(arguments, size, decision)
        if arguments.input == WALK:
            length = arguments.num_frames or LENGTH
            tasks = live.adapter.tasks
            walk = Walk(
                length,
                arguments.phases,
                arguments.size,
                tasks,
                arguments.cache,
            )
            frames = walk.frames
    except (ImportError, ValueError) as error:
        parser.error(str(error))
    print(f"Everything is ready after {time.time() - start:.0f} s.")

    first = live.frame_id + 1
    if arguments.input.isdecimal():
        frames = itertools.islice(frames, arguments.num_frames)
    else:
        # Those of an earlier run are behind it.
        frames = itertools.islice(frames, first, arguments.num_frames)
    frames = iter(frames)
    next_frame = next(frames, None)
    if next_frame is None:
        raise SystemExit(f"There is no frame after the {first} that were seen.")
    report = Report(arguments, live, walk)
    video, path = open_output(arguments.output, first, arguments.frame_rate)
    with live:
        with video:
            watch(
                live,
                itertools.chain([next_frame], frames),
                video,
                report,
                decision,
                arguments,
                walk,
            )
        live.wait()
        report.write()
        if arguments.state:
            live.save(arguments.state)
    if walk:
        Console().print(metrics_table(walk, live.adapter.tasks))
    print(f"Done in {time.time() - start:.0f} s: see {path}")


if __name__ == "__main__":
    main()
