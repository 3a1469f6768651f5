"""A tiny encoder of SegFormer, of keras-hub."""

import keras_hub


def make_mit(size):
    """A `MiTBackbone` of two levels for square images of `size` pixels."""
    return keras_hub.models.MiTBackbone(
        layerwise_depths=[1, 1],
        num_layers=2,
        layerwise_num_heads=[1, 2],
        layerwise_sr_ratios=[4, 2],
        max_drop_path_rate=0.0,
        layerwise_patch_sizes=[7, 3],
        layerwise_strides=[4, 2],
        image_shape=(size, size, 3),
        hidden_dims=[8, 16],
    )
