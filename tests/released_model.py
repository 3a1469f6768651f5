"""The released S4T model, small: its tensors and, in NumPy, what they compute.

Written from the paper and the layout of the checkpoints alone: channels first,
one stack of channels for all tasks, and no layer of this package.
"""

import math

import numpy as np

NUM_BLOCKS = (2, 1)
STEM, WIDTHS = 4, (64, 8)
LATENT, HIDDEN, HEADS, LAYERS = 4, 8, 2, {"blocks": 2, "decoder_blocks": 1}
PATCH, IMAGE = 4, 16
GRID = IMAGE // PATCH


def make_shapes(channels):
    """The tensors of a checkpoint.

    Args:
        channels: dict from task name to its number of channels, in order.

    Returns:
        dict from name to shape.
    """
    shapes = {}

    def add(name, *weight, bias=True):
        shapes[f"{name}.weight"] = weight
        if bias:
            shapes[f"{name}.bias"] = weight[:1]

    def add_norm(name, size):
        add(name, size)
        shapes[f"{name}.running_mean"] = shapes[f"{name}.running_var"] = (size,)
        shapes[f"{name}.num_batches_tracked"] = ()

    add("backbone.conv1", STEM, 3, 7, 7, bias=False)
    add_norm("backbone.bn1", STEM)
    inputs = STEM
    for i, (blocks, width) in enumerate(zip(NUM_BLOCKS, WIDTHS, strict=True)):
        for j in range(blocks):
            name = f"backbone.layer{i + 1}.{j}"
            sizes = (width, inputs, 1), (width, width, 3), (4 * width, width, 1)
            for k, (filters, depth, side) in enumerate(sizes):
                add(f"{name}.conv{k + 1}", filters, depth, side, side, bias=0)
                add_norm(f"{name}.bn{k + 1}", filters)
            if j == 0:
                add(f"{name}.downsample.0", 4 * width, inputs, 1, 1, bias=False)
                add_norm(f"{name}.downsample.1", 4 * width)
            inputs = 4 * width
    fused, count = 4 * sum(WIDTHS), len(channels)
    for task, outputs in channels.items():
        add(f"heads.{task}.linear_pred", outputs, fused, 1, 1)
        add(f"aux_heads.{task}.linear_pred", outputs, LATENT, 1, 1)
    add("ts_comp", count * LATENT, fused, 1, 1)
    shapes["joint_dec.mask_token"] = (1, 1, HIDDEN)
    shapes["joint_dec.pos_embed"] = (1, GRID**2, HIDDEN)
    shapes["joint_dec.decoder_pos_embed"] = (1, GRID**2, HIDDEN)
    add("joint_dec.patch_embed.proj", HIDDEN, count * LATENT, PATCH, PATCH)
    add("joint_dec.decoder_embed", HIDDEN, HIDDEN)
    add("joint_dec.decoder_pred", PATCH**2 * sum(channels.values()), HIDDEN)
    for blocks, number in LAYERS.items():
        add(f"joint_dec.{blocks.replace('blocks', 'norm')}", HIDDEN)
        for i in range(number):
            name = f"joint_dec.{blocks}.{i}"
            add(f"{name}.norm1", HIDDEN)
            add(f"{name}.attn.qkv", 3 * HIDDEN, HIDDEN)
            add(f"{name}.attn.proj", HIDDEN, HIDDEN)
            add(f"{name}.norm2", HIDDEN)
            add(f"{name}.mlp.fc1", 4 * HIDDEN, HIDDEN)
            add(f"{name}.mlp.fc2", HIDDEN, 4 * HIDDEN)
    return shapes


