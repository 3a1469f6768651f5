import keras
from keras import layers
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class Distillation(keras.layers.Layer):
    """Multi-modal distillation: tasks learn from each other at one scale.

    Every task adds to its features what it takes from all others:
    `f[t] + sum(sigmoid(gate(f[a])) * value(f[a]))`, over all other tasks `a`,
    where every pair of tasks has its 3x3 convolutions `gate` and `value`,
    without bias. All that read one task are computed as one.

    Args:
        task_names: list of the names of the tasks.

    Call arguments:
        features: dict from task name to a tensor of shape
            `(batch_size, height, width, channels)`.

    Returns:
        dict of the same shapes.

    References:
    - [Vandenhende et al., 2020](https://arxiv.org/abs/2001.06902)
    """

    def __init__(self, task_names, **kwargs):
        super().__init__(**kwargs)
        self.task_names = list(task_names)

    def build(self, features_shape):
        num_others = len(self.task_names) - 1
        self.convs = {
            name: layers.Conv2D(
                2 * num_others * features_shape[name][-1],
                3,
                padding="same",
                use_bias=False,
                # Glorot's distribution of every single convolution.
                kernel_initializer="lecun_uniform",
                dtype=self.dtype_policy,
                name=f"from_{name}",
            )
            for name in self.task_names[: None if num_others else 0]
        }
        for name, conv in self.convs.items():
            conv.build(features_shape[name])
        self.built = True

    def call(self, features):
        outputs = {name: features[name] for name in self.task_names}
        for source, conv in self.convs.items():
            channels = features[source].shape[-1]
            x, start = conv(features[source]), 0
            for name in self.task_names:
                if name != source:
                    value = x[..., start : start + channels]
                    gate = x[..., start + channels : start + 2 * channels]
                    outputs[name] = outputs[name] + ops.sigmoid(gate) * value
                    start += 2 * channels
        return outputs

    def compute_output_shape(self, features_shape):
        return features_shape

    def get_config(self):
        return {**super().get_config(), "task_names": list(self.task_names)}
