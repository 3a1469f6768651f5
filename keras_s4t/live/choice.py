"""Which model predicts, chosen without labels of the target."""

import numpy as np

from keras_s4t.data.restyling import restyle


class Choice:
    """Scores models on labeled source images in the style of the target.

    The score of a model is its gain over the source model on those images,
    Delta_TTT in percent, plus the mean error of that estimate: what corrupted
    source images said of it in the calibration, and late labels later on.

    Args:
        images: uint8 or float array of shape `(num_images, height, width,
            channels)`, source images.
        labels: dict from task name to labels.
        masks: Optional dict from task name to masks.
        margin: float. A model that does not predict now must score higher by
            so many percent to be chosen.
    """

    def __init__(self, images, labels, masks=None, margin=0.5):
        self.images = images
        self.labels = labels
        self.masks = masks or {}
        self.margin = margin
        # By model: the errors of estimates, `(sum, count)`.
        self.errors = {}

    def measure(self, controls, window, rng, exclude=()):
        """Metrics of the models on images in the style of a window.

        Args:
            controls: `Controls`.
            window: Images of the target.
            rng: `numpy.random.Generator`.
            exclude: Names of models that are not scored.

        Returns:
            dict from the name of a model to a dict by metric key.
        """
        images = restyle(self.images, window, rng)
        return controls.measure(
            images, self.labels, self.masks, len(window), exclude
        )

    def scores(self, estimates):
        """Corrected estimates, a dict of floats."""
        return {k: v + self.correction(k) for k, v in estimates.items()}

    def correction(self, name):
        """The mean error of the estimates of a model."""
        total, count = self.errors.get(name, (0.0, 0))
        return total / count if count else 0.0

    def learn(self, name, estimated, true):
        """Takes note of how good a model really was.

        Args:
            name: Name of a model.
            estimated: float, its estimated gain.
            true: float, its gain by labels.
        """
        if np.isfinite(estimated) and np.isfinite(true):
            total, count = self.errors.get(name, (0.0, 0))
            self.errors[name] = (total + true - estimated, count + 1)

    def pick(self, scores, now):
        """The model that is to predict.

        Args:
            scores: What `scores` returned.
            now: Name of the model that predicts now.

        Returns:
            Name of a model.
        """
        finite = {k: v for k, v in scores.items() if np.isfinite(v)}
        if not finite:
            return now
        best = max(finite, key=finite.get)
        stays = now in finite and finite[best] < finite[now] + self.margin
        return now if stays else best
