from keras_s4t.data.archives.downloads.download import Download
from keras_s4t.data.archives.extracted import read_normals
from keras_s4t.data.builders.pascal_mt import labels
from keras_s4t.data.builders.pascal_mt.archive import Archive


class PascalDownload(Download):
    """Either archive of PASCAL-MT, whose masks may have palettes."""

    published = {"train": 4998, "val": 5105}

    def __init__(self, folder):
        self.archive = Archive(folder)

    def names(self, split):
        return self.archive.names(split)

    def files(self, name):
        return self.archive.paths(name)

    def image(self, name):
        return self.files(name)["JPEGImages"]

    def readers(self, name):
        _, semseg, normals, context = self.files(name).values()
        return {
            semseg: labels.read_semseg,
            normals: read_normals,
            context: labels.read_label_map,
        }

    def geometry(self, name, field_of_view=None):
        raise ValueError(
            "PASCAL-MT has no depth to compare its normals with, and its "
            "cameras are unknown. Received: pascal_mt"
        )
