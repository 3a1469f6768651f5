"""NYUD-MT as a TFDS dataset."""

from keras_s4t.data.builders.nyud_mt.nyud_mt_dataset_builder import Builder

__all__ = ["Builder"]
