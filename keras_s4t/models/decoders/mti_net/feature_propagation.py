import keras
from keras import layers
from keras import ops

from keras_s4t.models.decoders.mti_net.basic_block import BasicBlock
from keras_s4t.models.decoders.mti_net.squeeze_excitation import (
    SqueezeExcitation,
)


@keras.saving.register_keras_serializable("keras_s4t")
class FeaturePropagation(keras.layers.Layer):
    """Feature propagation module: what the next finer scale gets to see.

    The features of all tasks are concatenated and weighted by an attention that
    sums to one over tasks, at every position and channel. They are then reduced
    to the channels of one task. Every task adds its own choice of these shared
    channels, a `SqueezeExcitation`, to its features.

    The authors' code normalizes the attention over groups of adjacent channels
    instead of tasks, by a reshape. This is the form of the paper.

    Args:
        task_names: list of the names of the tasks, in the order of their
            channels.

    Call arguments:
        features: dict from task name to a tensor of shape
            `(batch_size, height, width, channels)`.
        training: bool. As `BatchNorm` takes it.

    Returns:
        dict of the same shapes.

    References:
    - [Vandenhende et al., 2020](https://arxiv.org/abs/2001.06902)
    """

    def __init__(self, task_names, **kwargs):
        super().__init__(**kwargs)
        self.task_names = list(task_names)

    def build(self, features_shape):
        shape = features_shape[self.task_names[0]]
        channels, num_tasks = shape[-1], len(self.task_names)
        policy = self.dtype_policy
        hidden = max(1, num_tasks * channels // 4)
        together = (*shape[:-1], num_tasks * channels)
        self.first = BasicBlock(hidden, dtype=policy, name="first")
        self.second = BasicBlock(hidden, dtype=policy, name="second")
        self.logits = layers.Conv2D(
            num_tasks * channels, 1, dtype=policy, name="logits"
        )
        self.reduction = BasicBlock(channels, dtype=policy, name="reduction")
        self.excitations = {
            name: SqueezeExcitation(dtype=policy, name=f"{name}_excitation")
            for name in self.task_names
        }
        self.first.build(together)
        self.second.build((*shape[:-1], hidden))
        self.logits.build((*shape[:-1], hidden))
        self.reduction.build(together)
        for layer in self.excitations.values():
            layer.build(shape)
        self.built = True

    def call(self, features, training=False):
        x = ops.concatenate([features[n] for n in self.task_names], axis=-1)
        weighted = self.attention(x, training) * self._by_task(x)
        shared = ops.reshape(weighted, ops.shape(x))
        shared = self.reduction(shared, training=training)
        return {
            name: features[name] + layer(shared)
            for name, layer in self.excitations.items()
        }

    def attention(self, x, training=False):
        """The attention of tasks.

        Args:
            x: Tensor of shape `(batch_size, height, width, num_tasks *
                channels)`, the concatenated features.
            training: bool. As in the call arguments.

        Returns:
            A tensor of shape `(batch_size, height, width, num_tasks,
            channels)`, which sums to one over tasks.
        """
        x = self.first(x, training=training)
        x = self.second(x, training=training)
        logits = self._by_task(self.logits(x))
        # Keras warns of a softmax over one entry.
        if len(self.task_names) == 1:
            return ops.ones_like(logits)
        return ops.softmax(logits, axis=-2)

    def _by_task(self, x):
        num_tasks = len(self.task_names)
        shape = (*ops.shape(x)[:-1], num_tasks, x.shape[-1] // num_tasks)
        return ops.reshape(x, shape)

    def compute_output_shape(self, features_shape):
        return features_shape

    def get_config(self):
        return {**super().get_config(), "task_names": list(self.task_names)}
