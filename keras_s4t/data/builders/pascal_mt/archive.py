"""The two archives that are known as PASCAL-MT."""

import numpy as np

from keras_s4t.data.archives.decoding import read_image_file
from keras_s4t.data.archives.extracted import find_archive
from keras_s4t.data.archives.extracted import read_lines
from keras_s4t.data.archives.extracted import read_normals
from keras_s4t.data.builders.pascal_mt import labels
from keras_s4t.data.builders.pascal_mt.boundaries import find_boundaries
from keras_s4t.data.builders.pascal_mt.normals_classes import NORMALS_CLASSES
from keras_s4t.data.readers.stored import encode_edge

TOP_FOLDERS = ("PASCALContext", "PASCAL_MT")
SPLIT_FILE = "ImageSets/Context/{}.txt"
# Folders with segmentations: annotations of these classes, and a conversion of
# the classes of PASCAL-Context, which is available for all images.
SEMSEG_SOURCES = ("VOC12", "pascal-context")


class Archive:
    """One of the archives, extracted, in its top folder or the one above."""

    def __init__(self, folder):
        marker = SPLIT_FILE.format("train")
        self.root = find_archive(folder, TOP_FOLDERS, marker)

    def names(self, split):
        """Names of the images of a split, `"train"` or `"val"`."""
        return read_lines(self.root / SPLIT_FILE.format(split))

    def record(self, name):
        """Reads an image and its labels, stored as in `readers/stored.py`."""
        image_path, semseg, normals, context = self.paths(name).values()
        image, size = read_image_file(image_path)
        label_map = labels.read_label_map(context, size)
        has_normals = np.isin(label_map, NORMALS_CLASSES)
        return {
            "image": image,
            **labels.read_semseg(semseg, size),
            "normals": read_normals(normals, size, has_normals),
            **encode_edge(find_boundaries(label_map)),
            "id": name,
        }

    def paths(self, name):
        """Paths of the files of an image, by folder."""
        root = self.root
        ids = [root / "semseg" / s / f"{name}.png" for s in SEMSEG_SOURCES]
        semseg = next((path for path in ids if path.exists()), ids[-1])
        context = root / "pascal-context" / "trainval"
        return {
            "JPEGImages": root / "JPEGImages" / f"{name}.jpg",
            f"semseg/{semseg.parent.name}": semseg,
            "normals_distill": root / "normals_distill" / f"{name}.png",
            "pascal-context": context / f"{name}.mat",
        }
