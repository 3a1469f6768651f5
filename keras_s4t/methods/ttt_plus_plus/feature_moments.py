import keras
from keras import ops

from keras_s4t.layers import Statistics


@keras.saving.register_keras_serializable("keras_s4t")
class FeatureMoments(Statistics):
    """Running mean and covariance of features.

    The layer also keeps the average distance between two batches of the
    source. Distances to another domain are compared with it.

    The moments of a batch are merged with the running moments by the formula
    of Chan et al., which subtracts no large sums and so is accurate in
    float32.

    References:
    - Chan et al., "Algorithms for computing the sample variance", 1983.
    """

    def build(self, features_shape):
        channels = features_shape[-1]
        square = (channels, channels)
        self.mean = self.add_statistic("mean", (channels,))
        self.covariance = self.add_statistic("covariance", square)
        self.first_mean = self.add_statistic("first_mean", (channels,))
        self.first_covariance = self.add_statistic("first_covariance", square)
        self.spread = self.add_statistic("spread", (2,))
        self.num_samples = self.add_statistic("num_samples", (), "int")
        self.num_batches = self.add_statistic("num_batches", (), "int")
        self.built = True

    @property
    def moments(self):
        """Mean and covariance of all samples."""
        return self.mean, self.covariance

    @property
    def first_moments(self):
        """Mean and covariance of the first batch."""
        return self.first_mean, self.first_covariance

    def update(self, moments, distances, num_samples, num_images):
        """Merges the moments of one batch. Must run eagerly.

        Args:
            moments: Pair of tensors, the mean, of shape `(channels,)`, and the
                unbiased covariance, of shape `(channels, channels)`.
            distances: Tensor of shape `(2,)`, their distances to
                `first_moments`. Ignored for the first batch.
            num_samples: int. Number of samples in the batch.
            num_images: int. Number of images in the batch.
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
        # Python ints: float32 is not exact for counts above 2**24.
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
        """Expected distances between moments of `num_images` of one domain.

        The average distance from the first batch to the others, which is
        inversely proportional to the number of images. A tensor of shape
        `(2,)`, 1 if there was a single batch or if all batches were equal.
        """
        # Distances between equal batches are rounding errors, not 0.
        rounding = 1e-10 * ops.stack(
            [ops.mean(ops.square(moment)) for moment in self.moments]
        )
        expected = self.spread / ops.cast(num_images, "float32")
        return ops.where(self.spread > rounding, expected, 1.0)
