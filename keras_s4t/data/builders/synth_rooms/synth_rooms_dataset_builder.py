"""SynthRooms as a TFDS dataset, rendered on the spot, without a download."""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds

from keras_s4t.data.synth_rooms import CLASS_NAMES
from keras_s4t.data.synth_rooms import DOMAINS
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.data.synth_rooms.example import compacted
from keras_s4t.data.synth_rooms.sample import SPLITS
from keras_s4t.data.synth_rooms.synth_rooms import VERSION

SIZES = (64, 128)


@dataclasses.dataclass(eq=False)
class SynthRoomsConfig(tfds.core.BuilderConfig):
    """What distinguishes the variants of the dataset.

    Attributes:
        domain: str, one of `DOMAINS`.
        size: int, side of the pictures in pixels.
        num_examples: dict of the number of examples by split; splits left out
            have the number that `SynthRooms` gives them.
    """

    domain: str = "source"
    size: int = 128
    num_examples: dict = dataclasses.field(default_factory=dict)


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builds `synth_rooms/<domain>_<size>`, one config a domain and size.

    Records have an `id` and the keys, shapes and dtypes of
    `SynthRooms.arrays()`, without masks: the labels are valid everywhere but
    where `semseg` is 255.

    Example:
    ```python
    from keras_s4t.data.builders import synth_rooms

    builder = synth_rooms.Builder(config="evening_64")
    builder.download_and_prepare()
    dataset = builder.as_dataset(split="test")
    ```
    """

    VERSION = tfds.core.Version(VERSION)
    RELEASE_NOTES = {str(VERSION): "Initial release."}
    BUILDER_CONFIGS = [
        SynthRoomsConfig(
            name=f"{domain}_{size}",
            description=f"Domain {domain}, {size} x {size} pixels.",
            domain=domain,
            size=size,
        )
        for size in SIZES
        for domain in DOMAINS
    ] + [
        SynthRoomsConfig(
            name="debug",
            description="Eight small rooms of the domain source, for tests.",
            size=32,
            num_examples={"train": 4, "validation": 2, "test": 2},
        )
    ]

    def _info(self):
        size = self.builder_config.size
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 3)),
                    "semseg": _tensor((size, size), np.uint8),
                    "depth": _tensor((size, size, 1), np.float16),
                    "normals": _tensor((size, size, 3), np.float16),
                    "edge": _tensor((size, size, 1), np.float16),
                    "id": tfds.features.Text(),
                }
            ),
            metadata=tfds.core.MetadataDict(class_names=list(CLASS_NAMES)),
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {split: self._generate_examples(split) for split in SPLITS}

    def _generate_examples(self, split):
        config = self.builder_config
        rooms = SynthRooms(
            split,
            domain=config.domain,
            size=config.size,
            num_examples=config.num_examples.get(split),
        )
        for index, record in enumerate(rooms):
            yield index, {**compacted(record), "id": record["id"]}


def _tensor(shape, dtype):
    return tfds.features.Tensor(
        shape=shape, dtype=dtype, encoding=tfds.features.Encoding.ZLIB
    )
