from keras_s4t.data.archives.taskonomy import TaskonomyFolder
from keras_s4t.data.pipeline.batching import SHUFFLE_BUFFER
from keras_s4t.data.readers.reader import records_reader
from keras_s4t.data.readers.tfds_reader import tfds_reader
from keras_s4t.data.records import check_tasks
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.data.synth_rooms.example import compact_specs

SYNTH_ROOMS = "synth_rooms/"
SYNTH_ROOMS_SIZE = 64
TASKONOMY_FOLDER = "taskonomy_folder"
TASKONOMY_SIZE = 256


def reader_by_name(
    name,
    split,
    task_names,
    size=None,
    num_examples=None,
    shuffle_seed=None,
    cache_dir=None,
    workers=1,
    data_dir=None,
    label_space=None,
):
    """What a loader reads, by the name of a dataset.

    Args:
        name: str, as of `load`.
        split: str, as of `load`.
        task_names: Names of the tasks wanted.
        size: Optional int, the side of rendered images.
        num_examples: Optional int, only the first examples.
        shuffle_seed: Optional int. Shuffles the files of TFDS datasets.
        cache_dir: Optional folder of rendered images.
        workers: int. Rendering processes.
        data_dir: Optional folder of TFDS datasets, or of Taskonomy.
        label_space: Optional `LabelSpace` or name of one.

    Returns:
        A `Reader`.

    Raises:
        ValueError: As of `load`.
    """
    if name.startswith(SYNTH_ROOMS):
        return _rooms_reader(
            name, split, task_names, size, num_examples, cache_dir, workers
        )
    if name.split("/")[0] == TASKONOMY_FOLDER:
        return _folder_reader(
            name, split, task_names, num_examples, data_dir, label_space
        )
    return tfds_reader(
        name,
        split,
        task_names,
        label_space,
        num_examples,
        shuffle_seed,
        data_dir,
    )


def _rooms_reader(
    name, split, task_names, size, num_examples, cache_dir, workers
):
    import tensorflow as tf

    side = SYNTH_ROOMS_SIZE if size is None else size
    domain = name.removeprefix(SYNTH_ROOMS)
    rooms = SynthRooms(split, domain, side, num_examples)
    check_tasks(compact_specs(side), task_names)
    arrays = rooms.arrays(cache_dir, workers)
    records = tf.data.Dataset.from_tensor_slices(arrays)
    return records_reader(records, SHUFFLE_BUFFER)


def _folder_reader(
    name, split, task_names, num_examples, data_dir, label_space
):
    side = name.partition("/")[2] or str(TASKONOMY_SIZE)
    if data_dir is None or not side.isdecimal():
        raise ValueError(
            f"'{TASKONOMY_FOLDER}', with a number of pixels or without, needs "
            f"its `data_dir`. Received: name={name!r}, data_dir={data_dir!r}"
        )
    folder = TaskonomyFolder(
        data_dir, split, task_names, int(side), num_views=num_examples
    )
    return folder.reader(label_space)
