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


def tfds_reader(request):
    """The `Reader` of a TFDS dataset, whose elements know their number.

    The datasets of `label_spaces.NATIVE_CLASSES` are stored as `stored.py`
    says. Others must emit canonical records.
    """
    lookup = None
    if request.label_space is not None:
        space = label_spaces.get(request.label_space)
        lookup = space.lookup(request.dataset)
    is_stored = request.dataset in label_spaces.NATIVE_CLASSES
    if is_stored:
        # TFDS knows a builder once it is imported.
        importlib.import_module(f"keras_s4t.data.builders.{request.dataset}")
    builder = _prepared_builder(request.name, request.data_dir)
    check_tasks(builder.info.features, request.task_names)
    if is_stored:
        return _stored_reader(builder, request, lookup)
    return _canonical_reader(builder, request)


def _canonical_reader(builder, request):
    """The reader of a dataset that emits canonical records."""
    import tensorflow_datasets as tfds

    decoders = {}
    if isinstance(builder.info.features["image"], tfds.features.Image):
        decoders["image"] = tfds.decode.SkipDecoding()
    records = builder.as_dataset(split=request.split, decoders=decoders)

    def read(record):
        if not decoders:
            return record
        return {**record, "image": decode_tensor(record["image"])}

    return Reader(
        records.take(_count(request)),
        read,
        SHUFFLE_BUFFER,
        _version(builder, request.split),
    )


def _stored_reader(builder, request, lookup):
    import tensorflow as tf
    import tensorflow_datasets as tfds

    split = SPLITS.get(request.dataset, {}).get(request.split, request.split)
    seed = request.shuffle_seed
    features = builder.info.features
    wanted = ["image", "id", *request.task_names]
    wanted += [f"{name}_mask" for name in request.task_names]
    wanted = [key for key in wanted if key in features]
    # The first examples are those of the first files.
    elements = builder.as_dataset(
        split=split,
        shuffle_files=seed is not None and request.num_examples is None,
        read_config=tfds.ReadConfig(shuffle_seed=seed),
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
        elements.take(_count(request)),
        read,
        SHUFFLE_BUFFER,
        _version(builder, split),
    )


def _version(builder, split):
    return f"{builder.data_path} {builder.info.splits[split].num_examples}"


def _count(request):
    return -1 if request.num_examples is None else request.num_examples


def _prepared_builder(name, data_dir):
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        rooms = [f"synth_rooms/{name}" for name in (*DOMAINS, "walk")]
        raise ValueError(
            f"The dataset must be one of {rooms}, one of "
            f"{list(label_spaces.NATIVE_CLASSES)}, or another TFDS dataset. "
            f"Received: name={name!r}"
        ) from error
    if not builder.is_prepared():
        way = (
            "call `download_and_prepare()` of its builder; it must emit "
            "canonical records, see `keras_s4t/data/records.py`"
        )
        if builder.name in label_spaces.NATIVE_CLASSES:
            way = f"run `python -m keras_s4t.data build {builder.name}`"
        raise ValueError(
            f"A TFDS dataset must be prepared: {way}. "
            f"Received: name={name!r}, data_dir={data_dir!r}"
        )
    return builder
