import keras
from keras import ops

from keras_s4t.methods.ttt_plus_plus.feature_moments import FeatureMoments
from keras_s4t.methods.ttt_plus_plus.feature_queue import FeatureQueue
from keras_s4t.methods.ttt_plus_plus.moments import mean_and_covariance
from keras_s4t.methods.ttt_plus_plus.moments import moment_distances

# Upper limit of the entries that the covariance of projections needs.
MAX_MIN_ENTRIES = 128


@keras.saving.register_keras_serializable("keras_s4t")
class MomentAlignment(keras.layers.Layer):
    """Aligns moments of features and projections with the source (TTT++).

    Every location of the features is a sample, so their covariance is computed
    over one batch. Projections have one sample per image, so their covariance
    is computed over a queue. It contributes to the loss once the queue is half
    full or holds 128 of them. The distances of means and of covariances are
    divided by their expectation on the source.

    The arguments are those of `TTTPlusPlus`.

    Call arguments:
        features: Tensor of shape `(batch_size, height, width, channels)`.
        projections: Tensor of shape `(batch_size, projection_dim)`. They are
            added to the queue.

    Returns:
        Float32 scalar.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        queue_size=256,
        align_weights=(0.05, 0.2),
        mean_weight=0.5,
        **kwargs,
    ):
        # Statistics are float32 under every dtype policy.
        super().__init__(**{**kwargs, "dtype": "float32"})
        if min(*align_weights, mean_weight) < 0:
            raise ValueError(
                "Weights of the alignment must not be negative. Received: "
                f"align_weights={align_weights}, mean_weight={mean_weight}"
            )
        # === Layers ===
        self.queue = FeatureQueue(queue_size, name="queue")
        self.source_features = FeatureMoments(name="features")
        self.source_projections = FeatureMoments(name="projections")

        # === Config ===
        self.queue_size = queue_size
        self.align_weights = tuple(align_weights)
        self.mean_weight = mean_weight

    def build(self, features_shape, projections_shape):
        self.queue.build(projections_shape)
        self.source_features.build(features_shape)
        self.source_projections.build(projections_shape)
        self.built = True

    def collect(self, features, projections):
        """Updates the moments of the source. Must run eagerly.

        Takes the call arguments, and adds no projections to the queue.
        """
        num_images = projections.shape[0]
        for source, samples in (
            (self.source_features, _locations(features)),
            (self.source_projections, projections),
        ):
            moments = mean_and_covariance(samples)
            distances = moment_distances(moments, source.first_moments)
            source.update(moments, distances, samples.shape[0], num_images)

    def call(self, features, projections):
        entries, valid = self.queue(projections)
        num_entries = ops.sum(valid)
        enough = num_entries >= min(MAX_MIN_ENTRIES, self.queue_size // 2)
        features_weight, projections_weight = self.align_weights
        features_distance = self._distance(
            self.source_features,
            mean_and_covariance(_locations(features)),
            ops.shape(features)[0],
        )
        projections_distance = self._distance(
            self.source_projections,
            mean_and_covariance(entries, valid),
            num_entries,
            enough,
        )
        return (
            features_weight * features_distance
            + projections_weight * projections_distance
        )

    def _distance(self, source, moments, num_images, enough=True):
        distances = moment_distances(moments, source.moments)
        relative = distances / source.expected_distances(num_images)
        covariance = ops.where(enough, relative[1], 0.0)
        return covariance + self.mean_weight * relative[0]

    def compute_output_shape(self, features_shape, projections_shape):
        return ()

    def get_config(self):
        return {
            **super().get_config(),
            "queue_size": self.queue_size,
            "align_weights": self.align_weights,
            "mean_weight": self.mean_weight,
        }


def _locations(features):
    return ops.reshape(features, (-1, features.shape[-1]))
