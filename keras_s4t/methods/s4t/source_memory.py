import keras
import numpy as np
from keras import ops

from keras_s4t.layers import Statistics
from keras_s4t.methods.s4t.coverage import class_counts
from keras_s4t.methods.s4t.coverage import most_covering


@keras.saving.register_keras_serializable("keras_s4t")
class SourceMemory(Statistics):
    """A few labeled source images, kept as weights.

    Images and ids of classes take a byte, other labels and masks two bytes per
    number. They are saved with the layer: what is stored of the source goes
    wherever the model goes.

    Args:
        tasks: list of `Task`.
        size: int. Number of images.
        image_size: int or pair of ints, the `(height, width)` of the images.
        num_channels: int. Channels of the images.

    Raises:
        ValueError: If `size` is not positive, or a task has more than 255
            classes.
    """

    def __init__(self, tasks, size, image_size, num_channels=3, **kwargs):
        super().__init__(**kwargs)
        if isinstance(image_size, int):
            image_size = (image_size, image_size)
        if size < 1:
            raise ValueError(
                f"`size` must be at least 1. Received: size={size}"
            )
        classes = {t.name: t.num_outputs for t in tasks if t.label.is_classes}
        if max(classes.values(), default=0) > 255:
            raise ValueError(
                "A task whose labels are remembered must have at most 255 "
                f"classes. Received: {classes}"
            )
        self.tasks = list(tasks)
        self.size = size
        self.image_size = tuple(image_size)
        self.num_channels = num_channels
        shape = (size, *self.image_size)
        self.images = self.add_statistic(
            "images", (*shape, num_channels), "uint8"
        )
        self.labels, self.masks = {}, {}
        for task in tasks:
            dtype = "uint8" if task.label.is_classes else "float16"
            label_shape = (size, *task.label_shape(self.image_size))
            self.labels[task.name] = self.add_statistic(
                f"{task.name}_labels", label_shape, dtype
            )
            self.masks[task.name] = self.add_statistic(
                f"{task.name}_masks", (*shape, 1), "float16"
            )
        self.built = True

    @property
    def num_bytes(self):
        """What the memory takes, in bytes."""
        return sum(
            int(np.prod(v.shape)) * np.dtype(v.dtype).itemsize
            for v in self.weights
        )

    def fill(self, images, labels, masks):
        """Chooses images and keeps them.

        Args:
            images: Array of shape `(num_images, height, width, channels)`,
                values in 0 ... 255.
            labels: dict from task name to labels, of all tasks.
            masks: dict from task name to masks of shape `(num_images, height,
                width, 1)`. Labels without one count where they are known.

        Raises:
            ValueError: If there are too few images, one is of another size, or
                a task has no labels.
        """
        images = np.asarray(images)
        expected = (*self.image_size, self.num_channels)
        if images.shape[1:] != expected or len(images) < self.size:
            raise ValueError(
                f"The source must have at least {self.size} images of shape "
                f"{expected} to remember. Received: images.shape="
                f"{images.shape}"
            )
        names = [task.name for task in self.tasks]
        missing = [name for name in names if name not in labels]
        if missing:
            raise ValueError(
                "The source must have labels of all tasks to remember, "
                f"{names}. Received: none of {missing}"
            )
        labels = {name: np.asarray(labels[name]) for name in names}
        masks = {
            task.name: self._mask(task, labels[task.name], masks)
            for task in self.tasks
        }
        counts = class_counts(self.tasks, labels, masks)
        chosen = most_covering(counts, self.size)
        self.images.assign(np.rint(images[chosen]).astype("uint8"))
        for task in self.tasks:
            mask = masks[task.name][chosen]
            label = labels[task.name][chosen]
            is_known = (mask > 0) if label.ndim == 4 else (mask > 0)[..., 0]
            # What is missing may be NaN, or no class.
            label = np.where(is_known, label, 0)
            dtype = self.labels[task.name].dtype
            self.labels[task.name].assign(label.astype(dtype))
            self.masks[task.name].assign(mask.astype("float16"))

    def _mask(self, task, label, masks):
        known = np.asarray(task.label.is_known(label), "float32")
        given = (masks or {}).get(task.name)
        return known if given is None else known * np.asarray(given)

    def read(self, indices):
        """Some of the images, with labels and masks.

        Args:
            indices: int32 tensor of shape `(num_images,)`.

        Returns:
            Tuple `(images, labels, masks)` of a tensor and two dicts by task
            name; float32, and int32 for ids of classes.
        """

        def take(variable, dtype):
            return ops.cast(ops.take(variable, indices, axis=0), dtype)

        return (
            take(self.images, "float32"),
            {
                t.name: take(self.labels[t.name], t.label.dtype)
                for t in self.tasks
            },
            {t.name: take(self.masks[t.name], "float32") for t in self.tasks},
        )

    def get_config(self):
        return {
            **super().get_config(),
            "tasks": keras.saving.serialize_keras_object(self.tasks),
            "size": self.size,
            "image_size": self.image_size,
            "num_channels": self.num_channels,
        }

    @classmethod
    def from_config(cls, config):
        tasks = keras.saving.deserialize_keras_object(config["tasks"])
        return cls(**{**config, "tasks": tasks})
