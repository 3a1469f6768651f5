import keras

from keras_s4t import backend
from keras_s4t.models.composed_batch_norm import ComposedBatchNorm
from keras_s4t.models.fused_batch_norm import FusedBatchNorm


def make_encoder(backbone, fused_norms=True):
    """The feature pyramid of a backbone as a functional model.

    Args:
        backbone: A `keras_hub.models.FeaturePyramidBackbone`, or any
            functional model with a dict `pyramid_outputs`.
        fused_norms: bool. Whether batch normalizations run as one fused
            operation each, where that is exact; see `FusedBatchNorm`. Others
            are Keras's layers, on PyTorch `ComposedBatchNorm`.

    Returns:
        A functional `keras.Model` from images to a dict of features by level.
        It shares all layers with the backbone.
    """
    encoder = keras.Model(
        backbone.input, dict(backbone.pyramid_outputs), name="encoder"
    )
    replacements = {}
    if fused_norms:
        replacements["fused"] = FusedBatchNorm
    if not backend.has_exact_moments:
        replacements["composed"] = ComposedBatchNorm
    if not replacements:
        return encoder

    def call(layer, inputs, **kwargs):
        if kwargs.get("mask") is None:
            for name, norm in replacements.items():
                if norm.is_exact_for(layer):
                    return norm(layer, name=f"{layer.name}_{name}")(inputs)
        return layer(inputs, **kwargs)

    return keras.models.clone_model(
        encoder, clone_function=lambda layer: layer, call_function=call
    )


def batch_norms(encoder):
    """The batch normalization layers of an encoder, in its order."""
    return [
        layer.norm if isinstance(layer, FusedBatchNorm) else layer
        for layer in normalizing_layers(encoder)
    ]


def normalizing_layers(encoder):
    """The normalization layers that the encoder calls, fused or not."""
    return [
        layer
        for layer in encoder.layers
        if isinstance(layer, (FusedBatchNorm, keras.layers.BatchNormalization))
    ]
