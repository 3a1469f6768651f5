import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_s4t import models
from keras_s4t.layers.resizing import resize_bilinear

GRID = (6, 5)


def make_networks():
    """A network with a fixed grid and one without, of equal weights."""
    task_list = tiny.make_tasks(3)
    backbone = tiny.TinyBackbone()
    fixed = models.MultiTaskModel(
        models.FixedGridBackbone(backbone, GRID), task_list
    )
    plain = models.MultiTaskModel(backbone, task_list)
    tiny.fill(plain)
    for name, decoder in plain.decoders.items():
        fixed.decoders[name].set_weights(decoder.get_weights())
    return fixed, plain


@pytest.mark.eager
def test_decoders_work_on_the_fused_map_of_that_size():
    fixed, plain = make_networks()
    images, *_ = tiny.make_arrays(2, size=(24, 32))
    features = plain.encode(images)
    assert tuple(features["P2"].shape) == (2, 12, 16, 6)
    fused = np.concatenate(
        [
            ops.convert_to_numpy(resize_bilinear(features[level], GRID))
            for level in ("P2", "P3")
        ],
        axis=-1,
    )
    outputs, elsewhere = fixed(images), plain(images)
    for name, decoder in plain.decoders.items():
        kernel, bias = tiny.numpy_values(decoder.trainable_variables)
        expected = resize_bilinear(
            ops.convert_to_tensor(fused @ kernel[0, 0] + bias), (24, 32)
        )
        received = ops.convert_to_numpy(outputs[name])
        np.testing.assert_allclose(
            received, ops.convert_to_numpy(expected), atol=1e-4
        )
        other = ops.convert_to_numpy(elsewhere[name])
        assert np.abs(received - other).max() > 1e-2


def test_the_grid_of_the_images_changes_nothing():
    fixed, plain = make_networks()
    images, *_ = tiny.make_arrays(2, size=(12, 10))
    for name, output in plain(images).items():
        np.testing.assert_array_equal(
            ops.convert_to_numpy(fixed(images)[name]),
            ops.convert_to_numpy(output),
        )


@pytest.mark.eager
@pytest.mark.parametrize("remat", [False, True])
def test_saves_and_loads(tmp_path, remat):
    task_list = tiny.make_tasks(2)
    network = models.MultiTaskModel(
        models.FixedGridBackbone(models.resnet_tiny(), GRID),
        task_list,
        remat=remat,
    )
    tiny.fill(network)
    plain = models.MultiTaskModel(models.resnet_tiny(), task_list)
    assert len(network.weights) == len(plain.weights)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert loaded.backbone.feature_size == GRID
    assert loaded.features_shape["P2"] == (None, *GRID, 64)
    images, *_ = tiny.make_arrays(2, size=(32, 48))
    for name, output in network(images).items():
        np.testing.assert_array_equal(
            ops.convert_to_numpy(loaded(images)[name]),
            ops.convert_to_numpy(output),
        )


@pytest.mark.parametrize("size", [(4,), (4, 0)])
def test_sizes_are_pairs(size):
    with pytest.raises(ValueError, match="`feature_size` must be a pair"):
        models.FixedGridBackbone(tiny.TinyBackbone(), size)
