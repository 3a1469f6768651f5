"""From what a loader reads to batches, in an order that a seed decides."""

import dataclasses

from keras_s4t.data.pipeline.augmentation import Augmentation
from keras_s4t.data.pipeline.augmentation import augment
from keras_s4t.data.pipeline.image_scaling import IMAGE_SCALINGS
from keras_s4t.data.pipeline.resizing import pad_example
from keras_s4t.data.records import check_tasks
from keras_s4t.data.records import example_from_record

SHUFFLE_BUFFER = 2048


@dataclasses.dataclass(frozen=True)
class Batching:
    """How examples become batches.

    Args:
        batch_size: int.
        training: bool. Whether to shuffle, augment and drop the last, smaller
            batch.
        seed: int. Seed of the order and of the augmentation.
        augmentation: `Augmentation` for training; flips alone if `None`.
        canvas: Pair of ints, `(height, width)` that examples are cropped or
            padded to; `None` leaves them as they are.
        image_scaling: Key of `IMAGE_SCALINGS`.
        num_batches: Optional int. Instead of one pass, as many batches, from
            pass to pass, each in its own order.
        first_batch: int. The first of them that is read.

    Raises:
        ValueError: If an argument is out of its range, or needs another one.
    """

    batch_size: int = 8
    training: bool = False
    seed: int = 0
    augmentation: Augmentation | None = None
    canvas: tuple | None = None
    image_scaling: str | None = None
    num_batches: int | None = None
    first_batch: int = 0

    def __post_init__(self):
        if self.batch_size < 1:
            raise ValueError(
                "`batch_size` must be at least 1. "
                f"Received: batch_size={self.batch_size}"
            )
        if self.image_scaling not in IMAGE_SCALINGS:
            raise ValueError(
                f"`image_scaling` must be one of {list(IMAGE_SCALINGS)}. "
                f"Received: image_scaling={self.image_scaling!r}"
            )
        training_only = dict(
            augmentation=self.augmentation is not None,
            num_batches=self.num_batches is not None,
        )
        if not self.training and any(training_only.values()):
            raise ValueError(
                f"{list(training_only)} are for training alone. Received: "
                f"training=False, augmentation={self.augmentation}, "
                f"num_batches={self.num_batches}"
            )
        most = self.num_batches or 0
        if not 0 <= self.first_batch <= most:
            raise ValueError(
                "`first_batch` must be from 0 to `num_batches`. Received: "
                f"first_batch={self.first_batch}, "
                f"num_batches={self.num_batches}"
            )

    def batches(self, elements, read, shuffle_buffer):
        """Batches of examples.

        What is skipped is not read, and what is shuffled not read yet.

        Args:
            elements: A `tf.data.Dataset`.
            read: Function from an element to an example.
            shuffle_buffer: int. Elements in memory from which the next one is
                drawn in training.

        Returns:
            A `tf.data.Dataset` of `(images, labels, masks)`.
        """
        import tensorflow as tf

        options = tf.data.Options()
        options.deterministic = True
        if self.training:
            elements = self._seeded(elements, shuffle_buffer)
        else:
            # One argument whatever its structure, as it is beside a seed.
            elements = tf.data.Dataset.zip((elements,))

        def prepare(element, seed=None):
            # A tuple is several arguments, as it is for `Dataset.map`.
            parts = element if isinstance(element, tuple) else (element,)
            return self._finished(read(*parts), seed)

        return (
            elements.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
            .batch(self.batch_size, drop_remainder=self.training)
            .prefetch(tf.data.AUTOTUNE)
            .with_options(options)
        )

    def _seeded(self, elements, shuffle_buffer):
        """Shuffled elements, each with the seed of its augmentation."""
        import tensorflow as tf

        elements = elements.shuffle(shuffle_buffer, seed=self.seed)
        if self.num_batches is not None:
            elements = elements.repeat()
        seeds = tf.data.Dataset.random(
            seed=self.seed, rerandomize_each_iteration=True
        ).batch(2)
        pairs = tf.data.Dataset.zip((elements, seeds))
        if self.num_batches is not None:
            count = self.num_batches - self.first_batch
            pairs = pairs.skip(self.first_batch * self.batch_size)
            pairs = pairs.take(count * self.batch_size)
        return pairs

    def _finished(self, example, seed):
        if seed is not None:
            augmentation = self.augmentation or Augmentation()
            example = augment(example, seed, augmentation, self.canvas)
        image, labels, masks = example
        example = (IMAGE_SCALINGS[self.image_scaling](image), labels, masks)
        if self.canvas is not None:
            example = pad_example(example, self.canvas)
        return example


def batches(
    records,
    tasks,
    batch_size=8,
    training=False,
    seed=0,
    shuffle_buffer=SHUFFLE_BUFFER,
    **options,
):
    """Batches of a dataset of canonical records.

    Args:
        records: A `tf.data.Dataset` of records (`records.py`).
        tasks: list of `Task`, or of task names.
        batch_size: int.
        training: bool. Whether to shuffle, augment and drop the last, smaller
            batch.
        seed: int. Seed of the order and the augmentation.
        shuffle_buffer: int. Records in memory from which the next one is
            drawn in training; 1 for records that come shuffled.
        **options: `augmentation`, `num_batches` and `first_batch`, as `load`
            takes them.

    Returns:
        A `tf.data.Dataset` of `(images, labels, masks)`.

    Raises:
        ValueError: If the records miss a task, or an argument is out of its
            range.
    """
    names = names_of(tasks)
    check_tasks(records.element_spec, names)
    batching = Batching(batch_size, training, seed, **options)
    return batching.batches(
        records,
        lambda record: example_from_record(record, names),
        shuffle_buffer,
    )


def names_of(tasks):
    """The names of tasks, or of names."""
    return [getattr(task, "name", task) for task in tasks]
