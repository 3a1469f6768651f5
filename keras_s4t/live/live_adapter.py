"""Adaptation to a stream of frames that nobody looks at."""

import collections
import math
import time
import warnings
import weakref

import keras
import numpy as np
from keras import ops

from keras_s4t.batches import joined
from keras_s4t.batches import labeled_arrays
from keras_s4t.checks import check_compiled
from keras_s4t.checks import check_labels
from keras_s4t.checks import check_masks
from keras_s4t.data.corruptions import CORRUPTIONS
from keras_s4t.data.corruptions import corrupt
from keras_s4t.live.adaptation import Adaptation
from keras_s4t.live.arguments import checked_share
from keras_s4t.live.arguments import checked_size
from keras_s4t.live.arguments import positive_integer
from keras_s4t.live.audit import Audit
from keras_s4t.live.choice import Choice
from keras_s4t.live.controls import ADAPTED
from keras_s4t.live.frame_format import FrameFormat
from keras_s4t.live.history import History
from keras_s4t.live.monitors import Monitors
from keras_s4t.live.saving import flat
from keras_s4t.live.saving import load_state
from keras_s4t.live.saving import reading
from keras_s4t.live.saving import save_state
from keras_s4t.live.saving import unflat_dict
from keras_s4t.live.saving import unflat_list
from keras_s4t.live.scores import metrics_of
from keras_s4t.live.serving import Serving
from keras_s4t.live.window import Window
from keras_s4t.live.worker import Worker

# Windows of frames in a row that are not adapted to before a warning.
MOST_FAULTS = 10
# Live adapters whose threads run, by their `TargetAdapter`.
_RUNNING = weakref.WeakKeyDictionary()
# Latencies that medians and percentiles are of.
KEPT_LATENCIES = 10_000


