"""Layers written out in NumPy, for tests to compare with."""

import itertools

import numpy as np
from keras import ops


def convolve(x, kernel, bias):
    """Convolution of stride 1, padded with zeros to keep the size."""
    size = kernel.shape[0]
    height, width = x.shape[1:3]
    margin = (size // 2, size // 2)
    padded = np.pad(x, ((0, 0), margin, margin, (0, 0)))
    return bias + sum(
        padded[:, i : i + height, j : j + width] @ kernel[i, j]
        for i, j in itertools.product(range(size), repeat=2)
    )


def weight_normalized_conv(x, layer):
    """What a `WeightNormalizedConv` computes."""
    kernel, scale, bias = map(
        ops.convert_to_numpy, (layer.kernel, layer.scale, layer.bias)
    )
    lengths = np.sqrt((kernel**2).sum((0, 1, 2)))
    return convolve(x, kernel * scale / lengths, bias)


def pre_activation_conv(x, layer):
    """What a `PreActivationConv` computes in inference."""
    norm = layer.norm
    gamma, beta, mean, variance = map(
        ops.convert_to_numpy,
        (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance),
    )
    x = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
    return weight_normalized_conv(np.maximum(x, 0), layer.conv)


def bottleneck_block(x, layer):
    """What a `BottleneckBlock` computes in inference."""
    outputs = x
    for conv in layer.convs:
        outputs = pre_activation_conv(outputs, conv)
    return x + outputs


def coupling_network(x, layer):
    """What a `CouplingNetwork` computes in inference."""
    x = weight_normalized_conv(x, layer.stem)
    for block in layer.blocks:
        x = bottleneck_block(x, block)
    return pre_activation_conv(x, layer.head)


def resize(x, size):
    """Bilinear resize with half-pixel centers."""
    for axis, new in zip((1, 2), size, strict=True):
        old = x.shape[axis]
        centers = (np.arange(new) + 0.5) * old / new - 0.5
        centers = np.clip(centers, 0, old - 1)
        below = np.floor(centers).astype(int)
        above = np.minimum(below + 1, old - 1)
        shape = [1] * x.ndim
        shape[axis] = new
        share = (centers - below).reshape(shape)
        x = (1 - share) * x.take(below, axis) + share * x.take(above, axis)
    return x
