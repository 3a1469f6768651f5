"""Examples on a canvas: what is averaged, what is not, and what is padding."""

import keras
import numpy as np
import pytest
import tiny

from keras_s4t.data.pipeline.resizing import PADDING_COLOR
from keras_s4t.data.pipeline.resizing import fit_example
from keras_s4t.data.pipeline.resizing import pad_example
from keras_s4t.data.pipeline.resizing import resize_example
from keras_s4t.tasks import LABELS


def make_example(height=8, width=12):
    """An example whose masks are blocks of 2 x 2 pixels."""
    rng = np.random.default_rng(0)
    shape = (height, width)
    labels = {
        "semseg": rng.integers(0, 7, shape).astype("int32"),
        "depth": rng.uniform(1, 5, (*shape, 1)).astype("float32"),
        "normals": rng.normal(size=(*shape, 3)).astype("float32"),
        "edge": rng.uniform(size=(*shape, 1)).astype("float32"),
    }
    blocks = rng.integers(0, 2, (height // 2, width // 2, 1))
    mask = blocks.repeat(2, 0).repeat(2, 1).astype("float32")
    image = rng.uniform(0, 255, (*shape, 3)).astype("float32")
    return image, labels, {name: mask for name in labels}


def run(fn, example, *args):
    """In a graph, where nothing knows the size of the image."""
    import tensorflow as tf

    signature = keras.tree.map_structure(
        lambda x: tf.TensorSpec((None, None, *x.shape[2:]), x.dtype), example
    )
    graph = tf.function(
        lambda *example: fn(example, LABELS, *args), input_signature=signature
    )
    return keras.tree.map_structure(lambda x: x.numpy(), graph(*example))


def test_half_the_size():
    image, labels, masks = make_example()
    resized, new_labels, new_masks = run(
        resize_example, (image, labels, masks), (4, 6)
    )
    np.testing.assert_array_equal(new_masks["depth"], masks["depth"][::2, ::2])
    # Classes, depths and normals are those of one pixel, not of several.
    for name in ("semseg", "depth", "normals"):
        original = labels[name].reshape(8, 12, -1)
        blocks = original.reshape(4, 2, 6, 2, -1).transpose(0, 2, 1, 3, 4)
        pixels = blocks.reshape(4, 6, 4, -1)
        found = new_labels[name].reshape(4, 6, 1, -1)
        assert (pixels == found).all(-1).any(-1).all()
    # The antialiased triangle is two pixels wide to each side.
    weights = np.array([1, 3, 3, 1]) / 8
    middle = image[1:5, 1:5].transpose(2, 0, 1)
    expected = np.einsum("i,cij,j->c", weights, middle, weights)
    np.testing.assert_allclose(resized[1, 1], expected, rtol=1e-4)


@pytest.mark.parametrize("missing", [99, np.nan])
def test_edges_are_averaged_over_valid_pixels(missing):
    image, labels, masks = make_example()
    edges = np.where(masks["edge"] > 0, 0.75, missing)
    labels["edge"] = edges.astype("float32")
    _, new_labels, new_masks = run(
        resize_example, (image, labels, masks), (4, 6)
    )
    valid = new_masks["edge"] > 0
    np.testing.assert_allclose(new_labels["edge"][valid], 0.75, rtol=1e-4)


@pytest.mark.parametrize(
    ("canvas", "size"),
    [((4, 12), (4, 6)), ((16, 18), (12, 18)), ((8, 12), (8, 12))],
)
def test_fits_into_the_canvas(canvas, size):
    example = make_example()
    image, labels, masks = run(fit_example, example, canvas)
    for array in (image, *labels.values(), *masks.values()):
        assert array.shape[:2] == size
    if size == (8, 12):
        np.testing.assert_array_equal(image, example[0])


def test_nothing_sees_the_padding():
    image, labels, masks = make_example()
    padded, new_labels, new_masks = run(
        pad_example, (image, labels, masks), (10, 16)
    )
    np.testing.assert_allclose(padded[:8, :12], image, rtol=1e-5)
    np.testing.assert_allclose(
        padded[8:], np.broadcast_to(PADDING_COLOR, (2, 16, 3)), rtol=1e-6
    )
    for name, label in labels.items():
        np.testing.assert_array_equal(new_labels[name][:8, :12], label)
        fill = 255 if name == "semseg" else 0
        assert (new_labels[name][8:] == fill).all()
        assert (new_labels[name][:, 12:] == fill).all()
        assert new_masks[name].sum() == masks[name].sum()


def test_the_padding_is_zero_to_a_network():
    layer = tiny.make_network().normalization
    color = np.array(PADDING_COLOR, "float32").reshape(1, 1, 1, 3)
    normalized = keras.ops.convert_to_numpy(layer(color))
    np.testing.assert_allclose(normalized, 0, atol=1e-5)


def test_a_larger_image_is_refused():
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match="canvas"):
        run(pad_example, make_example(), (8, 11))
