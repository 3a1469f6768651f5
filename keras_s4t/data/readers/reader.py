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


def records_reader(records, shuffle_buffer, **kwargs):
    """A reader of records that are canonical already.

    Args:
        records: A `tf.data.Dataset` of canonical records.
        shuffle_buffer: int.
        **kwargs: Further arguments of `Reader`.

    Returns:
        A `Reader`.
    """
    return Reader(records, lambda record: record, shuffle_buffer, **kwargs)
