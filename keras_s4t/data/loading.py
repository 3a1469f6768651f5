from keras_s4t.data.label_spaces import NATIVE_CLASSES
from keras_s4t.data.pipeline.batching import Batching
from keras_s4t.data.pipeline.batching import names_of
from keras_s4t.data.pipeline.decoded_cache import cached_examples
from keras_s4t.data.pipeline.devices import keep_tensorflow_off_gpus
from keras_s4t.data.pipeline.resizing import fit_example
from keras_s4t.data.readers.by_name import SYNTH_ROOMS
from keras_s4t.data.readers.by_name import TASKONOMY_FOLDER
from keras_s4t.data.readers.by_name import reader_by_name
from keras_s4t.version import __version__

RESIZES = ("fit", "none")
# Decoded examples take megabytes each.
DECODED_SHUFFLE_BUFFER = 256


def load(
    name,
    split,
    tasks,
    batch_size=8,
    training=False,
    num_examples=None,
    seed=0,
    size=None,
    resize="fit",
    augmentation=None,
    image_scaling=None,
    num_batches=None,
    first_batch=0,
    cache_dir=None,
    workers=1,
    data_dir=None,
    label_space=None,
):
    """Loads a dataset as batches for `fit` and `evaluate`.

    Elements are shuffled and skipped before they are read. Random numbers
    depend on the seed, on that of `keras.utils.set_random_seed`, if any, and on
    the position of an example in the stream alone, so that two runs see
    identical batches, however many threads read them.

    Args:
        name: `"synth_rooms/<domain>"`, rendered here; if prepared in
            `data_dir`, `"taskonomy_mt"`, `"nyud_mt"` or `"pascal_mt"`, with a
            config as in `"taskonomy_mt/tiny_512"` or without, or another TFDS
            dataset, which emits canonical records (`records.py`); or
            `"taskonomy_folder"`, the download of Taskonomy in `data_dir`, read
            without a copy of it, at 256 pixels or those of
            `"taskonomy_folder/512"`.
        split: `"train"`, `"validation"` or `"test"`; TFDS split syntax for
            TFDS datasets. The last two are the same split of NYUD and PASCAL.
        tasks: list of `Task`, or of task names.
        batch_size: int.
        training: bool. Whether to shuffle, augment and drop the last, smaller
            batch.
        num_examples: Optional int, only the first examples.
        seed: int. Seed of the order and the augmentation.
        size: int or pair `(height, width)`, in pixels. Rendered images have
            this side, 64 by default. Others are brought to a canvas of this
            size; by default they are left alone and must have one size.
        resize: How others than rendered images are brought to `size`: `"fit"`
            scales them, with their aspect ratio, to the largest size that
            fits; `"none"` expects none to be larger. The rest of the canvas is
            padding at the bottom and at the right, where masks are 0: losses
            and metrics never see it, and predictions are cropped to the size
            that the image had.
        augmentation: `Augmentation` for training; flips alone by default.
        image_scaling: `None`, or `"taskonomy_release"` for images that the
            network should see in [-1, 1]; see `image_scaling.py`.
        num_batches: Optional int, for training. Instead of one pass, a stream
            of as many batches that goes on from pass to pass.
        first_batch: int. Where in this stream to begin: the batches from there
            on are those of the whole stream.
        cache_dir: Optional folder in which rendered images are kept, and
            decoded and fitted ones of other datasets; see `cached_examples`
            for when that pays.
        workers: int. Rendering processes; more than one needs a `__main__`
            guard in the calling script.
        data_dir: Optional folder of TFDS datasets, or of Taskonomy.
        label_space: Optional `LabelSpace`, or name of one, such as
            `"taskonomy_nyud"`: classes that two real datasets share. Their own
            classes if `None`.

    Returns:
        A `tf.data.Dataset` of `(images, labels, masks)`: images float32 RGB
        in 0 ... 255 of shape `(batch_size, height, width, 3)`, labels and
        masks dicts by task name. It knows its size.

    Raises:
        ValueError: If the dataset, split or label space is unknown, an
            argument is out of its range, or the dataset is not prepared,
            misses a task or is not of that space.
    """
    rooms = name.startswith(SYNTH_ROOMS)
    names = names_of(tasks)
    _check_options(name, size, resize, label_space)
    canvas = None if rooms or size is None else _pair(size)
    batching = Batching(
        batch_size,
        training,
        seed,
        augmentation,
        canvas,
        image_scaling,
        num_batches,
        first_batch,
    )
    keep_tensorflow_off_gpus()
    reader = reader_by_name(
        name,
        split,
        names,
        size=size,
        num_examples=num_examples,
        # A cache of decoded examples has one order.
        shuffle_seed=seed if training and cache_dir is None else None,
        cache_dir=cache_dir,
        workers=workers,
        data_dir=data_dir,
        label_space=label_space,
    )

    def read(*element):
        example = reader.example(names, *element)
        if canvas is not None and resize == "fit":
            example = fit_example(example, canvas)
        return example

    if rooms or cache_dir is None:
        return batching.batches(reader.elements, read, reader.shuffle_buffer)
    examples = cached_examples(
        reader.elements.map(read, num_parallel_calls=-1),
        cache_dir,
        name,
        [
            *(__version__, reader.version, split, names, num_examples),
            *(canvas, resize, str(label_space)),
        ],
    )
    return batching.batches(
        examples, lambda *example: example, DECODED_SHUFFLE_BUFFER
    )


def _check_options(name, size, resize, label_space):
    with_space = [*NATIVE_CLASSES, TASKONOMY_FOLDER]
    if label_space is not None and name.split("/")[0] not in with_space:
        raise ValueError(
            f"`label_space` is for the datasets {with_space}. "
            f"Received: label_space={label_space!r}, name={name!r}"
        )
    if resize not in RESIZES:
        raise ValueError(
            f"`resize` must be one of {RESIZES}. Received: resize={resize!r}"
        )
    if size is not None and min(_pair(size)) < 1:
        raise ValueError(
            "`size` must be a positive int, or a pair of them for datasets "
            f"that are not rendered. Received: size={size!r}"
        )


def _pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)
