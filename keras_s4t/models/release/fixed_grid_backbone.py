import keras


@keras.saving.register_keras_serializable("keras_s4t")
class FixedGridBackbone(keras.Model):
    """A backbone whose features are fused on a grid of a fixed size.

    A network fuses the levels of a pyramid at the finest level, a quarter of
    the image size. The release fuses them at a quarter of the size configured
    for a dataset: (112, 144) on NYUD, where a quarter of the test images is
    (120, 160). This model resizes the finest level to that grid.

    Args:
        backbone: A `keras_hub.models.FeaturePyramidBackbone`, or any
            functional model with a dict `pyramid_outputs`.
        feature_size: Pair of ints, `(height, width)` of the grid.

    Example:

    ```python
    backbone = models.FixedGridBackbone(models.resnet50(), (112, 144))
    network = models.MultiTaskModel(backbone, task_list)
    ```
    """

    def __init__(self, backbone, feature_size, **kwargs):
        if len(feature_size) != 2 or min(feature_size) < 1:
            raise ValueError(
                "`feature_size` must be a pair of positive ints. "
                f"Received: feature_size={feature_size}"
            )
        # === Functional Model ===
        outputs = dict(backbone.pyramid_outputs)
        finest = min(outputs)
        grid = keras.layers.Resizing(*feature_size, name="feature_grid")
        outputs[finest] = grid(outputs[finest])
        super().__init__(inputs=backbone.input, outputs=outputs, **kwargs)

        # === Config ===
        self.backbone = backbone
        self.feature_size = tuple(feature_size)
        self.pyramid_outputs = outputs

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "feature_size": self.feature_size,
        }

    @classmethod
    def from_config(cls, config):
        backbone = keras.saving.deserialize_keras_object(config["backbone"])
        return cls(**{**config, "backbone": backbone})
