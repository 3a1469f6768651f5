"""Reader of prepared TFDS datasets."""

import importlib

from keras_s4t.data import label_spaces
from keras_s4t.data.images import decode_tensor
from keras_s4t.data.readers.reader import Reader
from keras_s4t.data.readers.stored import canonical_record
from keras_s4t.data.records import check_tasks
from keras_s4t.data.synth_rooms import DOMAINS

# Elements are shuffled before they are decoded: a few hundred kilobytes each.
SHUFFLE_BUFFER = 1024
# The published lists name a training and a validation split alone.
_TWO_SPLITS = {"validation": "val", "test": "val"}
SPLITS = {"nyud_mt": _TWO_SPLITS, "pascal_mt": _TWO_SPLITS}


def tfds_reader(
    name,
    split,
    task_names,
    label_space=None,
    num_examples=None,
    shuffle_seed=None,
    data_dir=None,
):
    """The records of a TFDS dataset.

    Args:
        name: str, a dataset of `label_spaces.NATIVE_CLASSES`, stored as
            `stored.py` says, or one that emits canonical records; with its
            config or without.
        split: str, TFDS split syntax. Of the former also `"train"`,
            `"validation"` and `"test"`: where a dataset has no more than two
            splits, the last two are the same.
        task_names: Names of the tasks wanted.
        label_space: Optional `LabelSpace`, or name of one, for the former.
        num_examples: Optional int, only the first examples.
        shuffle_seed: Optional int. Shuffles the files, anew in every epoch.
        data_dir: Optional folder of TFDS datasets.

    Returns:
        A `Reader` whose elements know their number.

    Raises:
        ValueError: If the dataset is unknown, not prepared, misses a task or
            is not of the label space.
    """
    dataset_name = name.split("/")[0]
    is_stored = dataset_name in label_spaces.NATIVE_CLASSES
    lookup = None
    if label_space is not None:
        lookup = label_spaces.get(label_space).lookup(dataset_name)
    if is_stored:
        # TFDS knows a builder once it is imported.
        importlib.import_module(f"keras_s4t.data.builders.{dataset_name}")
    builder = _prepared_builder(name, data_dir)
    check_tasks(builder.info.features, task_names)
    if is_stored:
        split = SPLITS.get(dataset_name, {}).get(split, split)
        return _stored_reader(
            builder, split, task_names, lookup, num_examples, shuffle_seed
        )
    return _canonical_reader(builder, split, num_examples)


def _canonical_reader(builder, split, num_examples):
    """The reader of a dataset that emits canonical records."""
    import tensorflow_datasets as tfds

    decoders = {}
    if isinstance(builder.info.features["image"], tfds.features.Image):
        decoders["image"] = tfds.decode.SkipDecoding()
    records = builder.as_dataset(split=split, decoders=decoders)

    def read(record):
        if not decoders:
            return record
        return {**record, "image": decode_tensor(record["image"])}

    return Reader(
        records.take(_count(num_examples)),
        read,
        SHUFFLE_BUFFER,
        _version(builder, split),
    )


def _stored_reader(
    builder, split, task_names, lookup, num_examples, shuffle_seed
):
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = builder.info.features
    wanted = ["image", "id", *task_names]
    wanted += [f"{name}_mask" for name in task_names]
    wanted = [key for key in wanted if key in features]
    # The first examples are those of the first files.
    elements = builder.as_dataset(
        split=split,
        shuffle_files=shuffle_seed is not None and num_examples is None,
        read_config=tfds.ReadConfig(shuffle_seed=shuffle_seed),
        decoders=tfds.decode.PartialDecoding(
            {key: True for key in wanted},
            {key: tfds.decode.SkipDecoding() for key in wanted},
        ),
    )

    def read(element):
        stored = {
            key: features[key].decode_example(element[key])
            for key in wanted
            if key != "image"
        }
        stored["image"] = decode_tensor(element["image"])
        shape = features["image"].shape
        stored["image"] = tf.ensure_shape(stored["image"], shape)
        return canonical_record(stored, lookup)

    return Reader(
        elements.take(_count(num_examples)),
        read,
        SHUFFLE_BUFFER,
        _version(builder, split),
    )


def _version(builder, split):
    return f"{builder.data_path} {builder.info.splits[split].num_examples}"


def _count(num_examples):
    return -1 if num_examples is None else num_examples


def _prepared_builder(name, data_dir):
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        rooms = [f"synth_rooms/{domain}" for domain in DOMAINS]
        raise ValueError(
            f"The dataset must be one of {rooms}, one of "
            f"{list(label_spaces.NATIVE_CLASSES)}, or another TFDS dataset. "
            f"Received: name={name!r}"
        ) from error
    if not builder.is_prepared():
        raise ValueError(
            "A TFDS dataset must be prepared: run `python -m keras_s4t.data "
            "build` or call `download_and_prepare()` of its builder. "
            f"Received: name={name!r}, data_dir={data_dir!r}"
        )
    return builder
