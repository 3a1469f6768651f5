"""SynthRooms at 128 pixels with the network of the paper, for a GPU.

The backbone has random weights unless `--preset` names pretrained ones, such as
`resnet_50_imagenet`.
"""

import dataclasses

from configs.synth_rooms import SynthRooms


@dataclasses.dataclass(frozen=True)
class SynthRoomsResNet50(SynthRooms):
    """As `SynthRooms`, with ResNet50 and methods of the paper's sizes."""

    size: int = 128
    preset: str = "random"

    name = "synth_rooms_resnet50"
    has_paper_sizes = True


CONFIG = SynthRoomsResNet50()
