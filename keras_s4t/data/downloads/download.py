import abc

from PIL import Image

from keras_s4t.data.decoding import opened
from keras_s4t.data.decoding import read_image_file


class Download(abc.ABC):
    """The files that a builder reads, and what can be wrong with them.

    Args:
        folder: Path-like object with the methods of `pathlib.Path`.

    Attributes:
        published: dict from a split to the number of its images in the
            published dataset, `None` if there are several.

    Raises:
        ValueError: If the files of this dataset are not there.
    """

    published = {}

    @abc.abstractmethod
    def names(self, split):
        """The names of the images of a split, one of `published`."""

    @abc.abstractmethod
    def files(self, name):
        """The files of an image: dict from a folder's name to a path."""

    @abc.abstractmethod
    def readers(self, name):
        """How each label is read: dict from its path to a function.

        The function takes the path and the size of the image, a pair
        `(height, width)`, and raises a `ValueError` that names the file if it
        is not as it should be. The image's own path is not among them.
        """

    @abc.abstractmethod
    def image(self, name):
        """The path of an image."""

    @abc.abstractmethod
    def geometry(self, name, field_of_view=None):
        """Depth and normals of an image, and the camera.

        Args:
            name: One of `names`.
            field_of_view: Optional float, horizontal, in degrees.

        Returns:
            Tuple of depth `(height, width)` in metres, 0 where it is missing;
            normals `(height, width, 3)` in the canonical frame, 0 where they
            are missing; and the focal length in pixels.

        Raises:
            ValueError: If the dataset has no depth, or nothing says what the
                camera was.
        """

    def check(self, name):
        """Reads all files of an image.

        Args:
            name: One of `names`.

        Returns:
            list of strings, one per fault, each naming a file.
        """
        faults, size = [], None
        try:
            _, size = read_image_file(_present(self.image(name)))
        except ValueError as error:
            faults.append(str(error))
        for path, read in self.readers(name).items():
            try:
                _present(path)
                # Nothing tells the size of a label whose image is damaged.
                if size is not None:
                    read(path, size)
            except ValueError as error:
                faults.append(str(error))
        return faults


def check_plain_mask(path):
    """Raises a `ValueError` if a mask has a palette.

    The ids in it may be right, but they may also have been numbered anew by
    whatever saved it, and most decoders would paint them.
    """
    with opened(path) as file:
        if Image.open(file).mode != "P":
            return
    raise ValueError(
        f"{path} must be a mask without a palette, as it was published. "
        "Received: a mask of the mode 'P'"
    )


def _present(path):
    if not path.exists():
        raise ValueError(f"{path} is missing.")
    return path
