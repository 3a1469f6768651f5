"""Datasets and streams. Only what reads with tf.data needs TensorFlow."""

from keras_s4t.data import label_spaces
from keras_s4t.data.archives.taskonomy import TaskonomyFolder
from keras_s4t.data.array_batches import ArrayBatches
from keras_s4t.data.image_statistics import domain_differences
from keras_s4t.data.image_statistics import image_statistics
from keras_s4t.data.loading import load
from keras_s4t.data.pipeline.augmentation import Augmentation
from keras_s4t.data.pipeline.batching import batches
from keras_s4t.data.pipeline.canvas import Canvas
from keras_s4t.data.pipeline.training import Training
from keras_s4t.data.records import examples_from_arrays
from keras_s4t.data.restyling import restyle
from keras_s4t.data.shares import share_of
from keras_s4t.data.streams import online_stream
from keras_s4t.data.synth_rooms import DOMAINS
from keras_s4t.data.synth_rooms import SynthRooms

__all__ = [
    "ArrayBatches",
    "Augmentation",
    "Canvas",
    "DOMAINS",
    "SynthRooms",
    "TaskonomyFolder",
    "Training",
    "batches",
    "domain_differences",
    "examples_from_arrays",
    "image_statistics",
    "label_spaces",
    "load",
    "online_stream",
    "restyle",
    "share_of",
]
