"""Downloads from which datasets are built."""

from keras_s4t.data.archives.downloads.download import Download
from keras_s4t.data.archives.downloads.nyud import NyudDownload
from keras_s4t.data.archives.downloads.pascal import PascalDownload
from keras_s4t.data.archives.downloads.taskonomy import TaskonomyDownload

#: Classes by the names of the datasets.
DOWNLOADS = {
    "nyud_mt": NyudDownload,
    "pascal_mt": PascalDownload,
    "taskonomy_mt": TaskonomyDownload,
}

__all__ = ["DOWNLOADS", "Download"]
