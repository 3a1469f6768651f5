import warnings
import weakref

import keras
from keras import ops

from keras_s4t.backend import no_gradients
from keras_s4t.backend import replicated
from keras_s4t.backend import shared_batch
from keras_s4t.batches import joined
from keras_s4t.batches import labeled_arrays
from keras_s4t.checks import check_compiled
from keras_s4t.checks import check_finite
from keras_s4t.checks import check_images
from keras_s4t.checks import check_labels
from keras_s4t.checks import check_masks
from keras_s4t.checks import labeled_tasks
from keras_s4t.checks import look_at_batch
from keras_s4t.export import Exportable
from keras_s4t.presets import Preset
from keras_s4t.state.minimize import gradient_of
from keras_s4t.state.pure_call import run_on
from keras_s4t.state.pure_call import without_writing
from keras_s4t.state.snapshot import Snapshot
from keras_s4t.training.task_trainer import TaskTrainer
from keras_s4t.training.updates import check_following
from keras_s4t.training.updates import check_updates
from keras_s4t.training.updates import describe_updates

# What predictions can be averaged with.
AVERAGES = ("flip", "synchronizer")


@keras.saving.register_keras_serializable("keras_s4t")
class TargetAdapter(Exportable, Preset, TaskTrainer):
    """Adapts a network to a target stream at test time.

    `fit` makes one update per batch of the variables that the method selects,
    on the method's loss. No other variable moves. Labels of the stream, if
    any, reach the metrics only. The metrics in the logs of `fit` are those of
    the network *after* the update on that batch; see `predict` of `compile`.
    Methods that normalize with the statistics of the batch (TENT, TIPI)
    predict an image otherwise in another batch.

    A deep copy or a pickle of a metric is empty in Keras: return numbers from
    workers, not metrics.

    The network and the method are adapted in place. `reset` returns them to
    their source state: what they are when the first update begins. It is taken
    once, saved with the adapter, and taken anew by `take_source_state` alone.

    Args:
        network: A `MultiTaskModel` trained on the source.
        method: A `Method`, trained or given its statistics on the source, or
            the name of the class of one that needs neither, such as `"Tent"`.

    Example:

    ```python
    adapter = keras_s4t.TargetAdapter(network, method)
    adapter.compile()
    adapter.fit(keras_s4t.data.online_stream(target, steps=40))
    adapter.evaluate(target, return_dict=True)
    ```
    """

    def __init__(self, network, method, **kwargs):
        super().__init__(network, method, **kwargs)
        method = self.method
        check_following(method)
        method.build_for(network)
        self.averages = ()
        self._source_state = None
        # What the moving statistics are on the source, for `prior`.
        self._source_statistics, self._statistics_ids = [], []
        if method.prior and method.bn_mode == "update":
            self._source_statistics = [
                self.add_weight(
                    name=f"source_statistic_{i}",
                    shape=variable.shape,
                    initializer="zeros",
                    trainable=False,
                )
                for i, variable in enumerate(network.moving_statistics)
            ]
            self._statistics_ids = list(map(id, network.moving_statistics))
        if method.prior or method.momentum is not None:
            network.check_following()
        self.stream_steps = None
        self.num_resets = 0

    @property
    def batch_statistics(self):
        """Whether adaptation normalizes with the statistics of the batch."""
        return self.method.bn_mode != "source"

    @property
    def following(self):
        method = self.method
        if not method.prior and method.momentum is None:
            return None
        values = map(ops.convert_to_tensor, self._source_statistics)
        source = dict(zip(self._statistics_ids, values, strict=True))
        return self.network.following(method.prior, method.momentum, source)

    def served(self):
        """What `export` writes; see `Exportable.served`."""
        if self.averages:
            raise ValueError(
                "`averages` of `compile` must be empty for the export of an "
                f"adapter. Received: averages={self.averages}"
            )
        if self.method.prior and self.method.bn_mode == "batch":
            raise ValueError(
                "`prior` must be 0 for the export of an adapter whose method "
                "normalizes with the statistics of the batch. Received: "
                f"{type(self.method).__name__} with prior={self.method.prior}"
            )
        return self.network, self.method.bn_mode == "batch"

    @property
    def taps(self):
        """Patterns of the features that the method reads."""
        return self.method.taps(self.network)

    @property
    def updated_variables(self):
        """The variables that the method selects."""
        return self.method.select(self.network)

    def default_optimizer(self):
        """The optimizer of the method."""
        return self.method.default_optimizer()

    def compile(
        self,
        optimizer="auto",
        loss=None,
        metrics="auto",
        predict="after",
        averages=(),
        **kwargs,
    ):
        """As `keras.Model.compile`. The source state stays what it is.

        Args:
            optimizer: A Keras optimizer, its name, or `"auto"` for the
                method's own.
            loss: Must be `None`: the loss is the method's.
            metrics: `"auto"` for the tasks' metrics, `None` for none.
            predict: Which prediction of a batch the metrics of `fit` measure
                and `adapt` returns: `"after"` the update on that batch, or
                `"before"` it, as published TENT does. In `fit`, `"before"`
                takes the prediction of the update's own pass, normalized as
                the update normalizes, and saves a second pass.
            averages: What predictions are averaged with, a list of
                `"flip"`, the prediction of the mirrored images, and
                `"synchronizer"`, that of the synchronizer of `S4T`; see
                `S4T.fuse`.
            **kwargs: Passed on to `keras.Model.compile`.

        Raises:
            ValueError: If a loss or other metrics are given, `predict` is
                unknown, the dtype policy computes in float16, or several
                steps are to be executed at once.
        """
        if predict not in ("after", "before"):
            raise ValueError(
                "`predict` must be 'after' or 'before'. "
                f"Received: predict={predict!r}"
            )
        averages = self._checked_averages(averages, predict)
        if kwargs.get("steps_per_execution", 1) != 1:
            raise ValueError(
                "`steps_per_execution` must be 1: callbacks see every step. "
                f"Received: {kwargs['steps_per_execution']}"
            )
        if self.dtype_policy.compute_dtype == "float16":
            raise ValueError(
                "Test-time training supports float32 and bfloat16; loss "
                "scaling would be needed for float16. "
                f"Received: dtype policy {self.dtype_policy.name!r}"
            )
        self.predict_at = predict
        self.averages = averages
        super().compile(optimizer, loss, metrics, **kwargs)
        self._new_optimizer_state = Snapshot(self.optimizer.variables)

    def prepare_method(self):
        """Raises an error if the method was not prepared on the source."""
        missing = self.method.missing
        if missing:
            ways = {
                "training": "`fit` of a `SourceTrainer`",
                "statistics": "`collect` of a `TargetAdapter`",
            }
            raise ValueError(
                f"{type(self.method).__name__} must be prepared on the source "
                f"by {' and then '.join(map(ways.get, missing))}. "
                f"Received: a method without {' and '.join(missing)}"
            )
        check_updates(self)
        self._begin()

    def fit(self, x=None, y=None, *args, shuffle=False, **kwargs):
        """As `keras.Model.fit`, in the order of the stream."""
        self.method.check_target(x, kwargs.get("batch_size"))
        self.stream_steps = getattr(x, "steps_per_batch", None)
        return super().fit(x, y, *args, shuffle=shuffle, **kwargs)

    def train_on_batch(self, x, y=None, sample_weight=None, *args, **kwargs):
        """As `TaskTrainer.train_on_batch`, after the checks of the method."""
        check_compiled(self, "train_on_batch")
        self.look_once("train_on_batch", x, y, sample_weight)
        self.method.check_target(x, len(x))
        self.check_trainable()
        self.prepare_method()
        return super().train_on_batch(x, y, sample_weight, *args, **kwargs)

    def _checked_averages(self, averages, predict):
        averages = tuple(averages)
        if not set(averages) <= set(AVERAGES):
            raise ValueError(
                f"`averages` must be out of {AVERAGES}. "
                f"Received: averages={averages}"
            )
        if averages and predict == "before":
            raise ValueError(
                "`averages` must be empty with `predict='before'`, which takes "
                "the prediction of the update's own pass. "
                f"Received: averages={averages}"
            )
        if "synchronizer" in averages and not hasattr(self.method, "fuse"):
            raise ValueError(
                "The method must have a synchronizer, as `S4T`, for "
                f"`averages={averages}`. Received: {type(self.method).__name__}"
            )
        return averages

    def call(self, images, training=False):
        outputs = self._predict(images)
        if "flip" not in self.averages:
            return outputs
        others = self._predict(ops.flip(images, axis=2))
        return {
            task.name: task.average(
                [outputs[task.name], task.mirrored(others[task.name])]
            )
            for task in self.tasks
        }

    def _predict(self, images):
        fuses = "synchronizer" in self.averages
        is_batch = self.method.bn_mode == "batch"
        if not fuses and not is_batch:
            return self.network(images, training=False)
        # Neither writes, since they are not asked to keep the state.
        features = self.encode(images, is_batch, ("P*",))
        outputs = self.decode(features, ops.shape(images)[1:3], is_batch)
        return self.method.fuse(features, outputs) if fuses else outputs

    def with_values(self, fn, variables, values):
        """The result of a function with other values of some variables.

        What it assigns is discarded, and no gradient flows through the result.
        For methods that ask a teacher.

        Args:
            fn: Function without arguments.
            variables: list of variables of the network or the method.
            values: list of tensors, one per variable.
        """
        others = dict(zip(map(id, variables), values, strict=True))
        state = self._state
        given = [others.get(id(v), v.value) for v in state]
        with no_gradients():
            result, _ = run_on(fn, state, given)
        return keras.tree.map_structure(ops.stop_gradient, result)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=False
    ):
        """The weighted task losses; what `evaluate` reports as loss."""
        if y is None:
            return ops.zeros(())
        losses = self.task_losses(y, y_pred, sample_weight)
        return replicated(
            sum(
                task.weight * losses[task.name]
                for task in labeled_tasks(self.tasks, losses)
            )
        )

    def adapt(self, images):
        """Makes one update on a batch, and predicts it.

        For images that come one batch at a time. `fit` does the same on a
        stream, with callbacks and metrics.

        Args:
            images: Array or tensor of shape `(batch_size, height, width, 3)`,
                float32 or uint8 RGB in 0 ... 255.

        Returns:
            dict from task name to NumPy arrays, the prediction of the adapted
            network, or with `compile(predict="before")` that of the network
            before the update: class ids, meters and so on, see
            `Task.postprocess`.

        Raises:
            ValueError: If the images are not a finite RGB batch, the adapter
                is not compiled, or the method is not prepared or cannot adapt
                to such a batch.

        Example:

        ```python
        adapter = keras_s4t.TargetAdapter(network, method)
        adapter.compile()
        for images in camera:
            depth = adapter.adapt(images)["depth"]
        ```
        """
        check_compiled(self, "adapt")
        self.check_data(images, None)
        self.method.check_target(images, len(images))
        self.check_trainable()
        self.prepare_method()
        if self.predict_at == "before":
            outputs = self.predict_on_batch(images)
        self.skipped_steps.reset_state()
        # Without the checks of both classes, which were made above.
        logs = super(TaskTrainer, self).train_on_batch(images, return_dict=True)
        self.warn_of_skipped(logs["skipped_steps"])
        if self.predict_at == "after":
            outputs = self.predict_on_batch(images)
        values = self.network.postprocess(outputs)
        return keras.tree.map_structure(ops.convert_to_numpy, values)

    def collect(self, source, verbose="auto"):
        """Collects the method's statistics over source images.

        Args:
            source: Iterable of batches, images or `(images, ...)`. Methods that
                store labeled images, as `ReplayS4T`, need `(images, labels)`
                or `(images, labels, masks)`.
            verbose: `"auto"` or 1 for a progress bar, 0 for silence.

        Raises:
            ValueError: If there is no batch, or one is not of finite RGB
                images. The statistics are then what they were.
        """
        total = len(source) if hasattr(source, "__len__") else None
        progress = keras.utils.Progbar(total, verbose=int(verbose != 0))
        before, count, examples = Snapshot(self.method.variables), 0, []
        try:
            for batch in source:
                images, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
                images = ops.convert_to_tensor(images)
                check_images(images, self.network.num_channels)
                check_finite(ops.convert_to_numpy(images))
                if not count:
                    look_at_batch(images, self.tasks, self.warned)
                if self.method.remembers:
                    _, labels, masks = example = labeled_arrays(batch)
                    size = tuple(images.shape[1:3])
                    check_labels(labels, size, self.tasks)
                    check_masks(masks, labels, size, self.tasks)
                    examples.append(example)
                else:
                    with no_gradients():
                        features = self.encode(images, training=False)
                        self.method.collect(features)
                count += 1
                progress.update(count, finalize=count == total)
            if not count:
                raise ValueError(
                    "`source` must hold batches of images. Received: none"
                )
            if examples:
                self.method.remember(*joined(examples))
        except BaseException:
            before.restore()
            raise
        self.method.mark_done("statistics")
        # The network may be adapted already: its source state stays.
        if self._source_state is not None:
            self._source_state.retake(self.method.variables)

    def input_gradient(self, fn, images):
        """Gradient of a scalar with respect to images.

        For methods that search for adversarial images. `fn` writes no
        variable, and no gradient flows through the result.

        Args:
            fn: Function from images to a scalar.
            images: Tensor of shape `(batch_size, height, width, 3)`.

        Returns:
            A tensor of the same shape.
        """
        return without_writing(lambda: gradient_of(fn, images), self._state)

    def reset(self):
        """Returns network, method and seeds to the source state.

        The optimizer becomes what it is after `compile`.
        """
        check_compiled(self, "reset")
        if self._source_state is not None:
            self._source_state.restore()
        self._new_optimizer_state.restore()
        self.network.adapted_by = None
        self.num_resets += 1

    def describe_updates(self):
        """What a step moves, in words: variables, statistics, frozen layers."""
        return describe_updates(self)

    def source_copy(self, method=None):
        """A new adapter in the source state of this one, not compiled.

        Args:
            method: Optional `Method` to adapt with, by default a copy of that
                of this adapter.

        Returns:
            A `TargetAdapter` that shares no variable with this one.

        Raises:
            ValueError: If the network or the method cannot be serialized.
        """
        originals = [self.network] if method else [self.network, self.method]
        configs = [keras.saving.serialize_keras_object(x) for x in originals]
        copies = [keras.saving.deserialize_keras_object(x) for x in configs]
        adapter = TargetAdapter(
            copies[0], method or copies[1], dtype=self.dtype_policy
        )
        source = self.source_values()
        for original, copied in zip(originals, copies, strict=True):
            for old, new in zip(
                original.variables, copied.variables, strict=True
            ):
                value = source.get(id(old))
                new.assign(ops.copy(old.value) if value is None else value)
        return adapter

    def source_values(self):
        """What the variables are in the source state.

        Returns:
            dict from the `id` of a variable of this adapter to a NumPy array;
            empty before the first update, when they are what they are.
        """
        if self._source_state is None:
            return {}
        arrays = self._source_state.arrays()
        return dict(zip(map(id, self._state), arrays, strict=True))

    def take_source_state(self):
        """Makes the present state the one that `reset` returns to.

        For weights that were changed by hand, or loaded, after an update.
        """
        self._take_source_state()
        self.network.adapted_by = None

    def _take_source_state(self):
        statistics = self.network.moving_statistics
        # Without a prior there are none.
        for kept, variable in zip(
            self._source_statistics, statistics, strict=False
        ):
            # A buffer of its own, which JAX may donate to a step.
            kept.assign(ops.copy(variable.value))
        self._source_state = Snapshot(self._state)

    def _begin(self):
        """Takes the source state before the first update."""
        if self._source_state is None:
            other = self.network.adapted_by
            # Also one that is gone: the network is not the source all the same.
            if other is not None and other() is not self:
                warnings.warn(
                    "The network was adapted by another adapter. `reset` of "
                    "this one will return to the adapted network, not to the "
                    "source. Call `reset` of the other one before, or load the "
                    "source model anew.",
                    stacklevel=4,
                )
            self._take_source_state()
        if self.method.updates_variables or self.method.bn_mode == "update":
            self.network.adapted_by = weakref.ref(self)

    def update(self, images, labels, masks):
        """One update on a batch; returns the logs of loss and metrics."""
        # What layers write of themselves stays as it is, as the kernels of
        # spectral normalization, unless it follows the target.
        moved = [*self.following_statistics, *self.updated_variables]
        ids = set(map(id, moved))
        dropped = [v for v in self.network.weights if id(v) not in ids]
        measures = labels is not None and self.measures_tasks
        predicts = measures and self.predict_at == "before"
        predictions = self.minimize(
            lambda: self._target_loss(images, predicts),
            images,
            dropped,
        )
        if not measures:
            return {"loss": self.loss_metric.result()}
        with no_gradients():
            if not predicts:
                # With the statistics of the batch, perhaps.
                with shared_batch():
                    predictions = self(images)
            return self.compute_metrics(images, labels, predictions, masks)

    def _target_loss(self, images, predicts):
        if not predicts:
            features = self.encode(images, keep_state=True)
            return self.method.target_loss(self, images, features), {}
        taps = (*self.taps, "P*")
        features = self.encode(images, taps=taps, keep_state=True)
        read = {name: features[name] for name in self._method_encoder.output}
        loss = self.method.target_loss(self, images, read)
        # Statistics of the decoder follow what the method decodes, not this.
        return loss, self.decode(features, ops.shape(images)[1:3])

    @property
    def following_statistics(self):
        """The moving means and variances that follow the target.

        Those of all batch norms that the method runs, frozen ones included.
        """
        if self.method.bn_mode != "update":
            return []
        read = list(self._method_encoder.variables)
        if self.method.decodes:
            read += self.network.decoder.variables
        ids = set(map(id, read))
        return [v for v in self.network.moving_statistics if id(v) in ids]

    @property
    def _method_encoder(self):
        """The part of the encoder that the method reads."""
        return self.network.tapped_encoder.part(self.taps)

    def save_own_variables(self, store):
        """Saves the source state, if an update was made."""
        if self._source_state is not None:
            for i, array in enumerate(self._source_state.arrays()):
                store[f"source_{i}"] = array

    def load_own_variables(self, store):
        """Loads the source state, if there is one."""
        arrays = [store[f"source_{i}"] for i in range(len(store.keys()))]
        self._source_state = None
        if arrays:
            self._source_state = Snapshot(self._state, arrays)
            self._source_state.restore(self._source_statistics)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """As `TaskTrainer.load_weights`, with the source state."""
        source_state = self._source_state
        try:
            super().load_weights(filepath, skip_mismatch, **kwargs)
        except BaseException:
            self._source_state = source_state
            raise

    def get_compile_config(self):
        """What `compile_from_config` takes; `None` if not compiled."""
        config = super().get_compile_config()
        return config and {
            **config,
            "predict": self.predict_at,
            "averages": self.averages,
        }
