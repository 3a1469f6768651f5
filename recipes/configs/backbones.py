"""Backbones by the names of the command line."""

import keras_s4t


def make_backbone(preset):
    """A backbone.

    Args:
        preset: `"tiny"` for a small one, `"random"` for a ResNet50 without
            pretrained weights, or a keras-hub preset or preset folder.

    Returns:
        A backbone with a feature pyramid.
    """
    if preset == "tiny":
        return keras_s4t.models.resnet_tiny()
    return keras_s4t.models.resnet50(None if preset == "random" else preset)
