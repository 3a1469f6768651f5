"""Folders and splits of the download of Taskonomy."""

import csv
import dataclasses
import hashlib
import re

#: Names of the domains in file names, by folder.
DOMAINS = {
    "rgb": "rgb",
    "depth_zbuffer": "depth_zbuffer",
    "normal": "normal",
    "edge_occlusion": "edge_occlusion",
    "segment_semantic": "segmentsemantic",
}
#: Names of the splits in the published tables, by split.
SPLITS = {"train": "train", "validation": "val", "test": "test"}
SUBSETS = ("tiny", "medium", "full", "fullplus")

# The published split of the subset "tiny", for downloads without its table.
TINY_BUILDINGS = {
    "train": "allensville beechwood benevolence coffeen cosmos forkland hanson "
    "hiteman klickitat lakeville leonardo lindenwood marstons merom "
    "mifflinburg newfields onaga pinesdale pomaria ranchester shelbyville "
    "stockman tolstoy wainscott woodbine",
    "validation": "collierville corozal darden markleeville wiconisco",
    "test": "ihlen mcdade muleshoe noxapater uvalda",
}


@dataclasses.dataclass(frozen=True)
class View:
    """One view of a point in a building.

    Attributes:
        building: str, such as `"allensville"`.
        name: str, such as `"point_202_view_5"`.
    """

    building: str
    name: str

    @property
    def id(self):
        """Id of the view, such as `"allensville/point_202_view_5"`."""
        return f"{self.building}/{self.name}"

    def file(self, root, domain):
        """Path of the file of a domain, a key of `DOMAINS`."""
        name = f"{self.name}_domain_{DOMAINS[domain]}.png"
        return _folder(root, domain, self.building) / name


def buildings_of_split(root, split, subset):
    """Lists the buildings of a split.

    They are read from the published table, which is optional for the subset
    `"tiny"`.

    Raises:
        ValueError: If the split or subset is unknown, or if the table is
            missing or lacks columns.
    """
    if split not in SPLITS or subset not in SUBSETS:
        raise ValueError(
            f"`split` must be one of {list(SPLITS)} and `subset` one of "
            f"{list(SUBSETS)}. Received: split={split!r}, subset={subset!r}"
        )
    path = root / "splits_taskonomy" / f"train_val_test_{subset}.csv"
    if path.exists():
        # Lines end in carriage returns without line feeds.
        lines = path.read_text().splitlines()
        rows = list(csv.DictReader(lines, skipinitialspace=True))
        if not rows or not {"id", SPLITS[split]} <= rows[0].keys():
            raise ValueError(
                "The table of splits must have the columns id, train, val and "
                f"test. Received: {path}"
            )
        return sorted(row["id"] for row in rows if row[SPLITS[split]] == "1")
    if subset != "tiny":
        raise ValueError(
            f"The subset '{subset}' needs its table of splits. "
            f"Received: no file {path}"
        )
    return TINY_BUILDINGS[split].split()


def point_info(root, view):
    """Path of the file with the camera parameters of a `View`."""
    name = f"{view.name}_domain_point_info.json"
    return _folder(root, "point_info", view.building) / name


def find_views(root, building, domains):
    """Joins the files of a building by point and view.

    Returns:
        Tuple of two sets of `View`: those with a file for every domain, and
        those that lack a file. Both are empty if the building is missing.
    """
    found = [
        _views_in(_folder(root, domain, building), building, domain)
        for domain in domains
    ]
    complete = set.intersection(*found)
    return complete, set.union(*found) - complete


def in_order(views):
    """Sorts views by a hash of their id.

    The views of a point and the points of a building are consecutive in the
    files. In the order of the hash, every part of the list is a random sample.
    """
    return sorted(
        views, key=lambda view: hashlib.sha256(view.id.encode()).digest()
    )


def _folder(root, domain, building):
    return root / domain / "taskonomy" / building


def _views_in(folder, building, domain):
    if not folder.exists():
        return set()
    pattern = re.compile(rf"(point_\d+_view_\d+)_domain_{DOMAINS[domain]}\.png")
    matches = (pattern.fullmatch(path.name) for path in folder.iterdir())
    return {View(building, match[1]) for match in matches if match}
