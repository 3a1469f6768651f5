import keras
from keras import ops

from keras_s4t.layers.resizing import resize_bilinear
from keras_s4t.layers.resizing import resize_each
from keras_s4t.models.decoders.decoder import Decoder
from keras_s4t.models.decoders.mti_net.conv_norm import ConvNorm
from keras_s4t.models.decoders.mti_net.distillation import Distillation
from keras_s4t.models.decoders.mti_net.feature_propagation import (
    FeaturePropagation,
)
from keras_s4t.models.decoders.mti_net.initial_prediction import (
    InitialPrediction,
)
from keras_s4t.models.decoders.mti_net.multi_scale_head import MultiScaleHead


@keras.saving.register_keras_serializable("keras_s4t")
class MTINetDecoder(Decoder):
    """The decoder of MTI-Net: tasks interact at every scale.

    From the coarsest scale to the finest, every task makes an initial
    prediction. Its features, enriched by those of all tasks (see
    `FeaturePropagation`), are resized to the next finer scale and concatenated
    to the features of the encoder there. At every scale, tasks then exchange
    features (see `Distillation`), and one head per task reads all scales.

    The auxiliary predictions are the initial ones, finest scale first.

    The paper's encoder is an HRNet, with four scales of few channels. Others
    are reduced by a 1x1 convolution with batch norm and ReLU per level. For
    ResNet50 and four tasks (7 classes, depth, normals, edges) the decoder has
    101,075,268 parameters, 1,045,920 of them in these reductions; with the
    encoder's 23,508,032, the network has 124,583,300. The S4T paper prints
    165.0 M, which HRNet-W48 with this decoder would have (165.4 M).

    Args:
        num_outputs: As `Decoder` takes it.
        channels: Tuple of ints, the channels of every scale, finest first:
            one for every level of the backbone. `None` for those of the
            backbone, without reductions.

    Call arguments:
        features: As `Decoder` takes them.
        size: As `Decoder` takes it.
        training: As `Decoder` takes it.

    Returns:
        dict from task name to raw outputs of shape
        `(batch_size, *size, num_outputs)`.

    Raises:
        ValueError: If a number of channels is not positive, or their count is
            not that of the levels.

    Example:

    ```python
    task_list = [keras_s4t.tasks.semseg(num_classes=7), keras_s4t.tasks.depth()]
    network = keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet50(),
        task_list,
        decoder=keras_s4t.models.MTINetDecoder({"semseg": 7, "depth": 1}),
    )
    ```

    References:
    - [Vandenhende et al., 2020](https://arxiv.org/abs/2001.06902)
    """

    def __init__(self, num_outputs, channels=(48, 96, 192, 384), **kwargs):
        super().__init__(num_outputs, **kwargs)
        if channels is not None and (not channels or min(channels) < 1):
            raise ValueError(
                "`channels` must be positive ints, one for every level, or "
                f"None. Received: channels={channels}"
            )
        self.channels = None if channels is None else tuple(channels)

    def build(self, features_shape):
        policy = self.dtype_policy
        names = list(self.num_outputs)
        self.levels = sorted(features_shape)
        if self.channels is None:
            shapes = {k: tuple(features_shape[k]) for k in self.levels}
            self.laterals = {}
        else:
            self._check_levels()
            self.laterals = {
                level: ConvNorm(width, dtype=policy, name=f"{level}_lateral")
                for level, width in zip(self.levels, self.channels, strict=True)
            }
            for level, lateral in self.laterals.items():
                lateral.build(features_shape[level])
            shapes = {
                level: lateral.compute_output_shape(features_shape[level])
                for level, lateral in self.laterals.items()
            }
        self.initial = {
            level: {
                name: InitialPrediction(
                    shapes[level][-1],
                    filters,
                    dtype=policy,
                    name=f"{level}_{name}_initial",
                )
                for name, filters in self.num_outputs.items()
            }
            for level in self.levels
        }
        self.propagations = {
            level: FeaturePropagation(
                names, dtype=policy, name=f"{level}_propagation"
            )
            for level in self.levels[1:]
        }
        self.distillations = {
            level: Distillation(
                names, dtype=policy, name=f"{level}_distillation"
            )
            for level in self.levels
        }
        self.heads = {
            name: MultiScaleHead(filters, dtype=policy, name=f"{name}_head")
            for name, filters in self.num_outputs.items()
        }
        coarser = [shapes[level][-1] for level in self.levels[1:]] + [0]
        for level, added in zip(self.levels, coarser, strict=True):
            *size, width = shapes[level]
            for layer in self.initial[level].values():
                layer.build((*size, width + added))
            by_task = dict.fromkeys(names, shapes[level])
            self.distillations[level].build(by_task)
            if level in self.propagations:
                self.propagations[level].build(by_task)
        for head in self.heads.values():
            head.build(shapes)
        self.built = True

    def _check_levels(self):
        if len(self.levels) != len(self.channels):
            raise ValueError(
                "`channels` must hold a number for every level of the "
                f"backbone, {list(self.levels)}. "
                f"Received: channels={self.channels}"
            )

    def call(self, features, size, training=False):
        outputs, _ = self._predict(features, training)
        return resize_each(outputs, size)

    def with_auxiliaries(self, features, size, training=False):
        outputs, initial = self._predict(features, training)
        auxiliaries = [resize_each(x, size) for x in initial]
        return resize_each(outputs, size), auxiliaries

    def _predict(self, features, training):
        """Final outputs, and initial ones per level, at their resolutions."""
        features = {
            level: self.laterals[level](features[level], training=training)
            if self.laterals
            else features[level]
            for level in self.levels
        }
        refined, initial, propagated = {}, {}, None
        for level in reversed(self.levels):
            refined[level], initial[level] = self._begin(
                level, features[level], propagated, training
            )
            if level in self.propagations:
                propagated = self.propagations[level](
                    refined[level], training=training
                )
        distilled = {
            level: self.distillations[level](refined[level])
            for level in self.levels
        }
        outputs = {
            name: head(
                {level: distilled[level][name] for level in self.levels},
                training=training,
            )
            for name, head in self.heads.items()
        }
        return outputs, [initial[level] for level in self.levels]

    def _begin(self, level, x, propagated, training):
        """Features and initial predictions of all tasks at a level."""
        refined, predictions = {}, {}
        for name, layer in self.initial[level].items():
            inputs = x
            if propagated is not None:
                coarse = resize_bilinear(propagated[name], ops.shape(x)[1:3])
                inputs = ops.concatenate([x, coarse], axis=-1)
            refined[name], predictions[name] = layer(inputs, training=training)
        return refined, predictions

    def get_config(self):
        return {**super().get_config(), "channels": self.channels}
