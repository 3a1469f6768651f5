import functools
import json

import numpy as np

from keras_s4t.data.archives.decoding import UINT8_SCALE
from keras_s4t.data.archives.decoding import opened
from keras_s4t.data.archives.downloads.download import Download
from keras_s4t.data.archives.downloads.download import check_plain_mask
from keras_s4t.data.archives.downloads.download import median_of_known
from keras_s4t.data.archives.downloads.nyud import focal_length_of
from keras_s4t.data.archives.taskonomy import layout
from keras_s4t.data.archives.taskonomy.decoding import DEPTH_UNITS
from keras_s4t.data.archives.taskonomy.decoding import MISSING_DEPTH
from keras_s4t.data.archives.taskonomy.decoding import read_domain
from keras_s4t.data.label_spaces import TASKONOMY_CLASSES

# In the files, the axes of the camera are right, down and away from it.
TO_CANONICAL = np.array([1, -1, -1])


class TaskonomyDownload(Download):
    """The download of Taskonomy."""

    published = dict.fromkeys(layout.SPLITS)

    def __init__(self, folder, subset="tiny"):
        self.root = folder
        self._views, self._buildings = {}, {}
        for split in self.published:
            buildings = layout.buildings_of_split(folder, split, subset)
            self._buildings[split] = buildings
            found = set()
            for building in buildings:
                complete, partial = layout.find_views(
                    folder, building, layout.DOMAINS
                )
                found |= complete | partial
            ordered = layout.in_order(found)
            self._views[split] = {view.id: view for view in ordered}
        if not any(self._views.values()):
            raise ValueError(
                "The folder must have files such as "
                "`rgb/taskonomy/allensville/point_0_view_0_domain_rgb.png`. "
                f"Received: {folder}"
            )

    def names(self, split):
        names = list(self._views.get(split, ()))
        if not names:
            raise ValueError(
                f"{self.root} must have views of the split, one of "
                f"{list(self.published)}. Received: {split!r}, with none"
            )
        return names

    def shortfall(self, split):
        there = {view.building for view in self._views[split].values()}
        buildings = self._buildings[split]
        absent = [name for name in buildings if name not in there]
        if not absent:
            return ""
        return (
            f"; not there are {len(absent)} of {len(buildings)} buildings, "
            + ", ".join(absent)
        )

    def files(self, name):
        view = self._view(name)
        return {
            domain: view.file(self.root, domain) for domain in layout.DOMAINS
        }

    def image(self, name):
        return self.files(name)["rgb"]

    def readers(self, name):
        return {
            path: functools.partial(_read_label, domain)
            for domain, path in self.files(name).items()
            if domain != "rgb"
        }

    def median_depth(self, name):
        return median_of_known(self._depth(name))

    def _depth(self, name):
        path = self.files(name)["depth_zbuffer"]
        depth = read_domain(path, "depth_zbuffer")[..., 0]
        return np.where(depth < MISSING_DEPTH, depth / DEPTH_UNITS, 0)

    def geometry(self, name, field_of_view=None):
        files = self.files(name)
        depth = self._depth(name)
        codes = read_domain(files["normal"], "normal")
        if field_of_view is None:
            field_of_view = self._field_of_view(name)
        return (
            depth,
            (codes / UINT8_SCALE - 1) * TO_CANONICAL,
            focal_length_of(field_of_view, depth.shape[1]),
        )

    def _field_of_view(self, name):
        view = self._view(name)
        path = layout.point_info(self.root, view)
        if not path.exists():
            raise ValueError(
                "The field of view must be given, or be in a file of "
                f"`point_info`. Received: no file {path}"
            )
        with opened(path) as file:
            return np.degrees(json.load(file)["field_of_view_rads"])

    def _view(self, name):
        return next(v[name] for v in self._views.values() if name in v)


def _read_label(domain, path, size):
    """Reads a label and checks its size and its ids."""
    array = read_domain(path, domain)
    if array.shape[:2] != size:
        raise ValueError(
            f"{path} must be of the size of its image, {size}. "
            f"Received: {array.shape[:2]}"
        )
    if domain == "segment_semantic":
        check_plain_mask(path)
        if array.max() >= len(TASKONOMY_CLASSES):
            raise ValueError(
                f"{path} must hold the ids 0 ... "
                f"{len(TASKONOMY_CLASSES) - 1}. Received: {array.max()}"
            )
