"""Backbones by the names of the command line."""

import keras

import keras_s4t

# Divides the channels of every level of the small backbone.
NUM_GROUPS = 16


def is_tiny(preset):
    """Whether a backbone is a small one."""
    return preset in ("tiny", "tiny_group_norm")


def make_backbone(preset):
    """A backbone.

    Args:
        preset: `"tiny"` for a small one, `"tiny_group_norm"` for the same with
            group normalization in place of batch norm, `"random"` for a
            ResNet50 and `"random_resnet18"` for a ResNet18 without pretrained
            weights, or a keras-hub preset or preset folder.

    Returns:
        A backbone with a feature pyramid.
    """
    if preset == "tiny":
        return keras_s4t.models.resnet_tiny()
    if preset == "tiny_group_norm":
        return with_group_norm(keras_s4t.models.resnet_tiny())
    if preset == "random_resnet18":
        return keras_s4t.models.resnet18(None)
    return keras_s4t.models.resnet50(None if preset == "random" else preset)


def with_group_norm(backbone, num_groups=NUM_GROUPS):
    """An untrained backbone with group normalization in place of batch norm.

    Args:
        backbone: A backbone of keras-hub with a feature pyramid.
        num_groups: int. Groups of channels that are normalized together.

    Returns:
        A functional `keras.Model` with new weights, from images to a dict of
        features by level.
    """

    def clone(layer):
        if isinstance(layer, keras.layers.BatchNormalization):
            return keras.layers.GroupNormalization(
                num_groups, name=layer.name, dtype=layer.dtype_policy
            )
        return type(layer).from_config(layer.get_config())

    def call(layer, *inputs, **kwargs):
        if isinstance(layer, keras.layers.GroupNormalization):
            # What batch norm alone takes, such as a mask.
            return layer(*inputs)
        return layer(*inputs, **kwargs)

    pyramid = keras.Model(backbone.input, dict(backbone.pyramid_outputs))
    return keras.models.clone_model(
        pyramid, clone_function=clone, call_function=call
    )
