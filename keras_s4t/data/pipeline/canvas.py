import dataclasses

from keras_s4t.data.pipeline.image_scaling import IMAGE_SCALINGS
from keras_s4t.data.pipeline.resizing import fit_example
from keras_s4t.data.pipeline.resizing import pad_example

RESIZES = ("fit", "none")


@dataclasses.dataclass(frozen=True)
class Canvas:
    """The size that examples are brought to, and how.

    The rest of the canvas is padding at the bottom and at the right, where
    masks are 0: losses and metrics never see it, and predictions are cropped
    to the size that the image had.

    Args:
        size: int or pair `(height, width)`, in pixels. `None` leaves the
            examples as they are; they must have one size then.
        resize: `"fit"` scales examples, with their aspect ratio, to the
            largest size that fits; `"none"` expects none to be larger.
        image_scaling: `None`, or `"taskonomy_release"` for images that the
            network should see in [-1, 1]; see `image_scaling.py`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    size: int | tuple | None = None
    resize: str = "fit"
    image_scaling: str | None = None

    def __post_init__(self):
        size = self.size
        if size is not None:
            size = (size, size) if isinstance(size, int) else tuple(size)
            object.__setattr__(self, "size", size)
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise ValueError(
                "`size` must be a positive int or a pair of them. "
                f"Received: size={size}"
            )
        if self.resize not in RESIZES:
            raise ValueError(
                f"`resize` must be one of {RESIZES}. "
                f"Received: resize={self.resize!r}"
            )
        if self.image_scaling not in IMAGE_SCALINGS:
            raise ValueError(
                f"`image_scaling` must be one of {list(IMAGE_SCALINGS)}. "
                f"Received: image_scaling={self.image_scaling!r}"
            )

    def fit(self, example, kinds):
        """Scales an example to the canvas, where that is asked for."""
        if self.size is None or self.resize == "none":
            return example
        return fit_example(example, kinds, self.size)

    def finish(self, example, kinds):
        """Scales the values of the image, and pads to the canvas."""
        image, labels, masks = example
        example = (IMAGE_SCALINGS[self.image_scaling](image), labels, masks)
        if self.size is None:
            return example
        return pad_example(example, kinds, self.size)


def get_canvas(size):
    """The `Canvas` that a loader was asked for, by its size or as it is."""
    return size if isinstance(size, Canvas) else Canvas(size)
