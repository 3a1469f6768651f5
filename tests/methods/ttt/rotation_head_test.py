import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_s4t.layers.resizing import interpolation_matrix
from keras_s4t.methods.ttt.rotation_head import RotationHead

SHAPES = {"P2": (2, 8, 12, 5), "P3": (2, 4, 6, 4), "P4": (2, 1, 3, 3)}


def make_features():
    rng = np.random.default_rng(0)
    return {
        level: rng.normal(size=shape).astype("float32")
        for level, shape in SHAPES.items()
    }


def make_head():
    head = RotationHead(7)
    head.build({k: (None, None, None, s[-1]) for k, s in SHAPES.items()})
    tiny.fill(head)
    return head


def test_reads_the_averages_of_the_fused_pyramid():
    features, head = make_features(), make_head()
    rows, columns = (
        [
            ops.convert_to_numpy(interpolation_matrix(shape[axis], length))
            for shape in SHAPES.values()
        ]
        for axis, length in ((1, 8), (2, 12))
    )
    fused = np.concatenate(
        [
            np.einsum("Hh,Ww,bhwc->bHWc", *matrices, x)
            for *matrices, x in zip(
                rows, columns, features.values(), strict=True
            )
        ],
        axis=-1,
    )
    assert fused.shape == (2, 8, 12, 12)
    kernel, bias, last_kernel, last_bias = tiny.numpy_values(
        head.trainable_variables
    )
    hidden = np.maximum(fused.mean((1, 2)) @ kernel + bias, 0)
    logits = ops.convert_to_numpy(head(features))
    assert logits.shape == (2, 4)
    np.testing.assert_allclose(
        logits, hidden @ last_kernel + last_bias, rtol=1e-4, atol=1e-5
    )


def test_does_not_read_other_levels():
    features, head = make_features(), make_head()
    expected = ops.convert_to_numpy(head(features))
    more = {"P1": np.full((2, 16, 24, 2), np.nan, "float32"), **features}
    np.testing.assert_array_equal(ops.convert_to_numpy(head(more)), expected)


def test_no_hidden_units():
    with pytest.raises(ValueError, match="positive.*hidden_dim=0"):
        RotationHead(0)


def test_serializes():
    head = RotationHead(5)
    clone = keras.layers.deserialize(keras.layers.serialize(head))
    assert clone.get_config() == head.get_config()
