import keras

from keras_s4t.layers import Statistics


@keras.saving.register_keras_serializable("keras_s4t")
class AveragedMoments(Statistics):
    """Means and variances of several features, averaged over batches.

    All batches have equal weight. `means` and `variances` are dicts from the
    name of a feature to a variable with the shape of its moments.
    """

    def build(self, moments_shape):
        self.means, self.variances = {}, {}
        for name, shape in moments_shape.items():
            self.means[name] = self.add_statistic(f"{name}_mean", shape)
            self.variances[name] = self.add_statistic(f"{name}_variance", shape)
        self.num_batches = self.add_statistic("num_batches", (), "int")
        self.built = True

    def pairs(self, moments):
        """Pairs every variable with the moment of a batch that it averages."""
        pairs = []
        for name, (mean, variance) in moments.items():
            pairs.append((self.means[name], mean))
            pairs.append((self.variances[name], variance))
        return pairs

    def update(self, moments):
        """Adds the moments of a batch to the averages. Runs eagerly only.

        Args:
            moments: dict from name to a pair of tensors, mean and variance.

        Raises:
            ValueError: If a tensor and its variable differ in shape.
        """
        pairs = self.pairs(moments)
        for variable, value in pairs:
            if tuple(variable.shape) != tuple(value.shape):
                raise ValueError(
                    f"The moments must have shape {tuple(variable.shape)}, "
                    "which follows from the image size of the statistics. "
                    f"Received: moments of shape {tuple(value.shape)}"
                )
        self.num_batches.assign(self.num_batches + 1)
        share = 1 / int(self.num_batches.value)
        for variable, value in pairs:
            variable.assign(variable + (value - variable) * share)
