import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.ttt.rotation import RandomSquareRotation
from keras_s4t.methods.ttt.rotation import rotate
from keras_s4t.state.pure_call import without_writing


def numbered(batch_size, height, width):
    """A batch in which all pixels of all images are different."""
    shape = (batch_size, height, width, 3)
    return np.arange(np.prod(shape)).reshape(shape).astype("float32")


def windows(images):
    """Maps the bytes of every square window to its image and position."""
    side = min(images.shape[1:3])
    return {
        image[top : top + side, left : left + side].tobytes(): (i, top, left)
        for i, image in enumerate(images)
        for top in range(images.shape[1] - side + 1)
        for left in range(images.shape[2] - side + 1)
    }


def draw(layer, images):
    rotated, labels = layer(ops.convert_to_tensor(images))
    return ops.convert_to_numpy(rotated), ops.convert_to_numpy(labels)


def turned(images, quarter_turns):
    images = ops.convert_to_tensor(images)
    turns = ops.convert_to_tensor(np.array(quarter_turns, "int32"))
    return ops.convert_to_numpy(rotate(images, turns))


def test_rotates_as_numpy_does():
    images = numbered(6, 5, 5)
    turns = [2, 0, 3, 1, 1, 2]
    expected = [np.rot90(x, k) for x, k in zip(images, turns, strict=True)]
    np.testing.assert_array_equal(turned(images, turns), expected)
    assert (expected[2] != images[2]).any()


def test_rotations_undo_each_other():
    images = numbered(4, 6, 6)
    turns = np.arange(4)
    back = turned(turned(images, turns), (4 - turns) % 4)
    np.testing.assert_array_equal(back, images)
    result = images
    for _ in range(4):
        result = turned(result, [1, 1, 1, 1])
    np.testing.assert_array_equal(result, images)


@pytest.mark.eager
@pytest.mark.parametrize("size", [(4, 7), (9, 5), (6, 6)])
def test_turns_a_square_of_the_image_itself(size):
    images = numbered(64, *size)
    places = windows(images)
    rotated, labels = draw(RandomSquareRotation(seed=0), images)
    assert rotated.shape == (64, min(size), min(size), 3)
    assert set(labels) == {0, 1, 2, 3}
    found = [
        places[np.ascontiguousarray(np.rot90(x, -k)).tobytes()]
        for x, k in zip(rotated, labels, strict=True)
    ]
    assert [i for i, *_ in found] == list(range(64))
    # Every possible position is drawn, independently for each image.
    height, width = size
    for axis, slack in ((1, height - min(size)), (2, width - min(size))):
        assert {place[axis] for place in found} == set(range(slack + 1))


@pytest.mark.eager
def test_every_call_draws_anew():
    images = numbered(32, 4, 6)
    layer, twin = RandomSquareRotation(seed=0), RandomSquareRotation(seed=0)
    first, second = draw(layer, images), draw(layer, images)
    assert (first[0] != second[0]).any() and (first[1] != second[1]).any()
    for outputs in (first, second):
        for value, expected in zip(outputs, draw(twin, images), strict=True):
            np.testing.assert_array_equal(value, expected)


def test_gray_levels_are_not_rounded():
    images = 1 / 3 + numbered(2, 4, 4)
    layer = RandomSquareRotation(seed=0, dtype="mixed_bfloat16")
    rotated, _ = draw(layer, images)
    np.testing.assert_array_equal(np.sort(rotated, None), np.sort(images, None))


def compiled(fn):
    """Compiles a function for sizes that are unknown where possible."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec((None, None, None, 3))]
        return tf.function(fn, input_signature=signature)
    if backend == "jax":
        import jax

        return jax.jit(fn)
    return fn


@pytest.mark.parametrize("size", [(4, 7), (9, 5), (6, 6)])
def test_compiled_for_unknown_sizes(size):
    layer = RandomSquareRotation(seed=0)

    def fn(images):
        return without_writing(lambda: layer(images), layer.variables)

    images = numbered(64, *size)
    rotated, labels = map(ops.convert_to_numpy, compiled(fn)(images))
    places = windows(images)
    found = [
        places[np.ascontiguousarray(np.rot90(x, -k)).tobytes()]
        for x, k in zip(rotated, labels, strict=True)
    ]
    assert [i for i, *_ in found] == list(range(64))
    assert len(set(found)) == 64 and set(labels) == {0, 1, 2, 3}
    assert len({place[1:] for place in found}) == abs(size[0] - size[1]) + 1


def test_serializes():
    layer = RandomSquareRotation(seed=5)
    clone = keras.layers.deserialize(keras.layers.serialize(layer))
    assert clone.get_config() == layer.get_config()
    assert clone.seed == 5
