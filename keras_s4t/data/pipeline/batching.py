"""Batches of examples."""

import dataclasses
from collections.abc import Mapping

from keras_s4t.data.pipeline.augmentation import augment
from keras_s4t.data.pipeline.canvas import Canvas
from keras_s4t.data.pipeline.training import Training
from keras_s4t.data.pipeline.training import get_training
from keras_s4t.data.records import check_tasks
from keras_s4t.data.records import example_from_record
from keras_s4t.tasks import get_labels

SHUFFLE_BUFFER = 2048


@dataclasses.dataclass(frozen=True)
class Batching:
    """How examples become batches: shuffled and augmented in training."""

    kinds: Mapping
    batch_size: int = 8
    training: Training | None = None
    canvas: Canvas = Canvas()

    def __post_init__(self):
        if self.batch_size < 1:
            raise ValueError(
                "`batch_size` must be at least 1. "
                f"Received: batch_size={self.batch_size}"
            )

    def batches(self, elements, read, shuffle_buffer):
        """Batches of the examples that `read` makes of elements.

        Elements are shuffled and skipped before they are read.
        """
        import tensorflow as tf

        options = tf.data.Options()
        options.deterministic = True
        if self.training is not None:
            self._check_number(int(elements.cardinality()))
            elements = self._seeded(elements, shuffle_buffer)
        else:
            # As a single argument, whatever its structure.
            elements = tf.data.Dataset.zip((elements,))

        def prepare(element, seed=None):
            # `Dataset.map` passes a tuple as several arguments.
            parts = element if isinstance(element, tuple) else (element,)
            example = read(*parts)
            if seed is not None:
                augmentation = self.training.augmentation
                size = self.canvas.size
                example = augment(example, self.kinds, seed, augmentation, size)
            return self.canvas.finish(example, self.kinds)

        return (
            elements.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
            .batch(self.batch_size, drop_remainder=self.training is not None)
            .prefetch(tf.data.AUTOTUNE)
            .with_options(options)
        )

    def _check_number(self, count):
        """Raises an error if training would have no whole batch."""
        is_repeated = self.training.num_batches is not None
        if 0 <= count < self.batch_size and not is_repeated:
            raise ValueError(
                "There must be at least one batch; training drops the last, "
                f"smaller one. Received: batch_size={self.batch_size} and "
                f"{count} examples"
            )

    def _seeded(self, elements, shuffle_buffer):
        """Shuffled elements, each with the seed of its augmentation."""
        import tensorflow as tf

        training = self.training
        elements = elements.shuffle(shuffle_buffer, seed=training.seed)
        if training.num_batches is not None:
            elements = elements.repeat()
        seeds = tf.data.Dataset.random(
            seed=training.seed, rerandomize_each_iteration=True
        ).batch(2)
        pairs = tf.data.Dataset.zip((elements, seeds))
        if training.num_batches is not None:
            count = training.num_batches - training.first_batch
            pairs = pairs.skip(training.first_batch * self.batch_size)
            pairs = pairs.take(count * self.batch_size)
        return pairs


def batches(
    records, tasks, batch_size=8, training=False, shuffle_buffer=SHUFFLE_BUFFER
):
    """Batches of a dataset of canonical records.

    Args:
        records: A `tf.data.Dataset` of records (`records.py`).
        tasks: list of `Task`, or of task names.
        batch_size: int.
        training: bool or `Training`. Whether to shuffle, augment and drop the
            last, smaller batch.
        shuffle_buffer: int. Records in memory from which the next one is
            drawn in training; 1 for records that come shuffled.

    Returns:
        A `tf.data.Dataset` of `(images, labels, masks)`.

    Raises:
        ValueError: If the records miss a task, or an argument is out of its
            range.
    """
    kinds = get_labels(tasks)
    check_tasks(records.element_spec, kinds)
    batching = Batching(kinds, batch_size, get_training(training))
    return batching.batches(
        records,
        lambda record: example_from_record(record, kinds),
        shuffle_buffer,
    )
