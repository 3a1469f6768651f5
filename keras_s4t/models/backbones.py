"""Backbones: feature pyramids of keras-hub."""


def resnet50(preset="resnet_50_imagenet"):
    """ResNet50 with a feature pyramid `"P2"` ... `"P5"`.

    ResNet50 version 1.5, with strides in the 3x3 convolutions. It has
    23,508,032 trainable parameters in 53 convolutions with batch norm.

    Args:
        preset: A keras-hub preset name (`"resnet_50_imagenet"`, or any handle
            that `keras_hub.models.Backbone.from_preset` takes), the path of a
            preset folder, or `None` for random weights.

    Returns:
        A `keras_hub.models.ResNetBackbone`.

    Raises:
        ValueError: If the preset is missing or cannot be downloaded.

    Example:

    ```python
    backbone = keras_s4t.models.resnet50(preset=None)
    network = keras_s4t.models.MultiTaskModel(backbone, task_list)
    ```
    """
    if preset is None:
        return _resnet("bottleneck_block", [64, 128, 256, 512], [3, 4, 6, 3])
    return _from_preset(preset)


def resnet18(preset="resnet_18_imagenet"):
    """ResNet18 with a feature pyramid `"P2"` ... `"P5"`.

    It has 11,176,512 trainable parameters in 20 convolutions with batch norm.

    Args:
        preset: As that of `resnet50`.

    Returns:
        A `keras_hub.models.ResNetBackbone`.

    Raises:
        ValueError: If the preset is missing or cannot be downloaded.
    """
    if preset is None:
        return _resnet("basic_block", [64, 128, 256, 512], [2, 2, 2, 2])
    return _from_preset(preset)


def resnet_tiny():
    """A small ResNet with the same levels, for tests and small images.

    It has one basic block per level and random weights.

    Returns:
        A `keras_hub.models.ResNetBackbone` with levels `"P2"` ... `"P5"`.
    """
    return _resnet("basic_block", [64, 96, 128, 192], [1, 1, 1, 1])


def _resnet(block_type, num_filters, num_blocks):
    from keras_hub.models import ResNetBackbone

    return ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=num_filters,
        stackwise_num_blocks=num_blocks,
        stackwise_num_strides=[1, 2, 2, 2],
        block_type=block_type,
    )


def _from_preset(preset):
    from keras_hub.models import Backbone

    try:
        return Backbone.from_preset(str(preset))
    # A preset that is missing, damaged or unknown, and a failed download: the
    # errors of requests and of huggingface_hub are OSErrors, too.
    except (OSError, ValueError) as error:
        raise ValueError(
            "`preset` must be a keras-hub preset that can be downloaded, or a "
            "folder that contains one. Without a network, download it once "
            "elsewhere: `keras_hub.models.Backbone.from_preset("
            "'resnet_50_imagenet').save_to_preset('resnet_50_imagenet')`, copy "
            "the folder `resnet_50_imagenet` and pass its path; "
            "`preset=None` gives random weights. "
            f"Received: preset={preset!r} ({type(error).__name__}: {error})"
        ) from error
