"""Where the download of Taskonomy keeps what: its folders and its splits."""

import csv
import dataclasses
import hashlib
import re

#: Folders of the domains, and what their files are called after.
DOMAINS = {
    "rgb": "rgb",
    "depth_zbuffer": "depth_zbuffer",
    "normal": "normal",
    "edge_occlusion": "edge_occlusion",
    "segment_semantic": "segmentsemantic",
}
#: Splits by the names that the published tables give them.
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
        """The name, such as `"allensville/point_202_view_5"`."""
        return f"{self.building}/{self.name}"

    def file(self, root, domain):
        """The path of the file of a domain, a key of `DOMAINS`."""
        name = f"{self.name}_domain_{DOMAINS[domain]}.png"
        return _folder(root, domain, self.building) / name


def buildings_of_split(root, split, subset):
    """The names of the buildings of a split.

    They are read from the published table, which may be missing for the
    subset `"tiny"`.

    Args:
        root: Path-like object with the methods of `pathlib.Path`.
        split: str, `"train"`, `"validation"` or `"test"`.
        subset: str, `"tiny"`, `"medium"`, `"full"` or `"fullplus"`.

    Returns:
        Sorted list of str.

    Raises:
        ValueError: If the split or subset is unknown, or the table is missing
            or another one.
    """
    if split not in SPLITS or subset not in SUBSETS:
        raise ValueError(
            f"`split` must be one of {list(SPLITS)} and `subset` one of "
            f"{list(SUBSETS)}. Received: split={split!r}, subset={subset!r}"
        )
    path = root / "splits_taskonomy" / f"train_val_test_{subset}.csv"
    if path.exists():
        # Its lines end in carriage returns alone.
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
    """The path of what is known about the camera of a `View`."""
    name = f"{view.name}_domain_point_info.json"
    return _folder(root, "point_info", view.building) / name


def find_views(root, building, domains):
    """Joins the files of a building by their point and view.

    Args:
        root: Path-like object with the methods of `pathlib.Path`.
        building: str.
        domains: Keys of `DOMAINS`.

    Returns:
        Tuple of two sets of `View`: those with a file for every domain, and
        those that lack one. Both are empty if there is no such building.
    """
    found = [
        _views_in(_folder(root, domain, building), building, domain)
        for domain in domains
    ]
    complete = set.intersection(*found)
    return complete, set.union(*found) - complete


def in_order(views):
    """Sorts views by a hash of their id.

    Files list the views of a point, and the points of a building, one after
    the other. This way, any part of the list has some of all.

    Args:
        views: Iterable of `View`.

    Returns:
        List of `View`.
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
