import abc

from PIL import Image

from keras_s4t.data.archives.decoding import opened
from keras_s4t.data.archives.decoding import read_image_file

# What the names of files end with that Pillow reads.
PICTURES = (".png", ".jpg")


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
        """The names of the images of a split.

        Args:
            split: str, one of `published`.

        Returns:
            list of str, never empty.

        Raises:
            ValueError: If there are none.
        """

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
            Tuple of depth `(height, width)` in meters, 0 where it is missing;
            normals `(height, width, 3)` in the canonical frame, shorter than
            0.5 where they are missing; and the focal length in pixels.

        Raises:
            ValueError: If the dataset has no depth, or nothing says what the
                camera was.
        """

    def shortfall(self, split):
        """What a split lacks that was published, in words.

        Args:
            split: str, one of `published`.

        Returns:
            str, to follow the number of its images; empty if all are there.
        """
        published = self.published[split]
        if published in (None, len(self.names(split))):
            return ""
        return f", of {published} that were published"

    def check(self, name):
        """Reads all files of an image.

        A label beside a damaged image is read, too: its size is told by the
        first file with a header.

        Args:
            name: One of `names`.

        Returns:
            list of strings, one per fault, each naming a file.
        """
        readers = {self.image(name): _read_image, **self.readers(name)}
        sizes = (_size_in_header(path) for path in readers)
        size = next((size for size in sizes if size), None)
        faults = []
        for path, read in readers.items():
            try:
                if not path.exists():
                    raise ValueError(f"{path} is missing.")
                _check_sums(path)
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


def _read_image(path, size):
    del size
    read_image_file(path)


def _size_in_header(path):
    try:
        with opened(path) as file:
            image = Image.open(file)
            return image.height, image.width
    except ValueError:
        return None


def _check_sums(path):
    """Raises a `ValueError` if the bytes of a picture are not those written.

    Pillow decodes some flipped bits of a PNG without a word.
    """
    if path.suffix in PICTURES:
        with opened(path) as file:
            Image.open(file).verify()
