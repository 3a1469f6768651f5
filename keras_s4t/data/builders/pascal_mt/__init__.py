"""PASCAL-MT as a TFDS dataset."""

from keras_s4t.data.builders.pascal_mt.pascal_mt_dataset_builder import Builder

__all__ = ["Builder"]
