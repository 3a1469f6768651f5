import dataclasses
from collections.abc import Callable
from typing import Any


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
        is_rendered: bool. Whether records were made in the size asked for,
            and are kept by the reader itself.
    """

    elements: Any
    read: Callable
    shuffle_buffer: int
    version: str = ""
    is_rendered: bool = False
