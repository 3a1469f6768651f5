"""Backbones by the names of the command line."""

import keras_s4t


def make_backbone(preset):
    """A backbone.

    Args:
        preset: `"tiny"` for a small one, `"random"` for a ResNet50 and
            `"random_resnet18"` for a ResNet18 without pretrained weights, or a
            keras-hub preset or preset folder.

    Returns:
        A backbone with a feature pyramid.
    """
    if preset == "tiny":
        return keras_s4t.models.resnet_tiny()
    if preset == "random_resnet18":
        return keras_s4t.models.resnet18(None)
    return keras_s4t.models.resnet50(None if preset == "random" else preset)
