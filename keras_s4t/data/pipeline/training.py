import dataclasses

from keras_s4t.data.pipeline.augmentation import Augmentation


@dataclasses.dataclass(frozen=True)
class Training:
    """How a loader serves examples for training: shuffled and augmented.

    Args:
        seed: int. Seed of the order and of the augmentation.
        augmentation: `Augmentation`.
        num_batches: Optional int. Instead of one pass over the examples, a
            stream of as many batches that goes on from pass to pass, each in
            its own order.
        first_batch: int. The first batch of this stream that is read. The
            batches from there on are those of the whole stream.

    Raises:
        ValueError: If `first_batch` is outside the stream.

    Example:

    ```python
    source = keras_s4t.data.load(
        "nyud_mt",
        "train",
        tasks,
        training=keras_s4t.data.Training(seed=1, num_batches=60_000),
        size=(256, 352),
    )
    ```
    """

    seed: int = 0
    augmentation: Augmentation = Augmentation()
    num_batches: int | None = None
    first_batch: int = 0

    def __post_init__(self):
        if not 0 <= self.first_batch <= (self.num_batches or 0):
            raise ValueError(
                "`first_batch` must be from 0 to `num_batches`. Received: "
                f"first_batch={self.first_batch}, "
                f"num_batches={self.num_batches}"
            )


def get_training(training):
    """The `Training` that a loader was asked for, or `None`."""
    if isinstance(training, Training):
        return training
    if not isinstance(training, bool):
        raise ValueError(
            "`training` must be a bool or a `Training`. "
            f"Received: training={training!r}"
        )
    return Training() if training else None
