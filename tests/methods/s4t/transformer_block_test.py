import math

import keras
import numpy as np
import pytest

from keras_s4t.methods.s4t.transformer_block import TransformerBlock


def layer_norm(x, layer):
    gamma, beta = map(keras.ops.convert_to_numpy, (layer.gamma, layer.beta))
    normalized = (x - x.mean(-1, keepdims=True)) / np.sqrt(
        x.var(-1, keepdims=True) + 1e-6
    )
    return normalized * gamma + beta


def dense(x, layer):
    kernel, bias = map(keras.ops.convert_to_numpy, (layer.kernel, layer.bias))
    return x @ kernel + bias


def test_formula():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 6, 8)).astype("float32")
    block = TransformerBlock(8, 2, 16)
    block.build(x.shape)
    for variable in block.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    outputs = keras.ops.convert_to_numpy(block(x))

    qkv = dense(layer_norm(x, block.attention_norm), block.query_key_value)
    query, key, value = qkv.reshape(2, 6, 3, 2, 4).transpose(2, 0, 3, 1, 4)
    scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(4)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    attended = (weights @ value).transpose(0, 2, 1, 3).reshape(2, 6, 8)
    expected = x + dense(attended, block.projection)
    hidden = dense(layer_norm(expected, block.mlp_norm), block.mlp_expand)
    erf = np.vectorize(math.erf)
    hidden = hidden * 0.5 * (1 + erf(hidden / math.sqrt(2)))
    expected = expected + dense(hidden, block.mlp_reduce)
    np.testing.assert_allclose(outputs, expected, rtol=2e-4, atol=2e-4)


def test_parameters_of_the_paper():
    block = TransformerBlock(64, 4, 256)
    block.build((None, 256, 64))
    assert 4 * block.count_params() == 199_936


def test_heads_must_divide_the_tokens():
    with pytest.raises(ValueError, match="num_heads=3"):
        TransformerBlock(8, 3, 16)
