"""SynthRooms at 128 pixels, with a deeper network: ResNet18.

An epoch takes about ten minutes on two cores.
"""

import dataclasses

from configs.synth_rooms import SynthRooms


@dataclasses.dataclass(frozen=True)
class SynthRooms128(SynthRooms):
    """As `SynthRooms`, larger."""

    size: int = 128
    preset: str = "random_resnet18"

    name = "synth_rooms_128"


CONFIG = SynthRooms128()
