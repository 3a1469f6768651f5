"""How much arithmetic an operation needs, whoever computes it.

Two floating point operations per multiply-add of convolutions and matrix
products, in the form of this package; resizes, normalizations and activations
are left out. What a machine needs for a large matrix product of as many
operations is the floor under the seconds of a step.
"""

import math

import keras

OPERATIONS = ("adapt", "predict", "source")


def count_flops(operation, network, method, size, batch_size):
    """Floating point operations of one step.

    Args:
        operation: `"adapt"` (decoders forward, all else forward and backward,
            for `update="all"`), `"predict"` (encoder and decoders forward) or
            `"source"` (everything forward and backward).
        network: A `MultiTaskModel`.
        method: `S4T`; not read for `"predict"`.
        size: Pair of ints, `(height, width)` of the images.
        batch_size: int.

    Returns:
        int.

    Raises:
        ValueError: If the operation is unknown.
    """
    if operation not in OPERATIONS:
        raise ValueError(
            f"`operation` must be one of {OPERATIONS}. "
            f"Received: operation={operation!r}"
        )
    convolutions, features_shape = encoder_products(network.encoder, size)
    encoder = sum(convolutions)
    decoders = pyramid_products(network.decoders.values(), features_shape)
    if operation == "predict":
        return 2 * batch_size * (encoder + decoders)
    # Nobody asks for the gradient of the images.
    total = 3 * encoder - convolutions[0]
    projections = [p.projection for p in method.projections.values()]
    grid = features_shape[min(features_shape)][1:3]
    total += 3 * pyramid_products(projections, features_shape)
    total += 3 * synchronizer_products(method.synchronizer, grid)
    if operation == "adapt":
        return 2 * batch_size * (total + decoders)
    heads = [p.head for p in method.projections.values()]
    total += 3 * math.prod(grid) * sum(math.prod(h.kernel.shape) for h in heads)
    return 2 * batch_size * (total + 3 * decoders)


def encoder_products(encoder, size):
    """Multiply-adds of an encoder for one image.

    Args:
        encoder: Functional `keras.Model` with channels last.
        size: Pair of ints, `(height, width)` of the image.

    Returns:
        Pair of a list of ints, one per layer with a kernel in order, and the
        shapes of the outputs.
    """
    calls, shapes = encoder_calls(encoder, size)
    products = [
        math.prod(outputs.shape[1:-1]) * math.prod(layer.kernel.shape)
        for layer, _, outputs in calls
        if getattr(layer, "kernel", None) is not None
    ]
    return products, shapes


def encoder_calls(encoder, size):
    """What an encoder calls on one image.

    Args:
        encoder: Functional `keras.Model` with channels last.
        size: Pair of ints, `(height, width)` of the image.

    Returns:
        Pair of a list of tuples, in order, of a layer, its first input and its
        output, symbolic tensors; and the shapes of the encoder's outputs.
    """
    calls = []

    def record(layer, *inputs, **kwargs):
        outputs = layer(*inputs, **kwargs)
        calls.append((layer, inputs[0], outputs))
        return outputs

    model = keras.models.clone_model(
        encoder,
        input_tensors=keras.Input((*size, 3), batch_size=1),
        clone_function=lambda layer: layer,
        call_function=record,
    )
    return calls, {k: tuple(x.shape) for k, x in model.output.items()}


def pyramid_products(convolutions, features_shape):
    """Multiply-adds of `PyramidConv` layers for one image."""
    filters = sum(layer.filters for layer in convolutions)
    return filters * sum(math.prod(s[1:]) for s in features_shape.values())


def synchronizer_products(synchronizer, grid):
    """Multiply-adds of a `TaskBehaviorSynchronizer` for one image.

    Args:
        synchronizer: A built `TaskBehaviorSynchronizer`.
        grid: Pair of ints, `(height, width)` of the latents.

    Returns:
        int.
    """
    dim, patch_size = synchronizer.hidden_dim, synchronizer.patch_size
    num_tokens = math.prod(synchronizer.image_size) // patch_size**2
    num_kept = num_tokens
    if synchronizer.drop_tokens:
        num_kept = synchronizer.masking.num_visible
    window = math.prod(window_size(grid, synchronizer.image_size, patch_size))
    kernels = synchronizer.patch_embedding.kernels.values()
    latent_channels = sum(kernel.shape[2] for kernel in kernels)
    predicted = patch_size**2 * sum(synchronizer.num_outputs.values())
    return (
        num_tokens * window * latent_channels * dim
        + transformer_products(synchronizer.encoder, num_kept)
        + num_kept * dim**2
        + transformer_products(synchronizer.decoder, num_tokens)
        + num_tokens * dim * predicted
    )


def window_size(grid, image_size, patch_size):
    """The pixels of a latent that one patch depends on, where it is folded."""
    scales = [new / old for old, new in zip(grid, image_size, strict=True)]
    if any(scale % 1 or patch_size % scale for scale in scales):
        return (patch_size, patch_size)
    return tuple(
        patch_size if scale == 1 else int(patch_size // scale) + 2
        for scale in scales
    )


def transformer_products(transformer, num_tokens):
    """Multiply-adds of a `Transformer` on one image's tokens."""
    dim = transformer.hidden_dim
    projections = 4 * dim**2 + 2 * dim * transformer.mlp_dim
    attention = 2 * num_tokens * dim
    return transformer.num_layers * num_tokens * (projections + attention)
