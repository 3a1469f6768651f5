"""What the loader reads, before anything is decoded."""

import dataclasses
from collections.abc import Callable
from typing import Any

from keras_s4t.data.records import example_from_record


@dataclasses.dataclass
class Source:
    """Elements that are cheap to shuffle and to skip, and how to read them.

    Attributes:
        elements: A `tf.data.Dataset`: arrays in memory, serialized records or
            indices of files.
        read: Function from an element to a canonical record (`records.py`), in
            TensorFlow.
        shuffle_buffer: int. Elements from which the next one is drawn.
    """

    elements: Any
    read: Callable
    shuffle_buffer: int

    def examples(self, task_names):
        """The examples, in order.

        Args:
            task_names: Names of the tasks wanted.

        Returns:
            A `tf.data.Dataset` of `(image, labels, masks)`.
        """
        import tensorflow as tf

        return self.elements.map(
            lambda *element: self.example(task_names, *element),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    def example(self, task_names, *element):
        """Reads one example.

        Args:
            task_names: Names of the tasks wanted.
            *element: One of the elements.

        Returns:
            Tuple `(image, labels, masks)`.
        """
        return example_from_record(self.read(*element), task_names)


def records_source(records, shuffle_buffer):
    """A source of records that need no reading.

    Args:
        records: A `tf.data.Dataset` of canonical records.
        shuffle_buffer: int.

    Returns:
        A `Source`.
    """
    return Source(records, lambda record: record, shuffle_buffer)
