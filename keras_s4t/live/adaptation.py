"""Updates of a live adapter, one window at a time, with their guards."""

import functools
import warnings

import keras
import numpy as np

from keras_s4t.live.choice import Choice
from keras_s4t.live.controls import ADAPTED
from keras_s4t.live.controls import SOURCE
from keras_s4t.live.controls import Controls
from keras_s4t.live.guard import Guard
from keras_s4t.live.saving import flat
from keras_s4t.live.saving import unflat_dict
from keras_s4t.live.saving import unflat_list
from keras_s4t.live.scores import metrics_of
from keras_s4t.state.snapshot import Snapshot

ACTIONS = ("adapted", "held", "skipped", "rolled_back", "reset")
# Windows without adaptation after the source was returned to; doubled each
# time until a window passes.
PAUSE = 8
LONGEST_PAUSE = 1024
# What an update counts.
NUMBERS = ("num_windows", "failures", "num_skipped", "num_unchecked", "pause")
# Windows in a row without a finite loss after which the source is returned to.
MOST_SKIPPED = 3


class Adaptation:
    """Adapts to windows, checks what came of it, and chooses who predicts.

    Args:
        adapter: A compiled `TargetAdapter`.
        steps: int. Updates per window.
        check_every: int. Updates from one check to the next.
        reset_every: Optional int. Windows after which the source is returned
            to, whatever the checks say.
        restore: float in [0, 1]. Share of the moved weights, drawn at random,
            that return to the source after each window.
        seed: int.
    """

    def __init__(
        self,
        adapter,
        steps=1,
        check_every=1,
        reset_every=None,
        restore=0.0,
        seed=0,
    ):
        self.adapter = adapter
        # Without them, neither guard nor choice work.
        self.controls = None
        self.steps = steps
        self.check_every = check_every
        self.reset_every = reset_every
        self.restore = restore
        self.rng = np.random.default_rng(seed)
        self.guard = None
        self.choice = None
        self.predicts = ADAPTED
        self.estimates = {}
        # What the estimates are made of: metrics by model.
        self.measured = {}
        self.num_windows = 0
        self.failures = 0
        self.num_skipped = 0
        self.num_unchecked = 0
        self.pause = 0
        self.counts = dict.fromkeys(ACTIONS, 0)
        self.distance = None
        self._good = None

    def observe(self, values, labels, masks):
        """Corrects the choice by what models predicted on a labeled frame.

        Estimates and truth are compared on the tasks with labels.

        Args:
            values: dict from the name of a model to postprocessed outputs.
            labels: dict from task name to labels.
            masks: dict from task name to masks, or empty.

        Returns:
            dict from the name of a model to its true gain, in percent.
        """
        measured = self.controls.measure_values(values, labels, masks)
        true = self.controls.gains(measured)
        if self.measured:
            keys = measured[SOURCE]
            estimated = self.controls.gains(self.measured, keys)
            for name, estimate in estimated.items():
                self.choice.learn(name, estimate, true[name])
        return true

    def predictor(self):
        """The `TargetAdapter` that predicts."""
        if self.controls is None:
            return self.adapter
        return self.controls.adapters[self.predicts]

    def return_to_source(self):
        """Returns all models to the source; what was collected stays."""
        self.adapter.reset()
        if self.controls:
            self.controls.reset()
        self.predicts = ADAPTED
        self.estimates, self.measured = {}, {}
        self.failures = self.pause = self.num_skipped = 0
        self._good = None

    def update(self, images):
        """Adapts to a window. An error leaves the model as it was.

        Args:
            images: Array of shape `(window, height, width, channels)`.

        Returns:
            dict with `"window"`, `"action"`, `"reason"`, `"predicts"`, the
            name of the model that predicts from now on, `"loss"`,
            `"statistics_distance"`, how far the batch norms' moving means are
            from the source, in standard deviations of the source, `"scores"`
            of the guard and `"estimates"` of the choice, gains in percent.
        """
        followed = self.controls.moving_statistics if self.controls else []
        before = Snapshot([*self._variables, *followed])
        numbers = {name: getattr(self, name) for name in NUMBERS}
        try:
            return self._update(images)
        except BaseException:
            before.restore()
            for name, number in numbers.items():
                setattr(self, name, number)
            raise

    def _update(self, images):
        self.num_windows += 1
        record = {"window": self.num_windows, "action": "adapted", "reason": ""}
        if self.controls:
            self.controls.follow(images, self.steps)
        self.num_unchecked += 1
        checks = self.num_unchecked >= self.check_every
        loss, scores = None, {}
        if self.pause:
            record |= {"action": "held", "reason": "pause after a failure"}
            self.pause -= 1
            if not self.pause:
                self._reset()
        else:
            loss, skipped = self._steps(images)
            if skipped == self.steps:
                record |= self._skip()
            else:
                self.num_skipped = 0
                self._restore_some()
                if self.guard and checks:
                    scores = self._measure(images, loss)
                    record |= self._judge(scores)
        if self.reset_every and self.num_windows % self.reset_every == 0:
            self._reset()
            reasons = [record["reason"], f"every {self.reset_every} windows"]
            reason = "; ".join(filter(None, reasons))
            record |= {"action": "reset", "reason": reason}
        if self.controls and checks:
            self._choose(images, record)
        # A window that was skipped leaves its check to the next one.
        if checks and record["action"] != "skipped":
            self.num_unchecked = 0
        self.counts[record["action"]] += 1
        self.distance = self._statistics_distance()
        return {
            **record,
            "predicts": self.predicts,
            "loss": loss,
            "statistics_distance": self.distance,
            "scores": scores,
            "estimates": self.estimates,
        }

    def collect(
        self, choice, images, labels, masks, appearances, batch_size, tolerance
    ):
        """Calibrates guard and choice on source images.

        An error leaves the guard and the choice that there were.

        Args:
            choice: `Choice`, of other images.
            images: Array of shape `(num_images, height, width, channels)`,
                values in 0 ... 255.
            labels: dict from task name to labels.
            masks: dict from task name to masks, or empty.
            appearances: dict from name to a function from images to images:
                the shifts that are to be told from failures.
            batch_size: int. Images per window.
            tolerance: float. See `Guard`.

        Returns:
            list of dicts, what was measured for each appearance.
        """
        guard = Guard(self.adapter.tasks, tolerance)
        if self.controls is None:
            self.controls = Controls(self.adapter)
        before = Snapshot([*self._variables, *self.controls.moving_statistics])
        rng, self.rng = self.rng, np.random.default_rng(0)
        measured, scores, num_skipped = [], [], 0
        windows = [
            slice(i, i + batch_size)
            for i in range(0, len(images) - batch_size + 1, batch_size)
        ]
        try:
            guard.residuals = self._residuals(images, labels, masks, batch_size)
            for name, change in appearances.items():
                # The model may have been adapted already.
                self.adapter.reset()
                self.controls.reset()
                changed = change(images)
                row = {"appearance": name}
                for window in windows:
                    batch = changed[window]
                    loss, skipped = self._steps(batch)
                    self.controls.follow(batch, self.steps)
                    num_skipped += skipped
                    if not skipped:
                        scores.append(self._measure(batch, loss, guard))
                row |= self._errors(choice, changed, labels, masks, batch)
                measured.append(row)
        finally:
            before.restore()
            self.rng = rng
        if num_skipped:
            warnings.warn(
                f"{num_skipped} steps on source images were skipped: their "
                "loss or gradients were not finite. The guards work with what "
                "the others say. The learning rate may be too large.",
                stacklevel=3,
            )
        guard.calibrate(scores)
        self.guard, self.choice = guard, choice
        return measured

    def state(self):
        """What going on needs beside the adapter.

        Returns:
            Pair of a dict that JSON can hold and a dict of arrays.
        """
        values = {
            "rng": self.rng.bit_generator.state,
            "predicts": self.predicts,
            "estimates": self.estimates,
            "measured": self.measured,
            **{name: getattr(self, name) for name in NUMBERS},
            "counts": self.counts,
            "distance": self.distance,
        }
        arrays = flat("good", self._good.arrays() if self._good else [])
        if self.guard:
            arrays |= flat("statistics", self.controls.statistics())
            values |= {
                "limits": self.guard.limits,
                "residuals": self.guard.residuals,
                "tolerance": self.guard.tolerance,
                "errors": self.choice.errors,
                "margin": self.choice.margin,
            }
            arrays |= {"memory": self.choice.images}
            arrays |= flat("labels", self.choice.labels)
            arrays |= flat("masks", self.choice.masks)
        return values, arrays

    def set_state(self, values, arrays):
        """Takes what `state` returned."""
        self.rng.bit_generator.state = values["rng"]
        for name in NUMBERS:
            setattr(self, name, values[name])
        self.counts, self.distance = values["counts"], values["distance"]
        self.estimates = values["estimates"]
        self.measured = values["measured"]
        good = unflat_list("good", arrays)
        if good:
            self._good = Snapshot(self._variables, good)
        if "limits" in values:
            self.controls = Controls(self.adapter)
            statistics = unflat_list("statistics", arrays)
            self.controls.set_statistics(statistics)
            self.guard = Guard(self.adapter.tasks, values["tolerance"])
            self.guard.limits = values["limits"]
            self.guard.residuals = values["residuals"]
            self.choice = Choice(
                arrays["memory"],
                unflat_dict("labels", arrays),
                unflat_dict("masks", arrays),
                values["margin"],
            )
            errors = values["errors"]
            self.choice.errors = {k: tuple(v) for k, v in errors.items()}
        self.predicts = values["predicts"]

    @functools.cached_property
    def _source(self):
        """What variables are in the source state, in NumPy, by their `id`."""
        return self.adapter.source_values()

    @property
    def _variables(self):
        """All variables that an update may move."""
        adapter = self.adapter
        return [
            *adapter.network.variables,
            *adapter.method.variables,
            *adapter.optimizer.variables,
        ]

    def _statistics_distance(self):
        """Distance of the moving means from the source's.

        The root mean square over channels, in standard deviations of the
        source; `None` without batch norms.
        """
        source, shifts = self._source, []
        for norm in self.adapter.network.batch_norms:
            mean, variance = (
                source[id(v)] for v in (norm.moving_mean, norm.moving_variance)
            )
            moved = keras.ops.convert_to_numpy(norm.moving_mean) - mean
            shifts.append(moved / np.sqrt(variance + norm.epsilon))
        if not shifts:
            return None
        return float(np.sqrt(np.mean(np.concatenate(shifts) ** 2)))

    def _steps(self, images):
        """The steps on a window; returns the loss and how many were skipped."""
        adapter, losses = self.adapter, []
        adapter.skipped_steps.reset_state()
        for _ in range(self.steps):
            adapter.loss_metric.reset_state()
            logs = adapter.train_on_batch(images, return_dict=True)
            losses.append(float(logs["loss"]))
        skipped = float(adapter.skipped_steps.result())
        return losses[-1], int(skipped)

    def _measure(self, images, loss, guard=None):
        controls = self.controls
        outputs = controls.outputs(ADAPTED, images)
        reference = controls.outputs(controls.reference, images)
        return (guard or self.guard).scores(
            loss,
            outputs,
            controls.values(outputs),
            reference,
            controls.values(reference),
        )

    def _skip(self):
        """Returns to the source if the loss stays what it is."""
        self.num_skipped += 1
        reason = "loss not finite"
        if self.num_skipped < MOST_SKIPPED:
            return {"action": "skipped", "reason": reason}
        self.num_skipped = 0
        self.failures += 1
        self._reset_and_pause()
        return {
            "action": "reset",
            "reason": f"{reason} in {MOST_SKIPPED} windows",
        }

    def _judge(self, scores):
        """Keeps the state, or returns to the last good one or the source."""
        violations = self.guard.violations(scores)
        if not violations:
            self.failures = 0
            self._good = Snapshot(self._variables)
            return {}
        self.failures += 1
        reason = "; ".join(violations)
        if self.failures == 1 and self._good is not None:
            self._good.restore()
            return {"action": "rolled_back", "reason": reason}
        self._reset_and_pause()
        return {"action": "reset", "reason": reason}

    def _reset_and_pause(self):
        self._reset()
        self.pause = min(PAUSE * 2 ** (self.failures - 1), LONGEST_PAUSE)

    def _reset(self):
        """Returns to the source's weights, with statistics of the target."""
        self.adapter.reset()
        self._good = None
        if self.controls and self.adapter.method.bn_mode == "update":
            self.controls.set_statistics(self.controls.statistics(), ADAPTED)

    def _restore_some(self):
        if not self.restore:
            return
        for variable in self.adapter.updated_variables:
            source = self._source[id(variable)]
            returns = self.rng.random(source.shape) < self.restore
            value = keras.ops.convert_to_numpy(variable.value)
            variable.assign(np.where(returns, source, value))

    def _choose(self, images, record):
        """Chooses who predicts; an adapted model that failed does not."""
        exclude = (ADAPTED,) if self.failures else ()
        now = self.predicts
        if now in exclude:
            now = self.controls.reference
        elif self.choice is None and not exclude:
            now = ADAPTED
        if self.choice is not None:
            self.measured = self.choice.measure(
                self.controls, images, self.rng, exclude
            )
            self.estimates = self.controls.gains(self.measured)
            scores = self.choice.scores(self.estimates)
            now = self.choice.pick(scores, now)
            if now != ADAPTED and record["action"] == "adapted":
                reason = f"{now} scores higher"
                record |= {"action": "held", "reason": reason}
        self.predicts = now

    def _residuals(self, images, labels, masks, batch_size):
        """The source model's error on source images, by metric key."""
        tasks = self.adapter.tasks
        outputs = self.controls.outputs(SOURCE, images, batch_size)
        values = self.controls.values(outputs)
        perfect = metrics_of(tasks, labels, labels, masks)
        received = metrics_of(tasks, values, labels, masks)
        return {key: abs(perfect[key] - received[key]) for key in perfect}

    def _errors(self, choice, images, labels, masks, window):
        """Estimated and true gains on labeled images of an appearance."""
        controls = self.controls
        measured = choice.measure(controls, window, self.rng)
        estimated = controls.gains(measured)
        measured = controls.measure(images, labels, masks, len(window))
        true = controls.gains(measured)
        for name in controls.names:
            choice.learn(name, estimated[name], true[name])
        return {"estimated": estimated, "true": true}
