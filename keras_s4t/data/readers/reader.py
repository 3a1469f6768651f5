"""What the loader reads, before anything is decoded."""

import dataclasses
from collections.abc import Callable
from typing import Any

from keras_s4t.data.records import example_from_record


@dataclasses.dataclass
class Reader:
    """Elements that are cheap to shuffle and to skip, and how to read them.

    Attributes:
        elements: A `tf.data.Dataset`: arrays in memory, serialized records or
            indices of files.
        read: Function from an element to a canonical record (`records.py`), in
            TensorFlow.
        shuffle_buffer: int. Elements from which the next one is drawn.
        version: str that changes when the files on disk do.
    """

    elements: Any
    read: Callable
    shuffle_buffer: int
    version: str = ""

    def example(self, task_names, *element):
        """Reads one example.

        Args:
            task_names: Names of the tasks wanted.
            *element: One of the elements.

        Returns:
            Tuple `(image, labels, masks)`.
        """
        return example_from_record(self.read(*element), task_names)


def records_reader(records, shuffle_buffer, version=""):
    """A reader of records that are canonical already.

    Args:
        records: A `tf.data.Dataset` of canonical records.
        shuffle_buffer: int.
        version: str, as of `Reader`.

    Returns:
        A `Reader`.
    """
    return Reader(records, lambda record: record, shuffle_buffer, version)
