import dataclasses

from keras_s4t.data.pipeline.batching import Batching
from keras_s4t.data.pipeline.canvas import get_canvas
from keras_s4t.data.pipeline.decoded_cache import cached_examples
from keras_s4t.data.pipeline.devices import keep_tensorflow_off_gpus
from keras_s4t.data.pipeline.training import get_training
from keras_s4t.data.readers.by_name import Request
from keras_s4t.data.readers.by_name import check_classes
from keras_s4t.data.readers.by_name import get_reader
from keras_s4t.data.records import example_from_record
from keras_s4t.tasks import get_labels
from keras_s4t.version import __version__

# Decoded examples take megabytes each.
DECODED_SHUFFLE_BUFFER = 256


def load(
    name,
    split,
    tasks,
    batch_size=8,
    training=False,
    size=None,
    num_examples=None,
    label_space=None,
    data_dir=None,
    cache_dir=None,
    workers=1,
):
    """Loads a dataset as batches for `fit` and `evaluate`.

    Elements are shuffled and skipped before they are read. Random numbers
    depend on the seed, on that of `keras.utils.set_random_seed`, if any, and on
    the position of an example in the stream alone, so that two runs see
    identical batches, however many threads read them.

    Args:
        name: `"synth_rooms/<domain>"` or `"synth_rooms/walk"`, rendered here;
            if prepared in `data_dir`, `"taskonomy_mt"`, `"nyud_mt"` or
            `"pascal_mt"`, with a config as in `"taskonomy_mt/tiny_512"` or
            without, or another TFDS dataset, which emits canonical records
            (`records.py`); or `"taskonomy_folder"`, the download of Taskonomy
            in `data_dir`, read without a copy of it, at 256 pixels or those of
            `"taskonomy_folder/512"`.
        split: `"train"`, `"validation"` or `"test"`; TFDS split syntax for
            TFDS datasets. The last two are the same split of NYUD and PASCAL.
        tasks: list of `Task`, or of task names.
        batch_size: int.
        training: bool or `Training`. Whether to shuffle, augment and drop the
            last, smaller batch. `True` flips images and nothing else.
        size: int, pair `(height, width)`, in pixels, or `Canvas`. Rendered
            images have this side, 64 by default. Others are scaled, with their
            aspect ratio, to the largest size that fits, and padded; by default
            they are left alone and must have one size.
        num_examples: Optional int, only the first examples.
        label_space: Optional `LabelSpace`, or name of one, such as
            `"taskonomy_nyud"`: classes that two real datasets share. Their own
            classes if `None`.
        data_dir: Optional folder of TFDS datasets, or of Taskonomy.
        cache_dir: Optional folder in which rendered images are kept, and
            decoded and scaled ones of other datasets; see `cached_examples`
            for when that pays.
        workers: int. Rendering processes; more than one needs a `__main__`
            guard in the calling script.

    Returns:
        A `tf.data.Dataset` of `(images, labels, masks)`: images float32 RGB
        in 0 ... 255 of shape `(batch_size, height, width, 3)`, labels and
        masks dicts by task name. It knows its size.

    Raises:
        ValueError: If the dataset, split or label space is unknown, an
            argument is out of its range, or the dataset is not prepared,
            misses a task, has more classes or is not of that space.
    """
    kinds, canvas = get_labels(tasks), get_canvas(size)
    training = get_training(training)
    request = Request(
        name=name,
        split=split,
        task_names=tuple(kinds),
        size=canvas.size,
        num_examples=num_examples,
        # A cache of decoded examples has one order.
        shuffle_seed=training.seed if training and cache_dir is None else None,
        label_space=label_space,
        data_dir=data_dir,
        cache_dir=cache_dir,
        workers=workers,
    )
    batching = Batching(kinds, batch_size, training, canvas)
    keep_tensorflow_off_gpus()
    check_classes(request, tasks)
    reader = get_reader(request)
    if reader.is_rendered:
        canvas = dataclasses.replace(canvas, size=None)
        batching = dataclasses.replace(batching, canvas=canvas)

    def read(*element):
        example = example_from_record(reader.read(*element), kinds)
        return canvas.fit(example, kinds)

    if cache_dir is None or reader.is_rendered:
        return batching.batches(reader.elements, read, reader.shuffle_buffer)
    examples = cached_examples(
        reader.elements.map(read, num_parallel_calls=-1),
        cache_dir,
        name,
        [
            *(__version__, reader.version, split, list(kinds), num_examples),
            *(canvas.size, canvas.resize, str(label_space)),
        ],
    )
    return batching.batches(
        examples, lambda *example: example, DECODED_SHUFFLE_BUFFER
    )
