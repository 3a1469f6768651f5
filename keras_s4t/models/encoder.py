import keras

from keras_s4t import backend
from keras_s4t.models.composed_batch_norm import ComposedBatchNorm
from keras_s4t.models.fused_batch_norm import FusedBatchNorm
from keras_s4t.models.product_convolution import ProductConvolution


def make_encoder(backbone, fused_norms=True):
    """The feature pyramid of a backbone as a functional model.

    Args:
        backbone: A `keras_hub.models.FeaturePyramidBackbone`, or any
            functional model with a dict `pyramid_outputs`.
        fused_norms: As `fuse_norms` takes it.

    Returns:
        A functional `keras.Model` from images to a dict of features by level.
        It shares all layers with the backbone.

    Raises:
        ValueError: If the backbone is no feature pyramid.
    """
    features = getattr(backbone, "pyramid_outputs", None)
    if features is None and isinstance(getattr(backbone, "output", 0), dict):
        features = backbone.output
    shapes = {k: tuple(x.shape) for k, x in (features or {}).items()}
    if not features or any(len(x.shape) != 4 for x in features.values()):
        raise ValueError(
            "`backbone` must have `pyramid_outputs`, a dict of features of "
            "shape (batch_size, height, width, channels). A network of layers "
            "of your own is cut by `MultiTaskModel.from_functional`. "
            f"Received: a {type(backbone).__name__} with features {shapes}"
        )
    encoder = keras.Model(backbone.input, dict(features), name="encoder")
    return fuse_norms(encoder, fused_norms)


def fuse_norms(model, fused_norms=True):
    """A functional model with faster batch normalization and convolutions.

    Args:
        model: A functional `keras.Model`.
        fused_norms: bool. Whether batch normalizations run as one fused
            operation each, where that is exact; see `FusedBatchNorm`. Others
            are Keras's layers, on PyTorch `ComposedBatchNorm`. Likewise whether
            convolutions run as matrix products where the backend computes
            those faster; see `ProductConvolution`.

    Returns:
        A functional `keras.Model` that shares all layers with the model.
    """
    replacements = {}
    if fused_norms:
        replacements["fused"] = FusedBatchNorm
        replacements["product"] = ProductConvolution
    if not backend.has_exact_moments:
        replacements["composed"] = ComposedBatchNorm
    if not replacements:
        return model

    # A layer that is called twice has one.
    replaced = {}

    def call(layer, *inputs, **kwargs):
        if kwargs.get("mask") is None:
            for name, replacement in replacements.items():
                if replacement.is_better_for(layer):
                    name = f"{layer.name}_{name}"
                    if name not in replaced:
                        replaced[name] = replacement(layer, name=name)
                    return replaced[name](*inputs)
        return layer(*inputs, **kwargs)

    return keras.models.clone_model(
        model, clone_function=lambda layer: layer, call_function=call
    )


def normalizing_layers(encoder):
    """The batch normalization layers that the encoder calls, fused or not."""
    return [layer for layer in encoder.layers if _normalizes(layer)]


def with_norm_outputs(encoder):
    """An encoder, and what its batch normalization layers return.

    A layer's own `output` may belong to another graph that it was called in.

    Args:
        encoder: What `make_encoder` returned.

    Returns:
        Tuple of a functional `keras.Model` of the same layers and structure; a
        list of layers in the order of the encoder, one for each call; and a
        list of their outputs in the graph of that model.
    """
    calls = {id(layer): [] for layer in normalizing_layers(encoder)}

    def call(layer, *inputs, **kwargs):
        outputs = layer(*inputs, **kwargs)
        if id(layer) in calls:
            calls[id(layer)].append(outputs)
        return outputs

    graph = keras.models.clone_model(
        encoder, clone_function=lambda layer: layer, call_function=call
    )
    layers = normalizing_layers(encoder)
    called = [layer for layer in layers for _ in calls[id(layer)]]
    return graph, called, [x for layer in layers for x in calls[id(layer)]]


def _normalizes(layer):
    return isinstance(layer, (FusedBatchNorm, keras.layers.BatchNormalization))
