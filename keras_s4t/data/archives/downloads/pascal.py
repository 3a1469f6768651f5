from keras_s4t.data.archives.downloads.download import Download
from keras_s4t.data.archives.extracted import find_archive
from keras_s4t.data.archives.extracted import read_lines
from keras_s4t.data.archives.extracted import read_normals
from keras_s4t.data.builders.pascal_mt import labels

TOP_FOLDERS = ("PASCALContext", "PASCAL_MT")
SPLIT_FILE = "ImageSets/Context/{}.txt"


class PascalDownload(Download):
    """Either archive of PASCAL-MT, whose masks may have palettes."""

    published = {"train": 4998, "val": 5105}

    def __init__(self, folder):
        marker = SPLIT_FILE.format("train")
        self.root = find_archive(folder, TOP_FOLDERS, marker)

    def names(self, split):
        return read_lines(self.root / SPLIT_FILE.format(split))

    def files(self, name):
        semseg = labels.semseg_path(self.root, name)
        return {
            "JPEGImages": self.image(name),
            f"semseg/{semseg.parent.name}": semseg,
            "normals_distill": self.root / "normals_distill" / f"{name}.png",
            "pascal-context": self.root
            / "pascal-context"
            / "trainval"
            / f"{name}.mat",
        }

    def image(self, name):
        return self.root / "JPEGImages" / f"{name}.jpg"

    def readers(self, name):
        files = self.files(name)
        return {
            labels.semseg_path(self.root, name): labels.read_semseg,
            files["normals_distill"]: read_normals,
            files["pascal-context"]: labels.read_label_map,
        }

    def geometry(self, name, field_of_view=None):
        raise ValueError(
            "PASCAL-MT has no depth to compare its normals with, and its "
            "cameras are unknown. Received: pascal_mt"
        )
