import math
import types
import warnings

import keras
from keras import ops

from keras_s4t import methods
from keras_s4t.backend import default_jit_compile
from keras_s4t.backend import replicated
from keras_s4t.batches import IterableBatches
from keras_s4t.batches import as_batches
from keras_s4t.batches import first_of
from keras_s4t.batches import generators_may_end
from keras_s4t.batches import look_when_read
from keras_s4t.checks import check_batch
from keras_s4t.checks import check_compiled
from keras_s4t.checks import check_data
from keras_s4t.checks import check_labels
from keras_s4t.checks import check_metric_keys
from keras_s4t.checks import check_not_empty
from keras_s4t.checks import first_images
from keras_s4t.checks import labeled_tasks
from keras_s4t.checks import look_at_batch
from keras_s4t.models.multi_task_model import MultiTaskModel
from keras_s4t.state.kept_state import StateMixins
from keras_s4t.state.minimize import minimize
from keras_s4t.state.whole_weights import WholeWeights
from keras_s4t.training.shared_batches import SharedBatches
from keras_s4t.training.train_step import StepMixin

NOT_COMPILED = ("loss_weights", "weighted_metrics")


class TaskTrainer(
    StepMixin, SharedBatches, *StateMixins, WholeWeights, keras.Model
):
    """Base class of source training and test-time training.

    Losses and metrics come from the tasks, so `compile` needs an optimizer
    only.

    Args:
        network: A `MultiTaskModel`.
        method: A `Method`, or the name of its class. It is built for the
            features of the network.

    Raises:
        ValueError: If either is something else, or the method does not fit
            the network.
    """

    def __init__(self, network, method, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(network, MultiTaskModel):
            raise ValueError(
                "`network` must be a `MultiTaskModel`. Models of layers of "
                "your own become one by `MultiTaskModel.from_functional` or "
                f"`from_subclassed`. Received: a {type(network).__name__}"
            )
        method = methods.get(method)
        self.network = network
        self.method = method
        method.check(network)
        if not method.built:
            method.build(method.features_shape(network))
        check_metric_keys(network.tasks)
        self.task_metrics = [
            metric for task in network.tasks for metric in task.make_metrics()
        ]
        self.skipped_steps = keras.metrics.Sum(name="skipped_steps")
        self.warned = set()
        self.looked = set()
        self.measures_tasks = False
        self.built = True

    # Whether `fit` may read a batch before it begins.
    reads_ahead = True

    @property
    def tasks(self):
        """The tasks of the network."""
        return self.network.tasks

    def compile(self, optimizer="auto", loss=None, metrics="auto", **kwargs):
        """As `keras.Model.compile`; losses and metrics come from the tasks.

        Args:
            optimizer: A Keras optimizer, its name, or `"auto"`.
            loss: Must be `None`. The position is that of Keras.
            metrics: `"auto"` for the tasks' metrics, `None` for none.
            **kwargs: Passed on to `keras.Model.compile`.

        Raises:
            ValueError: If a loss, loss weights, weighted metrics or other
                metrics are given, or the optimizer is `None`, averages weights
                or has a learning rate that is not finite.
        """
        given = {"loss": loss}
        given |= {name: kwargs.get(name) for name in NOT_COMPILED}
        given = {name: x for name, x in given.items() if x is not None}
        if given:
            raise ValueError(
                "Losses, their weights and metrics come from the tasks of the "
                "network and from the method; `compile` takes none. "
                f"Received: {given}"
            )
        if metrics not in ("auto", None):
            raise ValueError(
                "`metrics` must be 'auto', for the metrics of the tasks, or "
                f"None. Received: metrics={metrics}"
            )
        if optimizer == "auto":
            optimizer = self.default_optimizer()
        if optimizer is None:
            raise ValueError(
                "`optimizer` must be a Keras optimizer, its name or 'auto'. "
                "Received: optimizer=None"
            )
        optimizer = keras.optimizers.get(optimizer)
        # Loss scaling wraps the optimizer that would average.
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if optimizer.use_ema or inner.use_ema:
            raise ValueError(
                "`optimizer` must not use an exponential moving average, which "
                "would overwrite weights between steps. Received: an optimizer "
                "with use_ema=True"
            )
        rate = float(ops.convert_to_numpy(optimizer.learning_rate))
        if not math.isfinite(rate) or rate < 0:
            raise ValueError(
                "The learning rate must be finite and not negative. "
                f"Received: learning_rate={rate}"
            )
        self.measures_tasks = metrics == "auto"
        kwargs.setdefault("jit_compile", default_jit_compile())
        super().compile(optimizer=optimizer, **kwargs)
        # For the updated variables only. TensorFlow would trace the first step
        # twice if the slots were not made yet.
        self.optimizer.build(self.updated_variables)
        # Not the variables: Keras would track them once more.
        self._compiled_for = frozenset(map(id, self.updated_variables))

    def check_data(self, x, y, masks=None, reads=True):
        """As `keras_s4t.checks.check_data`, for the network."""
        check_data(
            x,
            y,
            self.tasks,
            masks,
            self.warned,
            reads,
            self.network.num_channels,
        )

    def check_trainable(self):
        """Raises a `ValueError` if layers were frozen since `compile`."""
        now = frozenset(map(id, self.updated_variables))
        if now != self._compiled_for:
            raise ValueError(
                "`compile` must be called again after `trainable` of a layer "
                f"has changed. Received: {len(now)} variables to update, "
                f"{len(self._compiled_for)} at `compile`"
            )

    @property
    def updated_variables(self):
        """The variables that a step updates, and no others."""
        return self.trainable_variables

    def default_optimizer(self):
        """The optimizer that `compile("auto")` takes."""
        raise NotImplementedError

    def fit(self, x=None, y=None, *args, **kwargs):
        """As `keras.Model.fit`, after checks of the data.

        A step whose loss or gradients are not finite changes nothing. The logs
        count such steps per epoch as `"skipped_steps"`; a warning tells at the
        end, be it an error or a keyboard interrupt.
        """
        check_compiled(self, "fit")
        batches = as_batches(x)
        masks = kwargs.get("sample_weight")
        if isinstance(batches, types.GeneratorType):
            batches = self._look_at_generator(batches)
            # Keras would read its first two batches in all later epochs.
            if kwargs.get("epochs", 1) > 1 and not kwargs.get(
                "steps_per_epoch"
            ):
                raise ValueError(
                    "`epochs` must be 1 for a generator, which is read once, "
                    "or `steps_per_epoch` must be given. "
                    f"Received: epochs={kwargs['epochs']}"
                )
        if isinstance(batches, IterableBatches) and kwargs.get("shuffle"):
            raise ValueError(
                "`shuffle` must be False for batches that are read in order, "
                "such as those of a list: shuffle the data themselves. "
                f"Received: shuffle={kwargs['shuffle']}"
            )
        self.check_data(batches, y, masks, self.reads_ahead)
        self.check_trainable()
        self.prepare_method()
        if hasattr(x, "element_spec") or batches is not x:
            # Datasets shuffle themselves.
            kwargs.setdefault("shuffle", False)
        x, errors = batches, []
        if hasattr(x, "element_spec") and not self.reads_ahead:
            x, errors = look_when_read(
                x, lambda batch: look_at_batch(batch, self.tasks, self.warned)
            )
        earlier = getattr(self, "history", None)
        self.skipped_steps.reset_state()
        with generators_may_end(x):
            try:
                history = super().fit(x, y, *args, **kwargs)
            except BaseException as error:
                self.warn_of_skipped(self._skipped_until_now(earlier))
                if errors and isinstance(error, Exception):
                    raise errors[0] from None
                raise
        self.warn_of_skipped(sum(history.history.get("skipped_steps", [])))
        return history

    def _skipped_until_now(self, earlier):
        """The steps that `fit` skipped before it ended by an error.

        Args:
            earlier: The `history` from before it, or `None`.
        """
        history = getattr(self, "history", None)
        if history is None or history is earlier:
            return 0
        count = sum(history.history.get("skipped_steps", []))
        # Made when training begins.
        finished = getattr(history, "epoch", None)
        if not finished or finished[-1] + 1 < history.params["epochs"]:
            # The epoch in which it ended.
            count += float(ops.convert_to_numpy(self.skipped_steps.result()))
        return count

    def step(self, data):
        """One update on a batch; returns the logs."""
        logs = self.update(*keras.utils.unpack_x_y_sample_weight(data))
        return {**logs, "skipped_steps": self.skipped_steps.result()}

    def update(self, images, labels, masks):
        """One update on a batch; returns the logs of loss and metrics."""
        raise NotImplementedError

    def minimize(self, loss_fn, images, dropped=()):
        """One step on a loss of images, counted by the metrics of the loss.

        Args:
            loss_fn: As `keras_s4t.state.minimize.minimize` takes it.
            images: The images of the batch.
            dropped: Variables whose writes are discarded.

        Returns:
            The other tensors of `loss_fn`.
        """
        self.check_shares()
        num_images = ops.cast(ops.shape(images)[0], "float32")
        loss, others, is_finite = minimize(
            loss_fn,
            self.updated_variables,
            self._state,
            self.optimizer,
            dropped,
            num_images,
        )
        is_finite = ops.cast(is_finite, "float32")
        self.loss_metric.update_state(
            ops.where(is_finite > 0, loss, 0.0),
            sample_weight=is_finite * num_images,
        )
        self.skipped_steps.update_state(replicated(1.0 - is_finite))
        return others

    @property
    def _state(self):
        """All variables that a step may read or write, but the optimizer's."""
        return self.trainable_variables + self.non_trainable_variables

    @property
    def following(self):
        """How batch norms follow a batch, see `MultiTaskModel.following`.

        `None` where they do as usual.
        """
        return None

    def _following(self):
        # Networks of a user need not know it.
        following = self.following
        return {} if following is None else {"following": following}

    def warn_of_skipped(self, count):
        """Warns if steps were skipped, by loss scaling once."""
        if count:
            warnings.warn(
                f"{int(count)} steps were skipped: their loss or gradients "
                "were not finite. Nothing was changed by them. Look for NaN "
                "in images and labels, and for a learning rate that is NaN or "
                "too large.",
                stacklevel=3,
            )
        # Loss scaling skips gradients itself, a few of them by design.
        scale = getattr(self.optimizer, "dynamic_scale", None)
        if scale is None or "scale" in self.warned:
            return
        scale = float(ops.convert_to_numpy(scale))
        if scale < min(1, self.optimizer.initial_scale):
            self.warned.add("scale")
            warnings.warn(
                f"The loss scale has fallen to {scale:.3g}: gradients were not "
                "finite in most steps, which changed nothing and are not "
                "among the skipped ones. Look for losses whose gradients are "
                "NaN, and for a learning rate that is too large.",
                stacklevel=3,
            )

    def prepare_method(self):
        """Called by `fit` after the checks of the data."""

    def evaluate(self, x=None, y=None, *args, **kwargs):
        """As `keras.Model.evaluate`, after checks of the data."""
        check_compiled(self, "evaluate")
        x = as_batches(x)
        if isinstance(x, types.GeneratorType):
            x = self._look_at_generator(x)
        masks = kwargs.get("sample_weight")
        self.check_data(x, y, masks)
        with generators_may_end(x):
            return super().evaluate(x, y, *args, **kwargs)

    def _look_at_generator(self, batches):
        """A generator whose first batch was looked at."""
        first, batches = first_of(batches)
        self._look_at(first)
        return batches

    def _look_at(self, batch):
        """Raises or warns if a batch is not what the tasks expect."""
        check_batch(batch, self.tasks, self.network.num_channels)
        look_at_batch(batch, self.tasks, self.warned)

    def train_on_batch(self, x, y=None, sample_weight=None, *args, **kwargs):
        """As `keras.Model.train_on_batch`, after a look at the first batch.

        A warning tells of the first step that changes nothing, as those of
        `fit` do.
        """
        self.look_once("train_on_batch", x, y, sample_weight)
        logs = super().train_on_batch(x, y, sample_weight, *args, **kwargs)
        count = 0
        if "skipped" not in self.warned:
            count = float(ops.convert_to_numpy(self.skipped_steps.result()))
        if count:
            self.warned.add("skipped")
        self.warn_of_skipped(count)
        return logs

    def test_on_batch(self, x, y=None, sample_weight=None, *args, **kwargs):
        """As `keras.Model.test_on_batch`, after a look at the first batch."""
        self.look_once("test_on_batch", x, y, sample_weight)
        return super().test_on_batch(x, y, sample_weight, *args, **kwargs)

    def look_once(self, verb, images, labels=None, masks=None):
        """Looks at the first batch that a method of this trainer is given.

        Not at all of them, which would cost more than it tells. Images may
        hold NaN: their step is skipped.
        """
        if verb in self.looked:
            return
        self._look_at((images, labels, masks))
        self.looked.add(verb)

    def predict(self, x, *args, **kwargs):
        """As `keras.Model.predict`, after a look at the first batch."""
        x = as_batches(x)
        check_not_empty(x)
        if "predict" not in self.looked:
            if isinstance(x, types.GeneratorType):
                first, x = first_of(x)
                images, _, _ = keras.utils.unpack_x_y_sample_weight(first)
            else:
                images = first_images(x)
            if images is not None:
                self.look_once("predict", images)
        with generators_may_end(x):
            return super().predict(x, *args, **kwargs)

    def task_losses(self, labels, predictions, masks):
        """The source loss of every task, unweighted, a dict of float32 scalars.

        `labels`, raw `predictions` and `masks`, of shape `(batch_size, height,
        width, 1)`, are dicts by task name. Where a task has no mask, labels
        that are missing do not count; see `Label.is_known`. A task without
        labels or without predictions has no loss.
        """
        self._check_labels(labels, predictions)
        masks = self._masks(labels, masks)
        return {
            task.name: task.loss(
                labels[task.name], predictions[task.name], masks[task.name]
            )
            for task in labeled_tasks(self.tasks, labels)
            if task.name in predictions
        }

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Updates the metrics of the tasks and returns all logs."""
        loss = {"loss": self.loss_metric.result()}
        if y is None or not self.measures_tasks:
            return loss
        self._check_labels(y, y_pred)
        values = self.network.postprocess(y_pred)
        masks = self._masks(y, sample_weight)
        measured = [task for task in self.tasks for _ in task.measures]
        logs = {}
        for task, metric in zip(measured, self.task_metrics, strict=True):
            if task.name in masks:
                metric.update_state(
                    y[task.name], values[task.name], masks[task.name]
                )
            result = metric.result()
            # Such as one number per class.
            is_dict = isinstance(result, dict)
            logs |= result if is_dict else {metric.name: result}
        return loss | logs

    @property
    def loss_metric(self):
        """The running mean of the loss."""
        return next(m for m in self.metrics if m.name == "loss")

    def _check_labels(self, labels, predictions):
        prediction = next(iter(predictions.values()))
        check_labels(labels, tuple(prediction.shape)[1:3], self.tasks)

    def _masks(self, labels, masks):
        """The given masks; where there is none, which labels are known."""
        masks = masks or {}
        return {
            task.name: masks[task.name]
            if masks.get(task.name) is not None
            else task.label.is_known(
                ops.cast(labels[task.name], task.label.dtype)
            )
            for task in labeled_tasks(self.tasks, labels)
        }

    def encode(self, images, training=None, taps=None, keep_state=False):
        """As `MultiTaskModel.encode`, with the defaults of the stage.

        For the extra views of a method (rotated, perturbed, cropped), which
        leave the batch norm statistics alone unless told otherwise. By default,
        batch norm is that of the stage and `taps` are what the stage needs.
        """
        if training is None:
            training = self.batch_statistics
        taps = self.taps if taps is None else taps
        return self.network.encode(
            images, training, taps, keep_state, **self._following()
        )

    def decode(self, features, size, training=None, keep_state=False):
        """As `MultiTaskModel.decode`, with the batch norm of the stage.

        With `keep_state=True`, moving statistics of a decoder follow these
        features, as those of the encoder do: for the features of the images
        that were given, once. Not for those of extra views.
        """
        if training is None:
            training = self.batch_statistics
        return self.network.decode(
            features, size, training, keep_state, **self._following()
        )

    def get_compile_config(self):
        """What `compile_from_config` takes; `None` if not compiled."""
        if not self.compiled:
            return None
        return {
            "optimizer": keras.optimizers.serialize(self.optimizer),
            "metrics": "auto" if self.measures_tasks else None,
        }

    def compile_from_config(self, config):
        """Compiles a loaded model as it was saved."""
        optimizer = keras.optimizers.deserialize(config["optimizer"])
        self.compile(**{**config, "optimizer": optimizer})

    def save(self, filepath, *args, **kwargs):
        """As `keras.Model.save`; nothing is written if the config fails."""
        # Keras empties the file first.
        self.get_config()
        super().save(filepath, *args, **kwargs)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "network": serialize(self.network),
            "method": serialize(self.method),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for key in ("network", "method"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)
