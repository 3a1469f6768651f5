from keras_s4t.data.augmentation import random_flip
from keras_s4t.data.records import check_tasks
from keras_s4t.data.records import example_from_record
from keras_s4t.data.synth_rooms import DOMAINS
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.data.synth_rooms.example import compact_specs

SYNTH_ROOMS = "synth_rooms/"


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
):
    """Loads a dataset as batches for `fit` and `evaluate`.

    Args:
        name: `"synth_rooms/<domain>"`, rendered here, or the name of a TFDS
            dataset that emits canonical records (`records.py`) and was
            prepared in `data_dir`.
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

    Returns:
        A `tf.data.Dataset` of `(images, labels, masks)`: images float32 RGB
        in 0 ... 255 of shape `(batch_size, height, width, 3)`, labels and
        masks dicts by task name. It knows its size.

    Raises:
        ValueError: If the dataset or split is unknown, or the dataset is not
            prepared or misses a task.
    """
    if name.startswith(SYNTH_ROOMS):
        rooms = SynthRooms(
            split, name.removeprefix(SYNTH_ROOMS), size, num_examples
        )
        check_tasks(compact_specs(size), _names(tasks))
        dataset = _from_arrays(rooms.arrays(cache_dir, workers))
    else:
        dataset = _from_tfds(name, split, data_dir)
        if num_examples is not None:
            dataset = dataset.take(num_examples)
    return batches(dataset, tasks, batch_size, training, seed)


def batches(records, tasks, batch_size=8, training=False, seed=0):
    """Batches of a dataset of canonical records.

    Args:
        records: A `tf.data.Dataset` of records (`records.py`).
        tasks: list of `Task`, or of task names.
        batch_size: int.
        training: bool. Whether to shuffle, flip at random and drop the last,
            smaller batch.
        seed: int. Seed of the order and the flips.

    Returns:
        A `tf.data.Dataset` of `(images, labels, masks)`.

    Raises:
        ValueError: If the records miss a task.
    """
    import tensorflow as tf

    names = _names(tasks)
    check_tasks(records.element_spec, names)
    if training:
        records = records.shuffle(2048, seed=seed)

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


def _from_tfds(name, split, data_dir):
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        rooms = [f"{SYNTH_ROOMS}{domain}" for domain in DOMAINS]
        raise ValueError(
            f"The dataset must be one of {rooms}, or a TFDS dataset. "
            f"Received: name={name!r}"
        ) from error
    if not builder.is_prepared():
        raise ValueError(
            "A TFDS dataset must be prepared: call `download_and_prepare()` "
            f"of its builder. Received: name={name!r}, data_dir={data_dir!r}"
        )
    return builder.as_dataset(split=split)
