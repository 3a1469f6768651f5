"""The three archives that are known as NYUD-MT."""

from keras_s4t.data.archives.decoding import read_image_file
from keras_s4t.data.archives.extracted import find_archive
from keras_s4t.data.archives.extracted import read_lines
from keras_s4t.data.archives.extracted import read_normals
from keras_s4t.data.builders.nyud_mt import labels

TOP_FOLDERS = ("NYUDv2", "NYUD_MT")
SPLIT_FILE = "gt_sets/{}.txt"

# Suffixes of the files in each folder, by version. The newest is first.
SUFFIXES = {
    "v3_png": {
        "images": ".png",
        "segmentation": ".png",
        "depth": ".npy",
        "normals": ".png",
        "edge": ".png",
    },
    "v2_npy": {
        "images": ".jpg",
        "segmentation": ".png",
        "depth": ".npy",
        "normals": ".npy",
        "edge": ".npy",
    },
    "v1_mat": {
        "images": ".jpg",
        "segmentation": ".mat",
        "depth": ".mat",
        "normals": ".jpg",
        "edge": ".png",
    },
}


class Archive:
    """One of the archives, extracted.

    Args:
        folder: Path of the top folder of the archive, or of its parent folder.

    Attributes:
        version: str, a key of `SUFFIXES`. It is determined from the files of
            the first image of the training split.

    Raises:
        ValueError: If there is no archive, or if a file is missing.
    """

    def __init__(self, folder):
        marker = SPLIT_FILE.format("train")
        self.root = find_archive(folder, TOP_FOLDERS, marker)
        self.version = self._find_version(self.names("train")[0])

    def names(self, split):
        """Names of the images of a split, `"train"` or `"val"`."""
        return read_lines(self.root / SPLIT_FILE.format(split))

    def record(self, name):
        """Reads an image and its labels, stored as in `readers/stored.py`."""
        paths = self.paths(name)
        image, size = read_image_file(paths["images"])
        return {
            "image": image,
            "semseg": labels.read_semseg(paths["segmentation"], size),
            "depth": labels.read_depth(paths["depth"], size),
            "normals": read_normals(paths["normals"], size),
            **labels.read_edge(paths["edge"], size),
            "id": name,
        }

    def paths(self, name, version=None):
        """Paths of the files of an image, a dict by folder."""
        return {
            folder: self.root / folder / f"{name}{suffix}"
            for folder, suffix in SUFFIXES[version or self.version].items()
        }

    def _find_version(self, name):
        missing = {}
        for version in SUFFIXES:
            paths = self.paths(name, version).values()
            missing[version] = [str(p) for p in paths if not p.exists()]
            if not missing[version]:
                return version
        closest = min(missing, key=lambda version: len(missing[version]))
        raise ValueError(
            f"{self.root} must have all files of one of the archives "
            f"{list(SUFFIXES)}. Received: for the first image, {name!r}, the "
            f"closest is {closest!r}, without {missing[closest]}"
        )