def make_tensors(channels, seed=0):
    """A checkpoint: dict from name to a NumPy array."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in make_shapes(channels).items():
        values = rng.normal(size=shape)
        if "num_batches" in name:
            values = np.array(1000)
        elif "pos_embed" in name:
            values = positions()[None]
        elif "running_var" in name:
            values = 1 + 0.2 * np.abs(values)
        elif len(shape) == 1 and name.endswith("weight"):
            values = 1 + 0.1 * values
        elif len(shape) == 1:
            values = 0.1 * values
        else:
            values = values / math.sqrt(math.prod(shape[1:]))
        kind = "int64" if values.dtype.kind == "i" else "float32"
        tensors[name] = values.astype(kind)
    return tensors


def positions():
    """Columns, then rows: sines, then cosines."""
    frequencies = 10000.0 ** (-np.arange(HIDDEN // 4) / (HIDDEN // 4))
    angles = np.arange(GRID)[:, None] * frequencies
    encoded = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    return np.concatenate(
        [np.tile(encoded, (GRID, 1)), np.repeat(encoded, GRID, axis=0)], axis=1
    )


def compute(tensors, images, channels):
    """What the model computes in inference mode, nothing masked.

    Args:
        tensors: What `make_tensors` returned.
        images: Array of shape `(batch_size, 3, height, width)`, normalized.
        channels: dict from task name to its number of channels, in the order
            in which the shared tensors are cut.

    Returns:
        Three dicts from task name to an array of the images' size, channels
        last: of the heads, of the auxiliary heads and of the synchronizer.
    """
    tensors = {k: x.astype("float64") for k, x in tensors.items()}
    size = images.shape[2:]
    levels = _encode(tensors, images)
    finest = levels[0].shape[2:]
    fused = np.concatenate([_resize(x, finest) for x in levels], axis=1)
    latents = _conv(tensors, "ts_comp", fused)
    joint = _resize(_synchronize(tensors, latents), size)
    heads, auxiliary, synchronized = {}, {}, {}
    groups = np.split(latents, len(channels), axis=1)
    parts = np.split(joint, np.cumsum(list(channels.values()))[:-1], axis=1)
    for name, group, part in zip(channels, groups, parts, strict=True):
        head = _conv(tensors, f"heads.{name}.linear_pred", fused)
        aux = _conv(tensors, f"aux_heads.{name}.linear_pred", group)
        heads[name] = np.moveaxis(_resize(head, size), 1, -1)
        auxiliary[name] = np.moveaxis(_resize(aux, size), 1, -1)
        synchronized[name] = np.moveaxis(part, 1, -1)
    return heads, auxiliary, synchronized


def _encode(tensors, x):
    def unit(x, conv, norm, stride=1):
        x = _conv(tensors, f"backbone.{conv}", x, stride)
        return _batch_norm(tensors, f"backbone.{norm}", x)

    x = np.maximum(unit(x, "conv1", "bn1", 2), 0)
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    x = _windows(x, (3, 3), 2).max(axis=(4, 5))
    levels = []
    for i, blocks in enumerate(NUM_BLOCKS):
        for j in range(blocks):
            name = f"layer{i + 1}.{j}"
            stride = 2 if i and not j else 1
            y = np.maximum(unit(x, f"{name}.conv1", f"{name}.bn1"), 0)
            y = np.maximum(unit(y, f"{name}.conv2", f"{name}.bn2", stride), 0)
            y = unit(y, f"{name}.conv3", f"{name}.bn3")
            if j == 0:
                down = f"{name}.downsample"
                x = unit(x, f"{down}.0", f"{down}.1", stride)
            x = np.maximum(x + y, 0)
        levels.append(x)
    return levels


def _synchronize(tensors, latents):
    tensors = {
        name.removeprefix("joint_dec."): x for name, x in tensors.items()
    }
    x = _resize(latents, (IMAGE, IMAGE))
    patches = _windows(x, (PATCH, PATCH), PATCH)
    tokens = np.einsum(
        "bchwij,ocij->bhwo", patches, tensors["patch_embed.proj.weight"]
    ).reshape(len(x), GRID**2, HIDDEN)
    tokens = tokens + tensors["patch_embed.proj.bias"]
    for blocks, number in LAYERS.items():
        tokens = tokens + tensors["pos_embed"]
        for i in range(number):
            tokens = _block(tensors, f"{blocks}.{i}", tokens)
        norm = blocks.replace("blocks", "norm")
        tokens = _layer_norm(tensors, norm, tokens)
        last = "decoder_pred" if "decoder" in blocks else "decoder_embed"
        tokens = _dense(tensors, last, tokens)
    x = tokens.reshape(len(x), GRID, GRID, PATCH, PATCH, -1)
    return x.transpose(0, 5, 1, 3, 2, 4).reshape(len(x), -1, IMAGE, IMAGE)


def _block(tensors, name, x):
    y = _layer_norm(tensors, f"{name}.norm1", x)
    y = _dense(tensors, f"{name}.attn.qkv", y)
    y = y.reshape(*x.shape[:2], 3, HEADS, HIDDEN // HEADS)
    query, key, value = (y[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
    scores = query @ key.swapaxes(2, 3) / math.sqrt(HIDDEN // HEADS)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    y = (weights @ value).transpose(0, 2, 1, 3).reshape(x.shape)
    x = x + _dense(tensors, f"{name}.attn.proj", y)
    y = _layer_norm(tensors, f"{name}.norm2", x)
    y = _dense(tensors, f"{name}.mlp.fc1", y)
    y = y * (1 + np.vectorize(math.erf)(y / math.sqrt(2))) / 2
    return x + _dense(tensors, f"{name}.mlp.fc2", y)


def _dense(tensors, name, x):
    return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]


def _layer_norm(tensors, name, x):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    x = (x - mean) / np.sqrt(variance + 1e-6)
    return x * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]


def _batch_norm(tensors, name, x):
    mean, variance, weight, bias = (
        tensors[f"{name}.{part}"][:, None, None]
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias


def _conv(tensors, name, x, stride=1):
    weight = tensors[f"{name}.weight"]
    pad = weight.shape[-1] // 2
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    x = np.einsum(
        "bchwij,ocij->bohw",
        _windows(x, weight.shape[2:], stride),
        weight,
        optimize=True,
    )
    bias = tensors.get(f"{name}.bias")
    return x if bias is None else x + bias[:, None, None]


def _windows(x, shape, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, shape, axis=(2, 3))
    return windows[:, :, ::stride, ::stride]


def _resize(x, size):
    for axis, new in zip((2, 3), size, strict=True):
        old = x.shape[axis]
        centers = (np.arange(new) + 0.5) * old / new - 0.5
        centers = np.clip(centers, 0, old - 1)
        low = np.floor(centers).astype(int)
        high = np.minimum(low + 1, old - 1)
        share = np.expand_dims(centers - low, list(range(1, 4 - axis)))
        x = np.take(x, low, axis) * (1 - share) + np.take(x, high, axis) * share
    return x
