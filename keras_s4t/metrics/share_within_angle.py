import keras
from keras import ops

from keras_s4t.metrics.mean_angular_error import angles
from keras_s4t.metrics.pixel_mean import PixelMean


@keras.saving.register_keras_serializable("keras_s4t")
class ShareWithinAngle(PixelMean):
    """Share of pixels whose vectors differ by less than an angle.

    A fraction in [0, 1] of all valid pixels since the last reset. Angles are
    those of `MeanAngularError`; a zero vector is at 90 degrees to every vector.

    Args:
        degrees: float. The angle, which itself is not within.
        name: str. Name of the metric in logs.

    Raises:
        ValueError: If `degrees` is not positive.

    Example:
    ```python
    metric = ShareWithinAngle(30.0)
    metric.update_state(
        [[[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]]],
        [[[[0.0, 0.1, 1.0], [0.0, 1.0, 0.0]]]],
    )
    metric.result()  # 0.5
    ```
    """

    def __init__(self, degrees, name="within"):
        if not degrees > 0:
            raise ValueError(
                f"`degrees` must be positive. Received: degrees={degrees}"
            )
        super().__init__(name=name)
        self.degrees = degrees

    def pixel_values(self, y_true, y_pred, weights):
        """1 within the angle, else 0."""
        del weights
        return ops.cast(angles(y_true, y_pred) < self.degrees, "float32")

    def get_config(self):
        """The arguments of the constructor."""
        return {**super().get_config(), "degrees": self.degrees}
