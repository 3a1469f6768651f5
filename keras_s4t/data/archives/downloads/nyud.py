import numpy as np

from keras_s4t.data.archives.decoding import read_image_file
from keras_s4t.data.archives.downloads.download import Download
from keras_s4t.data.archives.downloads.download import check_plain_mask
from keras_s4t.data.archives.downloads.download import median_of_known
from keras_s4t.data.archives.extracted import read_normals
from keras_s4t.data.archives.extracted import read_vectors_of
from keras_s4t.data.builders.nyud_mt import labels
from keras_s4t.data.builders.nyud_mt.archive import Archive
from keras_s4t.data.readers.stored import MILLIMETERS

# In pixels, from the authors' calibration of the color camera. The archives
# have crops of its images at the same resolution.
FOCAL_LENGTH = 518.857901


class NyudDownload(Download):
    """Any of the three archives of NYUD-MT."""

    published = {"train": 795, "val": 654}

    def __init__(self, folder):
        self.archive = Archive(folder)

    def names(self, split):
        return self.archive.names(split)

    def files(self, name):
        return self.archive.paths(name)

    def image(self, name):
        return self.files(name)["images"]

    def readers(self, name):
        paths = self.files(name)
        return {
            paths["segmentation"]: _read_mask,
            paths["depth"]: labels.read_depth,
            paths["normals"]: read_normals,
            paths["edge"]: labels.read_edge,
        }

    def median_depth(self, name):
        paths = self.files(name)
        _, size = read_image_file(paths["images"])
        depth = labels.read_depth(paths["depth"], size) / MILLIMETERS
        return median_of_known(depth)

    def geometry(self, name, field_of_view=None):
        paths = self.files(name)
        _, size = read_image_file(paths["images"])
        depth = labels.read_depth(paths["depth"], size)[..., 0] / MILLIMETERS
        normals = read_vectors_of(paths["normals"], size)
        focal_length = FOCAL_LENGTH
        if field_of_view is not None:
            focal_length = focal_length_of(field_of_view, size[1])
        return depth, normals, focal_length


def focal_length_of(field_of_view, width):
    """The focal length in pixels of a horizontal field of view in degrees."""
    return width / 2 / np.tan(np.radians(field_of_view) / 2)


def _read_mask(path, size):
    if path.suffix == ".png":
        check_plain_mask(path)
    labels.read_semseg(path, size)
