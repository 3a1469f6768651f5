from keras_s4t.data.augmentation import random_flip
from keras_s4t.data.label_spaces import NATIVE_CLASSES
from keras_s4t.data.prepared import tfds_records
from keras_s4t.data.records import check_tasks
from keras_s4t.data.records import example_from_record
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.data.synth_rooms.example import compact_specs

SYNTH_ROOMS = "synth_rooms/"
SHUFFLE_BUFFER = 2048


def load(
    name,
    split,
    tasks,
    batch_size=8,
    training=False,
    num_examples=None,
    seed=0,
    size=64,
    cache_dir=None,
    workers=1,
    data_dir=None,
    label_space=None,
):
    """Loads a dataset as batches for `fit` and `evaluate`.

    Args:
        name: `"synth_rooms/<domain>"`, rendered here; or, if prepared in
            `data_dir`, `"taskonomy_mt"`, `"nyud_mt"` or `"pascal_mt"`, with a
            config as in `"taskonomy_mt/tiny_512"` or without, or another TFDS
            dataset, which emits canonical records (`records.py`).
        split: `"train"`, `"validation"` or `"test"`; TFDS split syntax for
            TFDS datasets.
        tasks: list of `Task`, or of task names.
        batch_size: int.
        training: bool. Whether to shuffle, flip at random and drop the last,
            smaller batch.
        num_examples: Optional int, only the first examples.
        seed: int. Seed of the order and the flips: two runs see identical
            batches.
        size: int. Side of rendered images, in pixels.
        cache_dir: Optional folder in which rendered images are kept.
        workers: int. Rendering processes; more than one needs a `__main__`
            guard in the calling script.
        data_dir: Optional folder of TFDS datasets.
        label_space: Optional `LabelSpace`, or name of one, such as
            `"taskonomy_nyud"`: classes that two of the three share. Their own
            classes if `None`.

    Returns:
        A `tf.data.Dataset` of `(images, labels, masks)`: images float32 RGB
        in 0 ... 255 of shape `(batch_size, height, width, 3)`, labels and
        masks dicts by task name. It knows its size.

    Raises:
        ValueError: If the dataset, split or label space is unknown, or the
            dataset is not prepared, misses a task or is not of that space.
    """
    is_stored = name.split("/")[0] in NATIVE_CLASSES
    if label_space is not None and not is_stored:
        raise ValueError(
            f"`label_space` is for the datasets {list(NATIVE_CLASSES)}. "
            f"Received: label_space={label_space!r}, name={name!r}"
        )
    if name.startswith(SYNTH_ROOMS):
        rooms = SynthRooms(
            split, name.removeprefix(SYNTH_ROOMS), size, num_examples
        )
        check_tasks(compact_specs(size), _names(tasks))
        dataset = _from_arrays(rooms.arrays(cache_dir, workers))
    else:
        dataset = tfds_records(
            name,
            split,
            _names(tasks),
            label_space,
            num_examples,
            seed if training else None,
            data_dir,
        )
    # Decoded records of real images would take gigabytes.
    shuffle_buffer = 1 if is_stored else SHUFFLE_BUFFER
    return batches(dataset, tasks, batch_size, training, seed, shuffle_buffer)


def batches(
    records,
    tasks,
    batch_size=8,
    training=False,
    seed=0,
    shuffle_buffer=SHUFFLE_BUFFER,
):
    """Batches of a dataset of canonical records.

    Args:
        records: A `tf.data.Dataset` of records (`records.py`).
        tasks: list of `Task`, or of task names.
        batch_size: int.
        training: bool. Whether to shuffle, flip at random and drop the last,
            smaller batch.
        seed: int. Seed of the order and the flips.
        shuffle_buffer: int. Records in memory from which the next one is
            drawn in training; 1 for records that come shuffled.

    Returns:
        A `tf.data.Dataset` of `(images, labels, masks)`.

    Raises:
        ValueError: If the records miss a task.
    """
    import tensorflow as tf

    names = _names(tasks)
    check_tasks(records.element_spec, names)
    if training:
        records = records.shuffle(shuffle_buffer, seed=seed)

    dataset = records.map(
        lambda record: example_from_record(record, names),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    if training:
        seeds = tf.data.Dataset.random(
            seed=seed, rerandomize_each_iteration=True
        ).batch(2)
        dataset = tf.data.Dataset.zip(dataset, seeds).map(
            lambda *pair: random_flip(pair[0], pair[1]),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    return dataset.batch(batch_size, drop_remainder=training).prefetch(
        tf.data.AUTOTUNE
    )


def _names(tasks):
    return [getattr(task, "name", task) for task in tasks]


def _from_arrays(arrays):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(arrays)
