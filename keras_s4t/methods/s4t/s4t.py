"""S4T ("Synchronizing Task Behavior", ICCV 2025): a synchronizer of tasks."""

import math
import numbers

import keras
from keras import ops

from keras_s4t.checks import check_task_names
from keras_s4t.layers.loss_balance import LossBalance
from keras_s4t.layers.pyramid_conv import convolve_pyramid
from keras_s4t.layers.resizing import resize_each
from keras_s4t.losses import absolute_error
from keras_s4t.methods.method import Method
from keras_s4t.methods.requirements import NORM_UPDATES
from keras_s4t.methods.s4t.task_behavior_synchronizer import (
    TaskBehaviorSynchronizer,
)
from keras_s4t.methods.s4t.task_projection import TaskProjection

UPDATES = ("all", "encoder", *NORM_UPDATES)
TARGET_BALANCES = ("sum", "fixed", "awl")


@keras.saving.register_keras_serializable("keras_s4t")
class S4T(Method):
    """Synchronizes the behavior of several tasks at test time.

    On the source, a projection per task computes task latents, and the Task
    Behavior Synchronizer (TBS) learns to predict the labels of every task from
    the masked latents (Equations 4, 5 and 7). On the target, the loss is the
    difference between the TBS and the decoders, whose predictions are treated
    as constants (Equations 6 and 8). Per task it is the absolute difference of
    raw outputs, summed over channels and averaged over pixels.

    Args:
        tasks: list of `Task`, those of the network or some of them (Table 8),
            in its order. Tasks that are left out have the encoder in common
            with the others.
        latent_dim: int. Channels of a task latent.
        source_weights: Pair of floats, weights of the source losses of the
            projections and of the TBS (lambda_ts, lambda_joint). With
            `(0, 1)`, the latents are not supervised per task (Table 2).
        target_weight: float. Weight of the target loss (lambda).
        target_balance: How the target losses of the tasks are added: `"sum"`
            (Equation 6), `"fixed"` (weighted by the squares of the task
            weights, as in the release on NYUD and PASCAL) or `"awl"`
            (automatic weighting, as in the release on Taskonomy).
        update: What is adapted at test time: `"all"` (encoder, projections
            and TBS), `"encoder"`, `"batch_norm"` (the scales and offsets of
            the encoder's batch norms) or `"norms"` (those of its group, layer
            and RMS norms, too).
        mask_ratio: float in [0, 1). Share of the patches hidden from the TBS.
        mask_strategy: `"shared"`, `"random"`, `"disjoint"` or
            `"hide_tasks"`; see `RandomMasking`.
        synchronizer: Optional dict of further arguments of the TBS.
        synchronizer_share: What the TBS counts in fused predictions, in
            [0, 1]; a float, or a dict by task name. See `fuse`.
        seed: Optional int. Seed of the masks.

    Raises:
        ValueError: If an option is unknown or a size is not possible.
    """

    bn_mode = "update"
    decodes = True
    needs_source = ("training",)
    # What `update` may be.
    updates = UPDATES

    def __init__(
        self,
        tasks,
        latent_dim=64,
        source_weights=(1.0, 1.0),
        target_weight=0.01,
        target_balance="sum",
        update="all",
        mask_ratio=0.8,
        mask_strategy="shared",
        synchronizer=None,
        synchronizer_share=0.5,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_task_names(tasks)
        if not isinstance(latent_dim, numbers.Integral) or latent_dim < 1:
            raise ValueError(
                "`latent_dim` must be a positive integer. "
                f"Received: latent_dim={latent_dim}"
            )
        for argument, value in (
            ("target_weight", target_weight),
            ("source_weights", min(source_weights)),
            ("source_weights", max(source_weights)),
        ):
            if not 0 <= value < math.inf:
                raise ValueError(
                    f"`{argument}` must be finite and not negative. "
                    f"Received: {argument}={value}"
                )
        for argument, value, choices in (
            ("target_balance", target_balance, TARGET_BALANCES),
            ("update", update, self.updates),
        ):
            if value not in choices:
                raise ValueError(
                    f"`{argument}` must be one of {choices}. "
                    f"Received: {argument}={value!r}"
                )
        self.synchronizer_share = _checked_share(synchronizer_share, tasks)
        # === Layers ===
        policy = self.dtype_policy
        self.projections = {
            task.name: TaskProjection(
                task.num_outputs,
                latent_dim,
                dtype=policy,
                name=f"{task.name}_projection",
            )
            for task in tasks
        }
        self.synchronizer = TaskBehaviorSynchronizer(
            {task.name: task.num_outputs for task in tasks},
            mask_ratio=mask_ratio,
            mask_strategy=mask_strategy,
            seed=seed,
            dtype=policy,
            name="synchronizer",
            **(synchronizer or {}),
        )
        power = 0 if target_balance == "sum" else 2
        self.balance = LossBalance(
            {task.name: task.weight**power for task in tasks},
            "awl" if target_balance == "awl" else "fixed",
            name="balance",
        )

        # === Config ===
        self.tasks = list(tasks)
        self.latent_dim = latent_dim
        self.source_weights = tuple(source_weights)
        self.target_weight = target_weight
        self.target_balance = target_balance
        self.update = update
        self.mask_ratio = mask_ratio
        self.mask_strategy = mask_strategy
        self.synchronizer_options = dict(synchronizer or {})
        self.seed = seed

    def check(self, network):
        names = [task.name for task in self.tasks]
        received, expected = (
            [(task.name, task.num_outputs) for task in tasks]
            for tasks in (self.tasks, network.tasks)
        )
        if received != [task for task in expected if task[0] in names]:
            raise ValueError(
                "`tasks` must be those of the network, or some of them, in its "
                f"order: {[name for name, _ in expected]}. Received: {names}"
            )

    def build(self, features_shape):
        shapes = {}
        for name, projection in self.projections.items():
            projection.build(features_shape)
            shapes[name] = projection.compute_output_shape(features_shape)
        self.synchronizer.build(shapes)
        self.built = True

    def source_loss(self, trainer, images, features, supervise):
        size = ops.shape(images)[1:3]
        latents = self.project(features)
        projected = {
            name: self.projections[name].predict_task(latent)
            for name, latent in latents.items()
        }
        alone = supervise(resize_each(projected, size))
        joint = supervise(self.predict_jointly(latents, size))
        first, second = self.source_weights
        # Tasks without labels have no loss.
        return {k: first * alone[k] + second * joint[k] for k in alone}

    def target_loss(self, adapter, images, features):
        distances = self.distances(adapter, images, features)
        return self.balance(
            {k: self.target_weight * d for k, d in distances.items()}
        )

    def distances(self, adapter, images, features):
        """Distances of TBS and decoders, a dict by task name (Equation 6)."""
        size = ops.shape(images)[1:3]
        joint = self.predict_jointly(self.project(features), size)
        predictions = adapter.decode(features, size, keep_state=True)
        return {
            name: absolute_error(ops.stop_gradient(predictions[name]), output)
            for name, output in joint.items()
        }

    def project(self, features):
        """Task latents, a dict by task name."""
        layers = [p.projection for p in self.projections.values()]
        latents = convolve_pyramid(layers, features)
        return dict(zip(self.projections, latents, strict=True))

    def predict_jointly(self, latents, size):
        """Raw outputs of the TBS, a dict by task name."""
        return resize_each(self.synchronizer(latents), size)

    def predict_unmasked(self, features, size):
        """Raw outputs of the TBS, which sees all patches.

        Args:
            features: dict from level to features of a batch of images.
            size: Pair of ints or int tensors, `(height, width)` of the outputs.

        Returns:
            dict from task name to a tensor.
        """
        joint = self.synchronizer.unmasked(self.project(features))
        return resize_each(joint, size)

    def fuse(self, features, outputs):
        """Predictions of decoders and TBS together.

        The TBS sees all patches here. Tasks are averaged as probabilities, unit
        vectors and values.

        Args:
            features: dict from level to features of a batch of images.
            outputs: dict from task name to the decoders' raw outputs.

        Returns:
            dict from task name to raw outputs. Tasks that the TBS does not
            predict, and those with a share of 0, stay as they are.
        """
        size = ops.shape(next(iter(outputs.values())))[1:3]
        joint = self.predict_unmasked(features, size)
        fused = dict(outputs)
        for task in self.tasks:
            share = self.synchronizer_share[task.name]
            if share:
                pair = [outputs[task.name], joint[task.name]]
                fused[task.name] = task.average(pair, [1 - share, share])
        return fused

    @property
    def layers_of_source(self):
        """The layers that source training moves, a list."""
        return [*self.projections.values(), self.synchronizer, self.balance]

    def select(self, network):
        if self.update in NORM_UPDATES:
            # Those of a decoder have no gradient.
            return network.norm_variables(self.update, encoder_only=True)
        moving = [network.encoder]
        if self.update == "all":
            # The heads of the projections are used by the source loss only.
            moving += [p.projection for p in self.projections.values()]
            moving += [self.synchronizer, self.balance]
        return [v for layer in moving for v in layer.trainable_variables]

    def default_optimizer(self):
        return keras.optimizers.SGD(2e-5, weight_decay=1e-6)

    def get_config(self):
        return {
            **super().get_config(),
            "tasks": keras.saving.serialize_keras_object(self.tasks),
            "latent_dim": self.latent_dim,
            "source_weights": self.source_weights,
            "target_weight": self.target_weight,
            "target_balance": self.target_balance,
            "update": self.update,
            "mask_ratio": self.mask_ratio,
            "mask_strategy": self.mask_strategy,
            "synchronizer": self.synchronizer_options,
            "synchronizer_share": dict(self.synchronizer_share),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        tasks = keras.saving.deserialize_keras_object(config["tasks"])
        return cls(**{**config, "tasks": tasks})


def _checked_share(share, tasks):
    """A dict from task name to its share."""
    names = [task.name for task in tasks]
    shares = share if isinstance(share, dict) else dict.fromkeys(names, share)
    if set(shares) != set(names) or not all(
        0 <= value <= 1 for value in shares.values()
    ):
        raise ValueError(
            "`synchronizer_share` must be in the range [0, 1], or a dict of "
            f"such numbers for {names}. "
            f"Received: synchronizer_share={share}"
        )
    return dict(shares)
