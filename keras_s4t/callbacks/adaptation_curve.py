import keras

from keras_s4t.curves.curve import Curve
from keras_s4t.state.snapshot import Snapshot
from keras_s4t.tasks import directions


class AdaptationCurve(Curve, keras.callbacks.Callback):
    """Evaluates a held-out target set every few adaptation steps.

    Args:
        target: Labeled dataset, or anything that `evaluate` takes as `x` and
            that can be read again.
        every: int. Number of steps between two evaluations. The model is
            always evaluated before the first step. A second `fit` goes on
            where the first ended, and begins anew after `reset`.

    Attributes:
        points: list of dicts, `{"step": int, <metric key>: float, ...}`, with
            all metrics of the tasks; `gain` and `relative` count the first of
            every task.

    Raises:
        ValueError: If `every` is less than 1, the target is an iterator, or
            the curve already holds the points of another model.

    Example:

    ```python
    curve = AdaptationCurve(target, every=5)
    adapter.fit(online_stream(target.take(1), steps=40), callbacks=[curve])
    curve.save("s4t.json")
    ```
    """

    def __init__(self, target, every=1):
        Curve.__init__(self)
        keras.callbacks.Callback.__init__(self)
        if every < 1:
            raise ValueError(
                f"`every` must be at least 1. Received: every={every}"
            )
        if hasattr(target, "__next__"):
            raise ValueError(
                "`target` must be what can be read again, such as a list of "
                f"batches. Received: a {type(target).__name__}"
            )
        self.target = target
        self.every = every
        self._step = 0
        self._num_resets = None
        self._measured = None

    def on_train_begin(self, logs=None):
        if self._measured not in (None, self.model):
            raise ValueError(
                "A curve must follow one model; every other one needs a curve "
                f"of its own. Received: a curve of {len(self.points)} points"
            )
        self._measured = self.model
        self.higher_is_better = directions(self.model.tasks)
        # After a reset the curve begins anew. Before the first step it holds
        # nothing, or a point 0 that was measured elsewhere.
        num_resets = getattr(self.model, "num_resets", 0)
        if self._num_resets not in (None, num_resets):
            self.points.clear()
            self._step = 0
        if not self.points:
            self._measure()

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        if self._step % self.every == 0:
            self._measure()

    def on_train_end(self, logs=None):
        self._num_resets = getattr(self.model, "num_resets", 0)

    def _measure(self):
        model = self.model
        # `evaluate` resets the metrics that `fit` is accumulating.
        running = Snapshot(model.metrics_variables)
        logs = model.evaluate(self.target, verbose=0, return_dict=True)
        running.restore()
        self._add_point(logs)

    def _add_point(self, logs):
        self._check_logs(logs)
        names = {key for task in self.model.tasks for key in task.metric_keys}
        metrics = {key: float(logs[key]) for key in self.higher_is_better}
        # The other metrics of tasks, those with an entry per class too.
        metrics |= {
            key: float(value)
            for key, value in logs.items()
            if key.partition("/")[0] in names
        }
        self.points.append({"step": self._step, **metrics})

    def _check_logs(self, logs):
        missing = [key for key in self.higher_is_better if key not in logs]
        if missing:
            raise ValueError(
                "A curve needs labels and the tasks' metrics: compile with "
                f"`metrics='auto'`. Received: no {missing} in the logs"
            )
