import math

import keras
import numpy as np
import pytest
from gradients import value_and_gradient

from keras_s4t.layers.resizing import resize_bilinear
from keras_s4t.methods.s4t import PatchEmbedding
from keras_s4t.methods.s4t.folding import fold_resize
from keras_s4t.methods.s4t.patches import unpatchify
from keras_s4t.methods.s4t.position_embedding import sine_position_embedding


def test_unpatchify_golden_values():
    tokens = np.arange(32, dtype="float32").reshape(1, 4, 8)
    image = keras.ops.convert_to_numpy(
        unpatchify(keras.ops.convert_to_tensor(tokens), (4, 4), 2)
    )
    expected = [
        [0, 2, 8, 10],
        [4, 6, 12, 14],
        [16, 18, 24, 26],
        [20, 22, 28, 30],
    ]
    np.testing.assert_array_equal(image[0, :, :, 0], expected)
    np.testing.assert_array_equal(image[0, :, :, 1], np.add(expected, 1))


def test_embedding_is_the_sum_of_the_patches_of_all_tasks():
    rng = np.random.default_rng(0)
    latents = {
        name: rng.normal(size=(2, 8, 12, channels)).astype("float32")
        for name, channels in (("depth", 3), ("edge", 2))
    }
    layer = PatchEmbedding(["edge", "depth"], 5, (8, 12), 4)
    layer(latents)
    layer.bias.assign(rng.normal(size=5))
    tokens = keras.ops.convert_to_numpy(layer(latents))

    expected = np.zeros((2, 6, 5)) + keras.ops.convert_to_numpy(layer.bias)
    for name, x in latents.items():
        kernel = keras.ops.convert_to_numpy(layer.kernels[name])
        patches = x.reshape(2, 2, 4, 3, 4, -1).transpose(0, 1, 3, 2, 4, 5)
        expected += np.einsum(
            "bnijc,ijcd->bnd", patches.reshape(2, 6, 4, 4, -1), kernel
        )
    np.testing.assert_allclose(tokens, expected, atol=1e-4)


@pytest.mark.parametrize(
    "size, patch_size, image_size",
    [
        ((64, 64), 16, (256, 256)),
        ((8, 6), 4, (16, 12)),
        ((8, 12), 8, (32, 12 * 8)),
        ((16, 4), 4, (16, 8)),
    ],
)
def test_folding_the_resize_is_exact(size, patch_size, image_size):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *size, 3)).astype("float32")
    layer = PatchEmbedding(["depth"], 5, image_size, patch_size)
    tokens = keras.ops.convert_to_numpy(layer({"depth": x}))
    kernel = keras.ops.convert_to_numpy(layer.kernels["depth"])

    large = resize_bilinear(keras.ops.convert_to_tensor(x), image_size)
    large = keras.ops.convert_to_numpy(large)
    rows, columns = (n // patch_size for n in image_size)
    patches = large.reshape(2, rows, patch_size, columns, patch_size, 3)
    expected = np.einsum("bipjqc,pqcd->bijd", patches, kernel)
    expected = expected.reshape(2, rows * columns, 5)
    np.testing.assert_allclose(tokens, expected, atol=1e-4)
    folded, small_kernel = fold_resize(
        keras.ops.convert_to_tensor(x),
        keras.ops.convert_to_tensor(kernel),
        [new // old for old, new in zip(size, image_size, strict=True)],
    )
    assert math.prod(folded.shape) < math.prod(large.shape)
    assert math.prod(small_kernel.shape) <= math.prod(kernel.shape)


def test_folding_the_resize_keeps_the_gradient():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 6, 4, 2)).astype("float32")
    kernel = keras.ops.convert_to_tensor(
        rng.normal(size=(8, 8, 2, 3)).astype("float32")
    )
    weights = keras.ops.convert_to_tensor(
        rng.normal(size=(1, 3, 2, 3)).astype("float32")
    )

    def literal(x):
        large = resize_bilinear(x, (24, 16))
        return keras.ops.sum(keras.ops.conv(large, kernel, 8) * weights)

    def folded(x):
        outputs = keras.ops.conv(*fold_resize(x, kernel, (4, 4)), 2)
        return keras.ops.sum(outputs * weights)

    expected = value_and_gradient(literal, x)
    received = value_and_gradient(folded, x)
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_a_hidden_task_does_not_show_in_the_token():
    rng = np.random.default_rng(0)
    latents = {
        name: rng.normal(size=(1, 4, 4, 2)).astype("float32")
        for name in ("depth", "edge")
    }
    layer = PatchEmbedding(["depth", "edge"], 4, (4, 4), 2)
    visible = {
        "depth": np.float32([[1, 0, 1, 0]]),
        "edge": np.float32([[1, 1, 0, 0]]),
    }
    tokens = keras.ops.convert_to_numpy(layer(latents, visible=visible))
    changed = {**latents, "depth": latents["depth"] + 1}
    moved = keras.ops.convert_to_numpy(layer(changed, visible=visible))
    np.testing.assert_array_equal(
        np.abs(moved - tokens).sum(-1)[0] > 1e-6, [True, False, True, False]
    )
    np.testing.assert_allclose(
        tokens[0, 3], keras.ops.convert_to_numpy(layer.bias), atol=1e-6
    )


def test_kernels_are_initialized_as_one():
    layer = PatchEmbedding(["a", "b"], 8, (8, 8), 4)
    layer.build({"a": (None, 8, 8, 16), "b": (None, 8, 8, 16)})
    bound = np.sqrt(6 / (4 * 4 * 32 + 8))
    largest = max(
        np.abs(keras.ops.convert_to_numpy(kernel)).max()
        for kernel in layer.kernels.values()
    )
    assert 0.95 * bound < largest <= bound


def test_position_embedding_golden_values():
    embedding = sine_position_embedding((2, 2), 8)
    row_0_column_1 = [0.841471, 0.01, 0.540302, 0.99995, 0, 0, 1, 1]
    np.testing.assert_allclose(embedding[1], row_0_column_1, atol=1e-6)
    swapped = row_0_column_1[4:] + row_0_column_1[:4]
    np.testing.assert_allclose(embedding[2], swapped, atol=1e-6)
