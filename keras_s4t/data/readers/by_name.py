"""Readers by the names of datasets."""

import dataclasses
import typing

from keras_s4t.data import label_spaces
from keras_s4t.data.archives.taskonomy import TaskonomyFolder
from keras_s4t.data.label_spaces import NATIVE_CLASSES
from keras_s4t.data.pipeline.batching import SHUFFLE_BUFFER
from keras_s4t.data.readers.reader import Reader
from keras_s4t.data.readers.tfds_reader import tfds_reader
from keras_s4t.data.records import check_tasks
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.data.synth_rooms.example import compact_specs
from keras_s4t.tasks import Task

SYNTH_ROOMS = "synth_rooms"
SYNTH_ROOMS_SIZE = 64
WALK = "walk"
TASKONOMY_FOLDER = "taskonomy_folder"
TASKONOMY_SIZE = 256


@dataclasses.dataclass(frozen=True)
class Request:
    """What a loader is asked to read: arguments of `load` and a seed.

    Attributes:
        size: Optional pair of ints, `(height, width)` of rendered images.
        shuffle_seed: Optional int. Shuffles the files of TFDS datasets, anew in
            every epoch.
    """

    name: str
    split: str
    task_names: tuple
    size: tuple | None
    num_examples: int | None
    shuffle_seed: int | None
    label_space: typing.Any
    data_dir: typing.Any
    cache_dir: typing.Any
    workers: int

    @property
    def dataset(self):
        """The name without the variant."""
        return self.name.partition("/")[0]

    @property
    def variant(self):
        """What follows the slash, or an empty str."""
        return self.name.partition("/")[2]


def check_classes(request, tasks):
    """Raises a `ValueError` if a dataset has more classes than a task has.

    Args:
        request: A `Request`.
        tasks: list of `Task`, or of task names, which have no classes.
    """
    known = _num_classes(request)
    for task in tasks:
        if not isinstance(task, Task) or not task.label.is_classes:
            continue
        if known is not None and task.num_outputs < known:
            raise ValueError(
                f"Task {task.name!r} must have the {known} classes of "
                f"{request.name!r}. Received: {task.num_outputs} classes"
            )


def _num_classes(request):
    """The number of classes of a dataset, `None` if unknown."""
    if request.label_space is not None:
        return label_spaces.get(request.label_space).num_classes
    if request.dataset == SYNTH_ROOMS:
        return SynthRooms.num_classes
    classes = {
        **NATIVE_CLASSES,
        TASKONOMY_FOLDER: label_spaces.TASKONOMY_CLASSES,
    }
    return len(classes.get(request.dataset, ())) or None


def get_reader(request):
    """The `Reader` of a dataset. Raises a `ValueError` as `load` does."""
    with_space = [*NATIVE_CLASSES, TASKONOMY_FOLDER]
    if request.label_space is not None and request.dataset not in with_space:
        raise ValueError(
            f"`label_space` is for the datasets {with_space}. Received: "
            f"label_space={request.label_space!r}, name={request.name!r}"
        )
    return READERS.get(request.dataset, tfds_reader)(request)


def _read_rooms(request):
    import tensorflow as tf

    height, width = request.size or (SYNTH_ROOMS_SIZE, SYNTH_ROOMS_SIZE)
    if height != width:
        raise ValueError(
            "Rendered images are square: `size` must be an int. "
            f"Received: size={request.size}"
        )
    if request.variant == WALK:
        rooms = SynthRooms(request.split, size=height)
        length = request.num_examples
        rooms = rooms.walk() if length is None else rooms.walk(length)
    else:
        rooms = SynthRooms(
            request.split, request.variant, height, request.num_examples
        )
    check_tasks(compact_specs(height), request.task_names)
    arrays = rooms.arrays(request.cache_dir, request.workers)
    records = tf.data.Dataset.from_tensor_slices(arrays)
    return Reader(
        records, lambda record: record, SHUFFLE_BUFFER, is_rendered=True
    )


def _read_taskonomy(request):
    side = request.variant or str(TASKONOMY_SIZE)
    if request.data_dir is None or not side.isdecimal():
        raise ValueError(
            f"'{TASKONOMY_FOLDER}', with a number of pixels or without, needs "
            f"its `data_dir`. Received: name={request.name!r}, "
            f"data_dir={request.data_dir!r}"
        )
    folder = TaskonomyFolder(
        request.data_dir,
        request.split,
        request.task_names,
        int(side),
        num_views=request.num_examples,
    )
    return folder.reader(request.label_space)


#: Functions by the names of datasets; all others are datasets of TFDS.
READERS = {SYNTH_ROOMS: _read_rooms, TASKONOMY_FOLDER: _read_taskonomy}
