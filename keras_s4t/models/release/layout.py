"""Layout of the checkpoints of the S4T authors' release."""

import re

from keras_s4t.models.release.tensor_map import reshaped
from keras_s4t.models.release.tensor_map import single
from keras_s4t.models.release.tensor_map import stacked

BACKBONE_LAYER = re.compile(r"(?:conv1|stack(\d+)_block(\d+)_(\d+))_(conv|bn)")


def release_layout(network, method, stack):
    """Maps the tensors of a released checkpoint to variables.

    Args:
        network: A `MultiTaskModel` with a ResNet of keras-hub.
        method: A built `S4T` method.
        stack: list of the names of the method's tasks, in the order of their
            channels in the tensors that several tasks share.

    Returns:
        dict from the name of a tensor to its `TensorMap`.

    Raises:
        ValueError: If the backbone is not a keras-hub ResNet, or the decoder
            not a `PyramidDecoder`.
    """
    if not network.decoders:
        raise ValueError(
            "`model.network.decoder` must be a `PyramidDecoder`, as in the "
            f"release. Received: a {type(network.decoder).__name__}"
        )
    projections = method.projections
    layout = _backbone(network.backbone)
    for name, decoder in network.decoders.items():
        layout |= _linear(f"heads.{name}.linear_pred", decoder)
    for name, projection in projections.items():
        layout |= _linear(f"aux_heads.{name}.linear_pred", projection.head)
    together = [_linear("ts_comp", projections[n].projection) for n in stack]
    for name in together[0]:
        layout[name] = stacked([maps[name] for maps in together], axis=0)
    return layout | {
        f"joint_dec.{name}": tensor
        for name, tensor in _synchronizer(method.synchronizer, stack).items()
    }


def _backbone(backbone):
    layout = {}
    for layer in backbone.layers:
        if not layer.variables:
            continue
        match = BACKBONE_LAYER.fullmatch(layer.name)
        if match is None:
            raise ValueError(
                "`model.network.backbone` must be a ResNet of keras-hub, such "
                "as `keras_s4t.models.resnet50()`. Received: a "
                f"{type(backbone).__name__} with a layer {layer.name!r}"
            )
        stack, block, index, kind = match.groups()
        is_norm = kind == "bn"
        if stack is None:
            name = f"{kind}1"
        elif index == "0":
            name = f"layer{int(stack) + 1}.{block}.downsample.{int(is_norm)}"
        else:
            name = f"layer{int(stack) + 1}.{block}.{kind}{index}"
        layout |= (_batch_norm if is_norm else _linear)(
            f"backbone.{name}", layer
        )
    return layout


def _synchronizer(layer, stack):
    embedding = layer.patch_embedding
    predictors = [layer.predictors[name] for name in stack]
    layout = {
        "patch_embed.proj.weight": stacked(
            [single(embedding.kernels[name]) for name in stack], axis=1
        ),
        "patch_embed.proj.bias": single(embedding.bias),
        **_transformer("blocks", "norm", layer.encoder),
        **_linear("decoder_embed", layer.decoder_embedding),
        **_transformer("decoder_blocks", "decoder_norm", layer.decoder),
        "decoder_pred.weight": _pixels([p.kernel for p in predictors], layer),
        "decoder_pred.bias": _pixels([p.bias for p in predictors], layer),
    }
    if layer.drop_tokens:
        layout["mask_token"] = single(layer.mask_token.token)
    return layout


def _pixels(variables, layer):
    """Interleaves tasks: for each pixel of a patch, the channels of all."""
    num_pixels = layer.patch_size**2
    maps = []
    for variable in variables:
        tensor = single(variable)
        outputs, *inputs = tensor.shape
        shape = (num_pixels, outputs // num_pixels, *inputs)
        maps.append(reshaped(tensor, shape))
    together = stacked(maps, axis=1)
    _, channels, *inputs = together.shape
    return reshaped(together, (num_pixels * channels, *inputs))


def _transformer(blocks, norm, layer):
    layout = _layer_norm(norm, layer.norm)
    for i, block in enumerate(layer.blocks):
        layout |= _layer_norm(f"{blocks}.{i}.norm1", block.attention_norm)
        layout |= _linear(f"{blocks}.{i}.attn.qkv", block.query_key_value)
        layout |= _linear(f"{blocks}.{i}.attn.proj", block.projection)
        layout |= _layer_norm(f"{blocks}.{i}.norm2", block.mlp_norm)
        layout |= _linear(f"{blocks}.{i}.mlp.fc1", block.mlp_expand)
        layout |= _linear(f"{blocks}.{i}.mlp.fc2", block.mlp_reduce)
    return layout


def _linear(name, layer):
    layout = {f"{name}.weight": single(layer.kernel)}
    if layer.bias is not None:
        layout[f"{name}.bias"] = single(layer.bias)
    return layout


def _layer_norm(name, layer):
    return {
        f"{name}.weight": single(layer.gamma),
        f"{name}.bias": single(layer.beta),
    }


def _batch_norm(name, layer):
    return {
        **_layer_norm(name, layer),
        f"{name}.running_mean": single(layer.moving_mean),
        f"{name}.running_var": single(layer.moving_variance),
    }