class LiveAdapter:
    """Adapts to a live stream of frames and predicts every one of them.

    The last good frames are the batch that adaptation sees: statistics of one
    frame are useless. Frames that are not finite, blank or equal to the frame
    before are counted and kept from adaptation. A step whose loss or gradients
    are not finite changes nothing.

    After `collect` on labeled source images, two guards work:

    - Collapse and drift, see `report` for the limits, lead back to the last
      good state, and to the source's weights if that repeats. Then adaptation
      pauses, twice as long each time.
    - The source model, batch norm statistics alone and the adapted model are
      scored on source images in the style of the window; the best predicts.

    Labels of the target never reach the adaptation.

    Args:
        adapter: A compiled `TargetAdapter` whose method is prepared on the
            source. It is adapted in place.
        window: int. Frames that adaptation sees at once.
        adapt_every: int. Frames from one adaptation to the next.
        steps: int. Updates per adaptation.
        predict_every: int. Frames from one prediction to the next; those in
            between are not predicted.
        check_every: int. Adaptations from one check of the guards to the next.
        multiple: int. Frames are padded, by their nearest pixel, to heights
            and widths that are multiples of it; predictions are cropped.
        size: Optional pair of ints, height and width that frames are rescaled
            to; by default those of the first frame.
        size_change: `"refuse"` raises a `ValueError` for a frame of another
            size than the first, `"rescale"` rescales it.
        reset_every: Optional int. Adaptations after which the source's weights
            are returned to (Press et al., "RDumb", NeurIPS 2023).
        restore: float in [0, 1]. Share of the moved weights, drawn at random,
            that return to the source after each adaptation (Wang et al.,
            "CoTTA", CVPR 2022).
        background: bool. Whether a thread adapts, while predictions use a copy
            of the weights, which new ones replace as a whole. A window that
            comes while the thread works is not adapted to, and counted: a
            thread is for frames that come at a rate of their own. It runs
            until `close`.
        audit: Optional path. Every decision is added to this file, a line of
            JSON each.
        monitors: list of objects with `on_window(live, record)`, called with
            every decision when it is made, in the thread if there is one, and
            `close()`, called by `close`; see `LiveTable`, `CSVLog` and
            `TensorBoardLog`. They may call `report` and `limits`. An error of
            a monitor is a warning, once. They are not saved.
        history: int. Frames that `observe` takes labels for.
        seed: int. Of what is drawn at random.

    Raises:
        ValueError: If an argument is out of its range, the adapter is not
            compiled, or the window is too small for the method.

    Example:

    ```python
    adapter = keras_s4t.TargetAdapter.from_preset("s4t_synth_rooms_64")
    adapter.compile(metrics=None)
    with keras_s4t.live.LiveAdapter(adapter) as live:
        live.collect(source)
        for frame in camera:
            depth = live(frame)["depth"]
    ```
    """

    def __init__(
        self,
        adapter,
        window=8,
        adapt_every=8,
        steps=1,
        predict_every=1,
        check_every=1,
        multiple=32,
        size=None,
        size_change="refuse",
        reset_every=None,
        restore=0.0,
        background=False,
        audit=None,
        monitors=(),
        history=32,
        seed=0,
    ):
        check_compiled(adapter, "LiveAdapter")
        window = positive_integer("window", window)
        adapt_every = positive_integer("adapt_every", adapt_every)
        steps = positive_integer("steps", steps)
        predict_every = positive_integer("predict_every", predict_every)
        check_every = positive_integer("check_every", check_every)
        multiple = positive_integer("multiple", multiple)
        history = positive_integer("history", history)
        if reset_every is not None:
            reset_every = positive_integer("reset_every", reset_every)
        size, restore = checked_size(size), checked_share("restore", restore)
        seed = int(seed)
        if background and adapter.averages:
            raise ValueError(
                "`averages` of `compile` must be empty with `background=True`, "
                "where a copy of the network alone predicts. "
                f"Received: averages={adapter.averages}"
            )
        other = _RUNNING.get(adapter)
        if other is not None and other() is not None:
            raise ValueError(
                "`adapter` must not be that of a live adapter whose thread "
                "runs: call its `close` before. Received: an adapter that a "
                "thread adapts"
            )
        channels = adapter.network.num_channels
        self.format = FrameFormat(channels, multiple, size, size_change)
        probe = np.zeros((window, multiple, multiple, channels), "float32")
        adapter.method.check_target(probe, window)
        adapter.check_trainable()
        adapter.prepare_method()
        self._arguments = {
            "window": window,
            "adapt_every": adapt_every,
            "steps": steps,
            "predict_every": predict_every,
            "check_every": check_every,
            "multiple": multiple,
            "size": size,
            "size_change": size_change,
            "reset_every": reset_every,
            "restore": restore,
            "background": background,
            "audit": None if audit is None else str(audit),
            "history": history,
            "seed": seed,
        }
        self.adapter = adapter
        self.window = Window(window)
        self.adapt_every = adapt_every
        self.predict_every = predict_every
        self.adaptation = Adaptation(
            adapter, steps, check_every, reset_every, restore, seed
        )
        self.audit = Audit(audit)
        self._monitors = Monitors(monitors)
        #: Number of the last frame; the first one is 0.
        self.frame_id = -1
        self._since_update = 0
        self._skipped = collections.Counter()
        self._num_missed = 0
        self._has_predicted = False
        self._history = History(history)
        self._prediction_seconds = collections.deque(maxlen=KEPT_LATENCIES)
        self._adaptation_seconds = collections.deque(maxlen=KEPT_LATENCIES)
        self._started = self._first_id = None
        self._warned = set()
        self._serving = self._worker = None
        if background:
            self._serving = Serving(adapter)
            self._worker = Worker(self._adapt, "keras_s4t.live")
            _RUNNING[adapter] = weakref.ref(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, exception, traceback):
        try:
            self.close()
        except RuntimeError as error:
            # What ended the block says more.
            if kind is None:
                raise
            warnings.warn(f"{error}: {error.__cause__}", stacklevel=2)

    def __call__(self, frames):
        """Adapts, if it is time to, and predicts.

        Args:
            frames: One frame, an array of shape `(height, width, channels)`,
                uint8 or float in 0 ... 255, a `Frame` of `read_frames`, or a
                batch of arrays in their order. They are copied.

        Returns:
            dict from task name to the prediction of the frame, a NumPy array
            without a batch axis, or of the batch: class ids, meters and so on,
            see `Task.postprocess`. For a frame that is not finite, class ids
            are -1 and other values NaN. `None` if the frame, or every one of
            the batch, is not to be predicted.

        Raises:
            ValueError: If it is no such array, or of another size than the
                frames before.
        """
        if self._started is None:
            self._started = time.perf_counter()
            self._first_id = self.frame_id + 1
        frames = getattr(frames, "image", frames)
        images = self.format.images(frames)
        is_single = np.ndim(frames) < 4
        ids = range(self.frame_id + 1, self.frame_id + 1 + len(images))
        self.frame_id = ids[-1]
        padded = self.format.padded(images)
        before = self._frames_before(len(images))
        for image in padded:
            fault = self.window.push(image)
            if fault is None:
                self._since_update += 1
            else:
                self._skipped[fault] += 1
        self._warn_of_frames(images)
        predicts = any(i % self.predict_every == 0 for i in ids)
        values = name = None
        if predicts and self.adapter.predict_at == "before":
            values, name = self._predict(padded, before)
        self._update_if_due()
        if predicts and self.adapter.predict_at == "after":
            values, name = self._predict(padded, before)
        for i, frame_id in enumerate(ids):
            # The caller may change what is returned.
            prediction = values and {k: v[i].copy() for k, v in values.items()}
            self._history.add(frame_id, images[i], prediction, name)
        if values is not None and is_single:
            return {k: v[0] for k, v in values.items()}
        return values

    def run(self, frames):
        """Predicts frame by frame.

        Args:
            frames: Iterable of arrays, or of objects with an `image`, such as
                those of `read_frames`.

        Yields:
            Pairs of a frame and what calling with it returns.
        """
        for frame in frames:
            yield frame, self(getattr(frame, "image", frame))

    @property
    def predicts(self):
        """The name of the model that predicts.

        `"adapted"`, `"batch_norm"` or `"source"`.
        """
        serving = self._serving
        return serving.name if serving else self.adaptation.predicts

    def collect(
        self,
        source,
        num_images=64,
        memory=32,
        corruptions=tuple(CORRUPTIONS),
        severity=3,
        tolerance=1.5,
        margin=0.5,
    ):
        """Calibrates the guards on labeled source images.

        Of the first images, `memory` are kept for the choice of the model that
        predicts. The others calibrate: they and their corruptions are adapted
        to, as the target will be, and the source returned to.

        Args:
            source: Iterable of batches `(images, labels)` or `(images, labels,
                masks)`, of one size.
            num_images: int. Images to read.
            memory: int. How many of them are kept.
            corruptions: Names of corruptions, see
                `keras_s4t.data.corruptions`, that the guards are to accept.
            severity: int in 1 ... 5, of the corruptions.
            tolerance: float, at least 1. Limits are this much wider than what
                was seen.
            margin: float. In percent of Delta_TTT: how much better another
                model must score to take over.

        Returns:
            dict with the `"limits"` of the scores, `"residuals"`, the source
            model's own errors in the units of the metrics, `"corrections"`,
            what is added to estimated gains, in percent, and `"appearances"`,
            a list of what was measured.

        Raises:
            ValueError: If there are too few images, or labels are missing.

        The limits are those of the source model, whatever was adapted to
        before. Steps whose loss is not finite are told by a warning.
        """
        self.wait()
        num_images = positive_integer("num_images", num_images)
        memory = positive_integer("memory", memory)
        if not math.isfinite(margin):
            raise ValueError(
                f"`margin` must be finite. Received: margin={margin}"
            )
        size = self.window.size
        kept = memory // size * size
        if not size <= kept <= num_images - size:
            raise ValueError(
                "`memory` must be at least the window, and leave as many "
                f"images to calibrate. Received: memory={memory}, "
                f"num_images={num_images} at a window of {size} frames"
            )
        for name in corruptions:
            if name not in CORRUPTIONS:
                raise ValueError(
                    "`corruptions` must be names of "
                    f"{sorted(CORRUPTIONS)}. Received: {name!r}"
                )
        images, labels, masks = _gathered(source, num_images)
        adapter = self.adapter
        missing = [t.name for t in adapter.tasks if t.name not in labels]
        if missing:
            raise ValueError(
                "Source images must have labels of every task. Received: "
                f"images without labels of {missing}"
            )
        adapter.check_data(images, labels, masks or None)
        _check_known(adapter.tasks, labels, masks)
        choice = Choice(
            images[:kept],
            {k: v[:kept] for k, v in labels.items()},
            {k: v[:kept] for k, v in masks.items()},
            margin,
        )
        appearances = {"source": lambda x: x} | {
            name: lambda x, name=name: corrupt(x, name, severity)
            for name in corruptions
        }
        measured = self.adaptation.collect(
            choice,
            images[kept:],
            {k: v[kept:] for k, v in labels.items()},
            {k: v[kept:] for k, v in masks.items()},
            appearances,
            size,
            tolerance,
        )
        return {**self.limits(), "appearances": measured}

    def limits(self):
        """What `collect` found: limits, residuals and corrections."""
        adaptation = self.adaptation
        if adaptation.guard is None:
            return {"limits": {}, "residuals": {}, "corrections": {}}
        return {
            "limits": adaptation.guard.limits,
            "residuals": adaptation.guard.residuals,
            "corrections": {
                name: adaptation.choice.correction(name)
                for name in adaptation.controls.names
            },
        }

    def observe(self, frame_id, labels, masks=None):
        """Scores the models on a frame whose labels came late.

        The labels correct the scores by which a model is chosen, once per
        frame. They never reach the adaptation.

        Args:
            frame_id: int. Number of the frame, see `frame_id`.
            labels: dict from task name to the labels of the frame, without a
                batch axis, of the size of the frame. Some tasks are enough.
            masks: Optional dict from task name to masks.

        Returns:
            dict with the name of the model that `"predicted"` the frame, and
            its `"metrics"`, a dict.

        Raises:
            ValueError: If the frame is not among the last `history` ones, was
                not predicted, or the labels do not fit.
        """
        if not isinstance(labels, dict):
            raise ValueError(
                "`labels` must be a dict by task name. "
                f"Received: a {type(labels).__name__}"
            )
        frame, prediction, predicted = self._history.get(frame_id)
        frame_id = int(frame_id)
        labels = {k: np.asarray(v)[None] for k, v in labels.items()}
        masks = {k: np.asarray(v)[None] for k, v in (masks or {}).items()}
        check_labels(labels, frame.shape[:2], self.adapter.tasks)
        check_masks(masks, labels, frame.shape[:2], self.adapter.tasks)
        values = {k: v[None] for k, v in prediction.items()}
        metrics = metrics_of(self.adapter.tasks, values, labels, masks)
        record = {"observed": frame_id, "predicted": predicted}
        record["metrics"] = metrics
        self.wait()
        adaptation, observed = self.adaptation, self._history.observed
        learns = frame_id not in observed and np.isfinite(frame).all()
        if adaptation.choice is not None and learns:
            observed.add(frame_id)
            padded = self.format.padded(frame[None])
            before = self._frames_before(1)
            controls = adaptation.controls
            values = {
                name: self.format.cropped(self._values(model, padded, before))
                for name, model in controls.adapters.items()
            }
            record["gains"] = adaptation.observe(values, labels, masks)
        self.audit.write(record)
        return {"predicted": predicted, "metrics": metrics}

    def report(self):
        """Counts and latencies.

        Returns:
            dict with the number of `"frames"`; of those `"skipped"` by reason;
            of `"windows"`; of each of the `"actions"`; of windows that were
            `"missed"` since the thread was at work; the name of the model that
            `"predicts"`; `"frames_per_second"`; and the median and the 99th
            percentile of the `"prediction_seconds"` and the
            `"adaptation_seconds"`, `None` before there are any;
            `"statistics_distance"`, how far the batch norm statistics are from
            the source, in standard deviations of the source; and the
            `"error"` that ended adaptation in a thread, `None` without one.
        """
        adaptation = self.adaptation
        rate = None
        if self._started is not None:
            # Frames before a saved state took other seconds.
            count = self.frame_id + 1 - self._first_id
            rate = count / (time.perf_counter() - self._started)
        return {
            "frames": self.frame_id + 1,
            "skipped": dict(self._skipped),
            "windows": adaptation.num_windows,
            "actions": dict(adaptation.counts),
            "missed": self._num_missed,
            "predicts": self.predicts,
            "frames_per_second": rate,
            "prediction_seconds": _quantiles(self._prediction_seconds),
            "adaptation_seconds": _quantiles(self._adaptation_seconds),
            "statistics_distance": adaptation.distance,
            "error": self._error and repr(self._error),
        }

    def reset(self):
        """Returns to the source, and forgets the window.

        Adaptation in a thread that an error ended goes on.
        """
        self.wait()
        if self._worker:
            self._worker.error = None
            self._warned.discard("error")
        self.adaptation.return_to_source()
        self.window = Window(self.window.size)
        self._since_update = 0
        if self._serving:
            self._serving.publish(ADAPTED, self.adapter.network)

    def save(self, folder):
        """Writes everything that going on needs; whole or not at all.

        The models, the optimizer, the window, the counters, the random state
        and what `collect` found. The continued run equals the uninterrupted
        one. Latencies begin anew.

        Args:
            folder: string or path. A state that is there already is replaced
                when the new one is complete.

        Raises:
            OSError: If it cannot be written. The previous state stays.
            ValueError: If the folder is a file, or holds what is of others.
        """
        self.wait()
        values, arrays = self.adaptation.state()
        window, history = self.window, self._history.entries
        arrays |= flat("window", list(window.frames))
        if window.previous is not None:
            arrays["previous"] = window.previous
        entries = []
        for frame_id, (frame, prediction, name) in history.items():
            arrays[f"frame/{frame_id}"] = frame
            arrays |= flat(f"prediction/{frame_id}", prediction or {})
            entries.append([frame_id, prediction is not None, name])
        values |= {
            "arguments": self._arguments,
            "frame_size": self.format.size,
            "frame_id": self.frame_id,
            "since_update": self._since_update,
            "skipped_frames": dict(self._skipped),
            "missed": self._num_missed,
            "history": entries,
            "observed": sorted(self._history.observed),
        }
        save_state(folder, self.adapter, values, arrays)

    @classmethod
    def load(cls, folder, **kwargs):
        """Goes on from what `save` has written.

        Args:
            folder: string or path.
            **kwargs: Arguments of the constructor to replace the saved ones,
                such as `audit` or `background`, but for the window and the
                size of the frames.

        Returns:
            A `LiveAdapter`.

        Raises:
            ValueError: If the folder holds no complete state.
        """
        fixed = {"adapter", "window", "size", "multiple"}
        if fixed & set(kwargs):
            raise ValueError(
                f"{sorted(fixed)} must be the saved ones. "
                f"Received: {sorted(kwargs)}"
            )
        adapter, values, arrays = load_state(folder)
        live = cls(adapter, **{**values["arguments"], **kwargs})
        with reading(folder):
            live.adaptation.set_state(values, arrays)
            if live.format.size is None and values["frame_size"]:
                live.format.size = tuple(values["frame_size"])
            live.window.frames.extend(unflat_list("window", arrays))
            live.window.previous = arrays.get("previous")
            live.frame_id = values["frame_id"]
            live._since_update = values["since_update"]
            live._skipped.update(values["skipped_frames"])
            live._num_missed = values["missed"]
            for frame_id, is_predicted, name in values["history"]:
                prediction = unflat_dict(f"prediction/{frame_id}", arrays)
                live._history.add(
                    frame_id,
                    arrays[f"frame/{frame_id}"],
                    prediction if is_predicted else None,
                    name,
                )
            live._history.observed.update(values["observed"])
        if live._serving:
            network = live.adaptation.predictor().network
            live._serving.publish(live.adaptation.predicts, network)
            live._serving.predictor()
        return live

    def wait(self):
        """Waits until the thread is idle, if there is one."""
        if self._worker:
            self._worker.wait()

    def close(self):
        """Ends the thread, if there is one, and closes the monitors.

        Raises:
            RuntimeError: If adaptation had ended by an error.
        """
        worker = self._worker
        if worker:
            worker.close()
            self._worker = None
            self._warned.add("error")
            _RUNNING.pop(self.adapter, None)
        self._monitors.close()
        if worker and worker.error is not None:
            raise RuntimeError(
                "Adaptation had ended by an error; predictions went on with "
                "the last weights"
            ) from worker.error

    def _update_if_due(self):
        if not self.window.is_full or self._since_update < self.adapt_every:
            return
        job = self.window.batch(), self.frame_id
        if self._serving is None:
            self._adapt(job)
        elif self._worker is None or not self._worker.offer(job):
            self._num_missed += 1
            self._warn_of_thread()
        self._since_update = 0

    def _adapt(self, job):
        """One adaptation; runs in the thread, if there is one."""
        images, frame_id = job
        start = time.perf_counter()
        record = self.adaptation.update(images)
        seconds = time.perf_counter() - start
        if record["window"] > 1:
            # The first one compiles.
            self._adaptation_seconds.append(seconds)
        if self._serving:
            network = self.adaptation.predictor().network
            self._serving.publish(self.adaptation.predicts, network)
        record = {"frame": frame_id, **record, "seconds": seconds}
        self.audit.write(record)
        self._monitors.on_window(self, record)

    @property
    def _error(self):
        """What ended adaptation in the thread, or `None`."""
        return self._worker and self._worker.error

    def _warn_of_thread(self):
        error = self._error
        if error is not None:
            self._warn_once(
                "error",
                "Adaptation has ended by an error, predictions go on with the "
                f"last weights: {type(error).__name__}: {error}",
            )
        if self._worker is None:
            self._warn_once(
                "closed",
                "The live adapter is closed: frames are predicted, and no "
                "longer adapted to.",
            )

    def _warn_of_frames(self, images):
        """Tells of frames that will never be adapted to."""
        if images.dtype.kind == "f" and "range" not in self._warned:
            top = np.max(images, where=np.isfinite(images), initial=0)
            if 0 < top <= 1:
                self._warn_once(
                    "range",
                    "Frames must be in 0 ... 255. Received: values in [0, 1], "
                    "which are blank",
                )
        count = self.window.num_faults
        if count >= MOST_FAULTS * self.window.size:
            faults = dict(self._skipped)
            self._warn_once(
                "faults",
                f"{count} frames in a row were not adapted to. Received: "
                f"{faults} so far",
            )

    def _warn_once(self, key, text):
        if key not in self._warned:
            self._warned.add(key)
            warnings.warn(text, stacklevel=5)

    def _predict(self, images, before):
        """Cropped values of padded images, and the name of the model."""
        start = time.perf_counter()
        finite = np.isfinite(images).all(axis=(1, 2, 3))
        usable = np.clip(np.nan_to_num(images), 0, 255)
        if self.window.frames:
            # It is normalized with the other ones of its batch.
            usable[~finite] = self.window.frames[-1]
        predictor = self.adaptation.predictor()
        if self._serving:
            predictor = self._serving.predictor()
        name = self.predicts
        values = self.format.cropped(self._values(predictor, usable, before))
        for value in values.values():
            value[~finite] = -1 if value.dtype.kind in "iu" else np.nan
        if self._has_predicted:
            self._prediction_seconds.append(time.perf_counter() - start)
        # The first one compiles.
        self._has_predicted = True
        return values, name

    def _frames_before(self, count):
        """What completes `count` frames to a window, for batch statistics."""
        if self.adapter.method.bn_mode != "batch" or not self.window.frames:
            return []
        return self.window.batch()[count:]

    def _values(self, predictor, images, before):
        """Values of a model, which may need other frames to normalize."""
        count = len(images)
        # As in windows and source images, so that this is compiled once.
        images = images.astype("float32")
        if predictor.method.bn_mode == "batch" and len(before):
            images = np.concatenate([before, images])
        outputs = predictor.predict_on_batch(images)
        values = predictor.network.postprocess(outputs)
        return {
            name: np.array(ops.convert_to_numpy(value)[-count:])
            for name, value in values.items()
        }


def _gathered(source, count):
    """The first images of batches, with labels and masks."""
    examples, found = [], 0
    for batch in source:
        examples.append(labeled_arrays(batch))
        found += len(examples[-1][0])
        if found >= count:
            break
    if found < count:
        raise ValueError(
            f"`source` must have at least num_images={count} images. "
            f"Received: {found}"
        )
    return keras.tree.map_structure(lambda x: x[:count], joined(examples))


def _check_known(tasks, labels, masks):
    """Raises a `ValueError` if no label of a task is known."""
    unknown = []
    for task in tasks:
        known = np.asarray(task.label.is_known(labels[task.name]))
        if task.name in masks:
            known = known & (masks[task.name] > 0)
        if not known.any():
            unknown.append(task.name)
    if unknown:
        raise ValueError(
            "Source images must have labels of every task. Received: no label "
            f"that is known of {unknown}"
        )


def _quantiles(seconds):
    if not seconds:
        return None
    seconds = list(seconds)
    return {
        "median": float(np.median(seconds)),
        "p99": float(np.percentile(seconds, 99)),
    }
