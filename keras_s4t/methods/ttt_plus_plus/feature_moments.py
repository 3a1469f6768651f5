import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_s4t")
class FeatureMoments(keras.layers.Layer):
    """Mean and covariance of features that come batch by batch.

    And how far two batches of one domain are apart, which tells what part of a
    distance to another domain is more than chance.

    The moments of a batch are merged with those of all before it by the
    formula of Chan et al., which never subtracts large sums from each other,
    so float32 is enough. All state is in weights: it is saved, and collecting
    can go on later.

    References:
    - Chan et al., "Algorithms for computing the sample variance", 1983.
    """

    def __init__(self, **kwargs):
        # Statistics are float32 whatever the network computes in.
        super().__init__(**{**kwargs, "dtype": "float32"})

    def build(self, features_shape):
        channels = features_shape[-1]
        square = (channels, channels)
        self.mean = self._add_state("mean", (channels,))
        self.covariance = self._add_state("covariance", square)
        self.first_mean = self._add_state("first_mean", (channels,))
        self.first_covariance = self._add_state("first_covariance", square)
        self.spread = self._add_state("spread", (2,))
        self.num_samples = self._add_state("num_samples", (), "int")
        self.num_batches = self._add_state("num_batches", (), "int")
        self.built = True

    def _add_state(self, name, shape, dtype="float32"):
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
        )

    @property
    def moments(self):
        """Mean and covariance of all samples."""
        return self.mean, self.covariance

    @property
    def first_moments(self):
        """Mean and covariance of the first batch."""
        return self.first_mean, self.first_covariance

    def update(self, moments, distances, num_samples, num_images):
        """Merges the moments of one batch; not for compiled functions.

        Args:
            moments: Pair of tensors, the mean, of shape `(channels,)`, and the
                unbiased covariance, of shape `(channels, channels)`.
            distances: Tensor of shape `(2,)`, how far they are from
                `first_moments`. Ignored for the first batch.
            num_samples: int. Number of samples of the batch.
            num_images: int. Number of images that the samples are from.
        """
        mean, covariance = moments
        compared = int(self.num_batches.value)
        if compared:
            difference = distances * num_images - self.spread
            self.spread.assign(self.spread + difference / compared)
        else:
            self.first_mean.assign(mean)
            self.first_covariance.assign(covariance)
        self.num_batches.assign(compared + 1)
        # Counts in Python: only the moments themselves are float32.
        before = int(self.num_samples.value)
        total = before + num_samples
        share, freedom = num_samples / total, max(total - 1, 1)
        shift = mean - self.mean
        self.covariance.assign(
            self.covariance * (max(before - 1, 0) / freedom)
            + covariance * ((num_samples - 1) / freedom)
            + ops.outer(shift, shift) * (before * share / freedom)
        )
        self.mean.assign(self.mean + shift * share)
        self.num_samples.assign(total)

    def expected_distances(self, num_images):
        """Distances to expect without any shift of domain.

        Those from the first batch to the others, on average. They shrink like
        one over the number of images.

        Args:
            num_images: int or scalar tensor. Images that a pair of moments is
                computed from.

        Returns:
            Tensor of shape `(2,)`; 1 where the source has not shown a
            distance, with a single batch or batches that do not differ.
        """
        # What is left of batches that do not differ is rounding.
        rounding = 1e-10 * ops.stack(
            [ops.mean(ops.square(moment)) for moment in self.moments]
        )
        expected = self.spread / ops.cast(num_images, "float32")
        return ops.where(self.spread > rounding, expected, 1.0)
