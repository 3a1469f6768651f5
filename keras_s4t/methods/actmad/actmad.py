"""ActMAD (Mirza et al., CVPR 2023): alignment of activation moments."""

import keras
from keras import ops

from keras_s4t.checks import first_images
from keras_s4t.layers.resizing import resize_bilinear
from keras_s4t.methods.actmad.averaged_moments import AveragedMoments
from keras_s4t.methods.actmad.moments import mean_and_variance
from keras_s4t.methods.method import Method
from keras_s4t.vectors import absolute

LAYERS = ("all", "deep")


@keras.saving.register_keras_serializable("keras_s4t")
class ActMAD(Method):
    """Aligns means and variances of batch norm outputs with the source.

    Moments are computed over the images of a batch at every location of every
    feature map. On the source they are averaged over batches. Collect them with
    the batch size of the adaptation. The loss is the absolute difference of
    means plus that of variances, averaged over each feature map and summed over
    the maps. The encoder is adapted. Batch norm uses the source statistics.

    Args:
        image_size: Pair of ints, `(height, width)` of the source images.
            Moments are resized for target images of another size.
        layers: `"all"` for all batch norms of the encoder, `"deep"` for the
            second half of them.
        spatial: bool. Whether moments are computed per location. Otherwise
            they are computed per channel, over images and locations.

    Raises:
        ValueError: If an option is unknown or a size is not positive.

    References:
    - [Mirza et al., 2023](https://arxiv.org/abs/2211.12870)
    """

    bn_mode = "source"
    needs_source = ("statistics",)
    # The loss is of the statistics of a batch.
    shares_batch = False

    def __init__(
        self, image_size=(256, 256), layers="all", spatial=True, **kwargs
    ):
        super().__init__(**kwargs)
        if len(image_size) != 2 or min(image_size) < 1:
            raise ValueError(
                "`image_size` must be a pair of positive ints. "
                f"Received: image_size={image_size}"
            )
        if layers not in LAYERS:
            raise ValueError(
                f"`layers` must be one of {LAYERS}. Received: layers={layers!r}"
            )
        self.statistics = AveragedMoments(name="statistics")
        self.image_size = tuple(image_size)
        self.layers = layers
        self.spatial = spatial

    def check(self, network):
        if not network.tapped_batch_norms:
            raise ValueError(
                "ActMAD reads the outputs of batch normalization layers of the "
                "encoder, and none of those inside of other layers. "
                f"Received: network={network.name!r} without them"
            )

    def check_target(self, x, batch_size=None):
        images = first_images(x, batch_size)
        if images is not None:
            self._check_count(len(images))

    def _check_count(self, count):
        # Per location, a single image has no variance.
        if self.spatial and count < 2:
            raise ValueError(
                "ActMAD needs at least 2 images in a batch. "
                f"Received: a batch of {count}"
            )

    def taps(self, network):
        count = len(network.tapped_batch_norms)
        first = count // 2 if self.layers == "deep" else 0
        return tuple(f"norm_{i}" for i in range(first, count))

    def features_shape(self, network):
        # Moments per location have the size of the source features.
        taps = self.taps(network)
        return network.tapped_encoder.shapes(taps, self.image_size)

    def build(self, features_shape):
        first = 1 if self.spatial else -1
        self.statistics.build(
            {
                name: shape[first:]
                for name, shape in features_shape.items()
                # Levels are in the shapes of models that were saved before.
                if name.startswith("norm_")
            }
        )
        self.built = True

    def moments(self, features):
        """Means and variances of the features of a batch, a dict by name."""
        axis = (0,) if self.spatial else (0, 1, 2)
        return {k: mean_and_variance(x, axis) for k, x in features.items()}

    def collect(self, features):
        self._check_count(next(iter(features.values())).shape[0])
        self.statistics.update(self.moments(features))

    def target_loss(self, adapter, images, features):
        pairs = self.statistics.pairs(self.moments(features))
        return sum(self._distance(stored, value) for stored, value in pairs)

    def _distance(self, stored, value):
        if self.spatial:
            size = ops.shape(value)[:2]
            stored = resize_bilinear(ops.expand_dims(stored, 0), size)[0]
        return ops.mean(absolute(value - stored))

    def default_optimizer(self):
        return keras.optimizers.SGD(
            0.0001, momentum=0.9, nesterov=True, weight_decay=0.0005
        )

    def get_config(self):
        names = ("image_size", "layers", "spatial")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
        }
