import socket

import keras
import keras_hub
import numpy as np
import pytest
import tiny

from keras_s4t import models
from keras_s4t import tasks


def test_resnet_tiny_is_a_pyramid():
    network = models.MultiTaskModel(models.resnet_tiny(), [tasks.depth()])
    channels = {"P2": 64, "P3": 96, "P4": 128, "P5": 192}
    assert {k: v[-1] for k, v in network.features_shape.items()} == channels
    # The stem, two per basic block, and a shortcut where the size changes.
    assert len(network.batch_norms) == 1 + 4 * 2 + 3
    for size in ((64, 96), (18, 22)):
        features = network.encode(keras.KerasTensor((2, *size, 3)))
        for i, (level, x) in enumerate(features.items()):
            shape = [-(-length // 2 ** (i + 2)) for length in size]
            assert x.shape == (2, *shape, channels[level])


def test_resnet18():
    backbone = models.resnet18(None)
    count = sum(np.prod(v.shape, dtype=int) for v in backbone.trainable_weights)
    # Without the 513,000 of the classifier, torchvision's 11,689,512.
    assert count == 11_689_512 - 513_000
    assert list(backbone.pyramid_outputs) == ["P2", "P3", "P4", "P5"]
    with pytest.raises(ValueError, match="preset='resnet_19_imagenet'"):
        models.resnet18("resnet_19_imagenet")


def test_resnet50_from_a_preset_folder(tmp_path):
    backbone = models.resnet_tiny()
    tiny.fill(backbone)
    folder = tmp_path / "resnet"
    backbone.save_to_preset(str(folder))
    for preset in (folder, str(folder)):
        loaded = models.resnet50(preset)
        assert list(loaded.pyramid_outputs) == ["P2", "P3", "P4", "P5"]
        for a, b in zip(
            tiny.numpy_values(loaded.weights),
            tiny.numpy_values(backbone.weights),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("as_path", [False, True])
def test_a_folder_that_is_not_there(tmp_path, as_path):
    folder = tmp_path / "none"
    with pytest.raises(ValueError, match="save_to_preset") as error:
        models.resnet50(folder if as_path else str(folder))
    message = str(error.value)
    assert "preset=None" in message and "none" in message
    assert error.value.__cause__ is not None


def test_a_folder_without_a_preset(tmp_path):
    with pytest.raises(ValueError, match="a folder that contains one"):
        models.resnet50(tmp_path)


def test_an_unknown_preset():
    with pytest.raises(ValueError, match="preset='resnet_51_imagenet'"):
        models.resnet50("resnet_51_imagenet")


def test_a_preset_whose_weights_are_damaged(tmp_path):
    models.resnet_tiny().save_to_preset(str(tmp_path))
    (tmp_path / "model.weights.h5").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="a folder that contains one"):
        models.resnet50(tmp_path)


def test_without_a_network(monkeypatch):
    def no_address(*args, **kwargs):
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    preset = "kaggle://nobody/none/keras/none"
    with pytest.raises(ValueError, match="Without a network") as error:
        models.resnet50(preset)
    assert preset in str(error.value)
    assert isinstance(error.value.__cause__, OSError)


def test_a_bug_while_loading_is_not_hidden(monkeypatch):
    def broken(preset):
        raise TypeError("a bug")

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", broken)
    with pytest.raises(TypeError, match="a bug"):
        models.resnet50("resnet_50_imagenet")
