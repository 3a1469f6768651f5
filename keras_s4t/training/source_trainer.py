import warnings

import keras
from keras import ops

from keras_s4t.backend import no_gradients
from keras_s4t.backend import replicated
from keras_s4t.layers.loss_balance import LossBalance
from keras_s4t.training.task_trainer import TaskTrainer


@keras.saving.register_keras_serializable("keras_s4t")
class SourceTrainer(TaskTrainer):
    """Trains a network and a method on labeled source images.

    Mixed precision and everything else that `fit` offers work as usual. Under
    `tf.distribute.MirroredStrategy`, `keras.distribution.DataParallel` and in
    processes of `torch.distributed`, which pass `fit` their shares of every
    batch (`keras_s4t.data.share_of`), a step is that of the whole batch; see
    `Method.shares_batch`. The loss is that of the tasks plus what the method
    adds (Equation 7). If the decoder makes auxiliary predictions (see
    `Decoder.with_auxiliaries`), the losses of the tasks are added for every
    one of them.

    Args:
        network: A `MultiTaskModel`.
        method: A `Method`, or the name of its class, such as `"SourceOnly"`.
        loss_balance: `"fixed"`, the tasks' weights, or `"awl"`, automatic
            weighting with a trainable scale per task.
        frozen_network: Optional bool. Whether the network stays as it is, in
            inference mode, and only what the method adds is trained; by
            default what the method asks for.

    Example:

    ```python
    trainer = keras_s4t.SourceTrainer(network, method)
    trainer.compile(keras.optimizers.Adam(2e-5))
    trainer.fit(source, epochs=10)
    trainer.save("s4t.keras")
    ```
    """

    taps = ("P*",)
    frozen_network = False
    # Batches of the source are shuffled, and runs must be repeatable.
    reads_ahead = False

    def __init__(
        self,
        network,
        method,
        loss_balance="fixed",
        frozen_network=None,
        **kwargs,
    ):
        super().__init__(network, method, **kwargs)
        if frozen_network is None:
            frozen_network = self.method.frozen_network
        self.frozen_network = frozen_network
        self.loss_balance = LossBalance(
            {task.name: task.weight for task in network.tasks},
            loss_balance,
            name="loss_balance",
        )

    def default_optimizer(self):
        """Adam at 2e-5, the paper's (appendix A)."""
        return keras.optimizers.Adam(2e-5, epsilon=1e-8)

    @property
    def batch_statistics(self):
        """Whether training normalizes with the statistics of the batch."""
        return not self.frozen_network

    @property
    def trainable_variables(self):
        """Those of method and loss balance, and of a network not frozen."""
        variables = super().trainable_variables
        if not self.frozen_network:
            return variables
        frozen = {id(v) for v in self.network.variables}
        return [v for v in variables if id(v) not in frozen]

    @property
    def non_trainable_variables(self):
        """All variables that are not trainable."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trainable]

    # The trainers of Keras use both names.
    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables

    def prepare_method(self):
        """Marks the method as trained, if there is anything to train."""
        if not self.updated_variables:
            raise ValueError(
                "The network or the method must have trainable variables. "
                "Received: a network that is frozen and a "
                f"{type(self.method).__name__} without any"
            )
        if self.network.adapted_by is not None:
            warnings.warn(
                "The network was adapted to a target, and is trained from "
                "there; a later `reset` of the adapter would discard the "
                "training. Call `reset` before, or load the source model "
                "anew.",
                stacklevel=4,
            )
        self.method.mark_done("training")

    def call(self, images, training=False):
        return self.network(images, training=training)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=False
    ):
        """The balanced task losses; what `evaluate` reports as loss."""
        losses = self.task_losses(y, y_pred, sample_weight)
        return replicated(self.loss_balance(losses))

    def update(self, images, labels, masks):
        """One update on a batch; returns the logs of loss and metrics."""
        predictions = self.minimize(
            lambda: self.total_loss(images, labels, masks), images
        )
        with no_gradients():
            return self.compute_metrics(images, labels, predictions, masks)

    def total_loss(self, images, labels, masks):
        """The loss of a step, and what it was computed from.

        Args:
            images: Tensor of shape `(batch_size, height, width, 3)`.
            labels: dict from task name to labels.
            masks: dict from task name to masks, or `None`.

        Returns:
            Pair of the balanced losses of tasks and method, regularizers of
            weights included, a scalar, and the raw outputs of the decoders, a
            dict by task name.
        """
        features = self.encode(images, keep_state=True)
        predictions, auxiliaries = self.network.decode_with_auxiliaries(
            features,
            ops.shape(images)[1:3],
            self.batch_statistics,
            keep_state=True,
        )

        def supervise(predictions):
            return self.task_losses(labels, predictions, masks)

        if self.frozen_network:
            losses = {task.name: ops.zeros(()) for task in self.tasks}
        else:
            losses = supervise(predictions)
            for auxiliary in auxiliaries:
                for name, loss in supervise(auxiliary).items():
                    losses[name] = losses[name] + loss
        added = self.method.source_loss(self, images, features, supervise)
        unbalanced = 0.0
        for name, loss in added.items():
            if name in losses:
                losses[name] = losses[name] + loss
            else:
                unbalanced = unbalanced + loss
        if not self.frozen_network:
            unbalanced = unbalanced + self._regularization()
        return self.loss_balance(losses) + unbalanced, predictions

    def _regularization(self):
        """The sum of what weights' own regularizers ask for."""
        return sum(
            variable.regularizer(variable)
            for variable in self.network.trainable_variables
            if variable.regularizer is not None
        )

    def get_config(self):
        return {
            **super().get_config(),
            "loss_balance": self.loss_balance.strategy,
            "frozen_network": self.frozen_network,
        }
