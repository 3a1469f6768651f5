"""Taskonomy as a TFDS dataset."""

from keras_s4t.data.builders.taskonomy_mt.taskonomy_mt_dataset_builder import (
    Builder,
)

__all__ = ["Builder"]
