import numpy as np
import pytest
from keras import ops

from keras_s4t import models
from keras_s4t import tasks


def small_resnet():
    from keras_hub.models import ResNetBackbone

    return ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 4, 4, 8],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
    )


def features_of(backbone, images):
    """What the network of this backbone encodes."""
    network = models.MultiTaskModel(backbone, [tasks.depth()])
    return {
        level: ops.convert_to_numpy(x)
        for level, x in network.encode(images).items()
    }


def test_resnet_tiny_is_a_pyramid():
    network = models.MultiTaskModel(models.resnet_tiny(), [tasks.depth()])
    channels = {"P2": 64, "P3": 96, "P4": 128, "P5": 192}
    assert {k: v[-1] for k, v in network.features_shape.items()} == channels
    # The stem, two per basic block, and a shortcut where the size changes.
    assert len(network.batch_norms) == 1 + 4 * 2 + 3
    for size in ((64, 96), (18, 22)):
        features = network.encode(np.zeros((1, *size, 3), "float32"))
        for i, (level, x) in enumerate(features.items()):
            shape = [-(-length // 2 ** (i + 2)) for length in size]
            assert tuple(x.shape) == (1, *shape, channels[level])


def test_resnet50_from_a_preset_folder(tmp_path):
    backbone = small_resnet()
    folder = tmp_path / "resnet"
    backbone.save_to_preset(str(folder))
    images = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3))
    expected = features_of(backbone, images.astype("float32"))
    assert expected["P5"].std() > 0
    for preset in (folder, str(folder)):
        loaded = models.resnet50(preset)
        features = features_of(loaded, images.astype("float32"))
        assert list(features) == ["P2", "P3", "P4", "P5"]
        for level, x in features.items():
            np.testing.assert_allclose(x, expected[level], atol=1e-5)


@pytest.mark.parametrize("as_path", [False, True])
def test_a_folder_that_is_not_there(tmp_path, as_path):
    folder = tmp_path / "none"
    with pytest.raises(ValueError, match="save_to_preset") as error:
        models.resnet50(folder if as_path else str(folder))
    message = str(error.value)
    assert "preset=None" in message and "none" in message
    assert error.value.__cause__ is not None


def test_a_folder_without_a_preset(tmp_path):
    with pytest.raises(ValueError, match="a folder that holds one"):
        models.resnet50(tmp_path)


def test_an_unknown_preset():
    with pytest.raises(ValueError, match="preset='resnet_51_imagenet'"):
        models.resnet50("resnet_51_imagenet")
