"""S4T with a mean teacher and replayed source images."""

import math

import keras
from keras import ops

from keras_s4t.layers.style import with_style
from keras_s4t.methods.requirements import NORM_UPDATES
from keras_s4t.methods.s4t.moving_average import MovingAverage
from keras_s4t.methods.s4t.photometric_jitter import PhotometricJitter
from keras_s4t.methods.s4t.s4t import S4T
from keras_s4t.methods.s4t.source_memory import SourceMemory

UPDATES = ("network", *NORM_UPDATES)


@keras.saving.register_keras_serializable("keras_s4t")
class ReplayS4T(S4T):
    """S4T whose synchronizer teaches, anchored by replayed source images.

    On the source it is trained as `S4T`. Then `TargetAdapter.collect` chooses
    labeled source images, which are stored with the method: it is not
    source-free. On the target, the loss has two terms:

    - The network, on jittered target images, is pulled to a teacher. It is the
      mean of the decoders on the images, of the decoders on mirrored images,
      and of the synchronizer with no patch hidden, all with the moving average
      of the weights and the batch norm statistics of the images. Tasks are
      averaged as probabilities, unit vectors and values.
    - The source loss of the tasks on stored images that were given the channel
      statistics and the noise of target images.

    Batch norm statistics follow the target images alone. The synchronizer and
    the projections stay what they are.

    Args:
        tasks: list of `Task`, all of the network, in its order.
        image_size: int or pair of ints, the `(height, width)` of the stored
            images.
        memory_size: int. Number of stored images. They take
            `memory.num_bytes`.
        replay_batch_size: int. Stored images per step.
        teacher_weight: float. Weight of the distance to the teacher. The
            default was chosen on corrupted source images, with
            `replay_weight=1`.
        replay_weight: float. Weight of the source loss.
        teacher_momentum: float in [0, 1]. Of the moving average of the
            weights; with 1 the teacher has the source's.
        restyles: bool. Whether stored images are given the style of target
            images; without, they are replayed as they are.
        update: What is adapted: `"network"` (encoder and decoders),
            `"batch_norm"` or `"norms"`, as in `S4T`, those of the decoders
            included.
        jitter: Optional dict of arguments of `PhotometricJitter`.
        **kwargs: Arguments of `S4T`.

    Raises:
        ValueError: If an argument is out of its range.

    References:

    - Tarvainen and Valpola, "Mean teachers are better role models", NeurIPS
      2017, for the moving average of weights.

    Example:

    ```python
    method = keras_s4t.methods.ReplayS4T(tasks, image_size=64)
    trainer = keras_s4t.SourceTrainer(network, method)
    trainer.compile()
    trainer.fit(source)
    adapter = keras_s4t.TargetAdapter(network, method)
    adapter.collect(source)  # labeled
    adapter.compile()
    ```
    """

    needs_source = ("training", "statistics")
    remembers = True
    updates = UPDATES

    def __init__(
        self,
        tasks,
        image_size=256,
        memory_size=64,
        replay_batch_size=8,
        teacher_weight=0.3,
        replay_weight=1.0,
        teacher_momentum=0.99,
        restyles=True,
        update="network",
        jitter=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(tasks, update=update, seed=seed, **kwargs)
        for name, value, largest in (
            ("teacher_weight", teacher_weight, math.inf),
            ("replay_weight", replay_weight, math.inf),
            ("teacher_momentum", teacher_momentum, 1),
        ):
            if not 0 <= value <= largest or not math.isfinite(value):
                raise ValueError(
                    f"`{name}` must be finite, not negative and at most "
                    f"{largest}. Received: {name}={value}"
                )
        if not teacher_weight and not replay_weight:
            raise ValueError(
                "`teacher_weight` or `replay_weight` must be positive. "
                "Received: 0 for both"
            )
        if replay_batch_size < 1:
            raise ValueError(
                "`replay_batch_size` must be at least 1. "
                f"Received: replay_batch_size={replay_batch_size}"
            )
        # === Layers ===
        self.memory = SourceMemory(
            tasks, memory_size, image_size, name="memory"
        )
        self.jitter = PhotometricJitter(
            seed=seed, name="jitter", **(jitter or {})
        )
        # Built by `build_for`.
        self.teacher = MovingAverage(teacher_momentum, name="teacher")

        # === Config ===
        self.memory_size = memory_size
        self.replay_batch_size = replay_batch_size
        self.teacher_weight = teacher_weight
        self.replay_weight = replay_weight
        self.teacher_momentum = teacher_momentum
        self.restyles = restyles
        self.jitter_options = dict(jitter or {})

    @classmethod
    def from_trained(cls, method, **options):
        """Makes this method of an `S4T` that was trained.

        Args:
            method: `S4T`, built and trained. It is not changed.
            **options: Arguments of this class.

        Returns:
            A `ReplayS4T` with copies of its layers, still to be given source
            images by `TargetAdapter.collect`.
        """
        config = S4T.get_config(method)
        for name in ("name", "update"):
            config.pop(name)
        made = cls.from_config({**config, **options})
        made.build_from_config(method.get_build_config())
        for old, new in zip(
            method.layers_of_source, made.layers_of_source, strict=True
        ):
            for source, target in zip(
                old.variables, new.variables, strict=True
            ):
                target.assign(ops.copy(source.value))
        if "training" not in method.missing:
            made.mark_done("training")
        return made

    def check(self, network):
        super().check(network)
        if len(self.tasks) != len(network.tasks):
            raise ValueError(
                "`tasks` must be all of those of the network. Received: "
                f"{[task.name for task in self.tasks]}"
            )
        if network.num_channels != self.memory.num_channels:
            raise ValueError(
                f"ReplayS4T stores images of {self.memory.num_channels} "
                "channels. Received: a network of "
                f"{network.num_channels} channels"
            )

    def build_for(self, network):
        if not self.teacher_weight:
            return
        moved = self.select(network)
        # In a function, since Keras takes the variables of lists for its own.
        self._moved = lambda: moved
        if not self.teacher.built:
            self.teacher.build(moved)

    def remember(self, images, labels, masks):
        self.memory.fill(images, labels, masks)

    def target_loss(self, adapter, images, features):
        size = ops.shape(images)[1:3]
        if adapter.network.decoder_batch_norms:
            # Their statistics follow the images as they are.
            adapter.decode(features, size, keep_state=True)
        loss = 0.0
        if self.teacher_weight:
            targets = self._teach(adapter, images)
            loss = loss + self.teacher_weight * self._distance(
                self._predict(adapter, self.jitter(images)), targets
            )
        if self.replay_weight:
            loss = loss + self.replay_weight * self._replay(adapter, images)
        return loss

    def select(self, network):
        if self.update in NORM_UPDATES:
            return network.norm_variables(self.update)
        return network.trainable_variables

    def default_optimizer(self):
        return keras.optimizers.Adam(1e-4)

    def _predict(self, adapter, images):
        """Raw outputs, normalized with the statistics of these images."""
        features = adapter.encode(images)
        return adapter.decode(features, ops.shape(images)[1:3])

    def _distance(self, outputs, targets):
        return sum(
            task.weight
            * task.divergence(outputs[task.name], targets[task.name])
            for task in self.tasks
        )

    def _replay(self, adapter, images):
        """The source loss of stored images in the style of target images."""
        seed = self.jitter.seed_generator
        count = (self.replay_batch_size,)
        indices = keras.random.randint(count, 0, self.memory_size, seed=seed)
        stored, labels, masks = self.memory.read(indices)
        if self.restyles:
            stored = self._restyled(stored, images)
        outputs = self._predict(adapter, stored)
        losses = adapter.task_losses(labels, outputs, masks)
        return sum(task.weight * losses[task.name] for task in self.tasks)

    def _restyled(self, stored, images):
        """Stored images in the style of target images drawn at random."""
        seed = self.jitter.seed_generator
        last = ops.cast(ops.shape(images)[0], "int32") - 1
        uniform = keras.random.uniform((self.replay_batch_size,), seed=seed)
        drawn = uniform * ops.cast(last + 1, "float32")
        # In float32, the largest product may round up.
        drawn = ops.minimum(ops.cast(drawn, "int32"), last)
        noise = keras.random.normal(ops.shape(stored), seed=seed)
        return with_style(stored, ops.take(images, drawn, axis=0), noise)

    def _teach(self, adapter, images):
        """The predictions of the teacher, through which no gradient flows."""
        # Layers that were frozen since stay among them.
        moved = self._moved()
        return adapter.with_values(
            lambda: self._ensemble(adapter, images),
            moved,
            self.teacher.follow(moved),
        )

    def _ensemble(self, adapter, images):
        # With the statistics of these images: the moving ones are those of the
        # source at first.
        size = ops.shape(images)[1:3]
        features = adapter.encode(images)
        plain = adapter.decode(features, size)
        other = self._predict(adapter, ops.flip(images, axis=2))
        both = {
            task.name: task.average(
                [plain[task.name], task.mirrored(other[task.name])]
            )
            for task in self.tasks
        }
        return self.fuse(features, both)

    def get_config(self):
        return {
            **super().get_config(),
            "image_size": self.memory.image_size,
            "memory_size": self.memory_size,
            "replay_batch_size": self.replay_batch_size,
            "teacher_weight": self.teacher_weight,
            "replay_weight": self.replay_weight,
            "teacher_momentum": self.teacher_momentum,
            "restyles": self.restyles,
            "jitter": self.jitter_options,
        }
