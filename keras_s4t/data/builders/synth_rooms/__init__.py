"""SynthRooms as a TFDS dataset."""

from keras_s4t.data.builders.synth_rooms.synth_rooms_dataset_builder import (
    Builder,
)

__all__ = ["Builder"]
