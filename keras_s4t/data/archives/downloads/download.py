import abc

import numpy as np
from PIL import Image

from keras_s4t.data.archives.decoding import opened
from keras_s4t.data.archives.decoding import read_image_file

# Suffixes of the files that Pillow reads.
PICTURES = (".png", ".jpg")


class Download(abc.ABC):
    """Base class of the files that a builder reads, and their checks.

    Args:
        folder: Path-like object with the methods of `pathlib.Path`.

    Attributes:
        published: dict from split to the number of its images in the published
            dataset, `None` if it depends on the subset.

    Raises:
        ValueError: If the folder does not contain the dataset.
    """

    published = {}

    @abc.abstractmethod
    def names(self, split):
        """Names of the images of a split, one of `published`.

        Raises:
            ValueError: If there are none.
        """

    @abc.abstractmethod
    def files(self, name):
        """Files of an image, a dict from folder name to path."""

    @abc.abstractmethod
    def readers(self, name):
        """Functions that read the labels of an image, a dict by path.

        They take the path and the size of the image, a pair `(height, width)`.
        They raise a `ValueError` with the name of the file if it is damaged or
        inconsistent. The path of the image is not included.
        """

    @abc.abstractmethod
    def image(self, name):
        """Path of an image."""

    @abc.abstractmethod
    def geometry(self, name, field_of_view=None):
        """Depth and normals of an image and the focal length of its camera.

        Args:
            name: One of `names`.
            field_of_view: Optional float, horizontal, in degrees.

        Returns:
            Tuple of depth `(height, width)` in meters, 0 where it is missing;
            normals `(height, width, 3)` in the canonical frame, shorter than
            0.5 where they are missing; and the focal length in pixels.

        Raises:
            ValueError: If the dataset has no depth, or if the camera is
                unknown.
        """

    def median_depth(self, name):
        """The median depth of an image, which tells a wrong unit.

        Args:
            name: One of `names`.

        Returns:
            float, in meters; `None` if there is no depth.
        """
        return None

    def shortfall(self, split):
        """Describes the published images that a split lacks.

        Returns:
            str, a suffix for the number of its images. Empty if none is
            missing.
        """
        published = self.published[split]
        if published in (None, len(self.names(split))):
            return ""
        return f", of {published} that were published"

    def check(self, name):
        """Reads all files of an image and lists the faults, as strings.

        Labels of damaged images are read too, with the size in the first
        readable header.
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


def median_of_known(depth):
    """The median of the depths above 0, in meters; `None` without any."""
    known = depth[depth > 0]
    return float(np.median(known)) if known.size else None


def check_plain_mask(path):
    """Raises a `ValueError` if a mask has a palette.

    Software that saves palettes may renumber the ids, and most decoders replace
    them by colors.
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
    """Raises a `ValueError` if a checksum of a picture does not match.

    Pillow decodes PNG files with some flipped bits without an error.
    """
    if path.suffix in PICTURES:
        with opened(path) as file:
            Image.open(file).verify()
