from keras_s4t.callbacks.adaptation_curve import AdaptationCurve
from keras_s4t.callbacks.stream_steps import check_steps_per_batch
from keras_s4t.state.snapshot import Snapshot


class OnlineCurve(AdaptationCurve):
    """Metrics over the adaptation steps of a batch, pooled over batches.

    For the online and the episodic protocol, in which the model adapts to each
    batch for several steps. The point of step `t` pools the predictions after
    step `t` of every batch. The point of step 0 evaluates all batches before
    adaptation.

    Args:
        target: Labeled dataset, the one that is streamed.
        steps: int. Steps per batch, as passed to `online_stream`.

    Raises:
        ValueError: If `steps` is less than 1 or differs from that of the
            stream, or if the stream has no labels.

    Example:

    ```python
    curve = OnlineCurve(target, steps=40)
    adapter.fit(online_stream(target, steps=40), callbacks=[curve])
    ```
    """

    def __init__(self, target, steps):
        super().__init__(target)
        if steps < 1:
            raise ValueError(
                f"`steps` must be at least 1. Received: steps={steps}"
            )
        self.steps_per_batch = steps

    def on_train_begin(self, logs=None):
        check_steps_per_batch(self, steps=self.steps_per_batch)
        num_batches = self.params.get("steps")
        if num_batches and num_batches % self.steps_per_batch:
            raise ValueError(
                "`steps` must be those of the stream. Received: "
                f"steps={self.steps_per_batch} and a stream of {num_batches}"
            )
        super().on_train_begin(logs)
        model = self.model
        model.reset_metrics()
        start = Snapshot(model.metrics_variables)
        # Metrics are sums: one set of accumulators per step pools batches.
        self._accumulators = [start] * self.steps_per_batch

    def on_train_batch_begin(self, batch, logs=None):
        # On JAX the variables hold the current state here, because a callback
        # accessed the model at the end of the previous batch or at the
        # beginning of training.
        self._accumulators[batch % self.steps_per_batch].restore()

    def on_train_batch_end(self, batch, logs=None):
        self._check_logs(logs or {})
        self._accumulators[batch % self.steps_per_batch] = Snapshot(
            self.model.metrics_variables
        )

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        model = self.model
        del self.points[1:]
        for i, accumulator in enumerate(self._accumulators):
            accumulator.restore()
            self._step = i + 1
            self._add_point(model.get_metrics_result())
