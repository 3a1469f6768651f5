"""Writes an archive of PASCAL-MT, of rendered rooms."""

import numpy as np
from generated_archives import rooms
from PIL import Image

SPLITS = {"train": ["2008_000003", "2008_000001"], "val": ["2008_000002"]}
SIZES = {"3": (24, 32), "1": (32, 24), "2": (24, 32)}
# The others have the segmentation derived from PASCAL-Context alone.
IN_VOC12 = ("2008_000003",)

# Of VOC-21: background for wall, floor, bed and cabinet; diningtable, chair,
# sofa, tvmonitor and pottedplant.
LOOKUP = np.full(256, 255)
LOOKUP[:9] = [0, 0, 11, 9, 18, 0, 0, 20, 16]


def write(folder, top_folder="PASCALContext"):
    """Writes an archive.

    Args:
        folder: Path, `manual_dir`.
        top_folder: str.

    Returns:
        Tuple of the path of the top folder and a dict of `View` by name.
    """
    root = folder / top_folder
    for name in (
        "JPEGImages",
        "ImageSets/Context",
        "pascal-context/trainval",
        "semseg/VOC12",
        "semseg/pascal-context",
        "normals_distill",
    ):
        (root / name).mkdir(parents=True)
    views = {}
    for split, names in SPLITS.items():
        lines = "".join(f"{name}\n" for name in names)
        (root / "ImageSets/Context" / f"{split}.txt").write_text(lines)
        for name in names:
            index = name[-1]
            views[name] = rooms.make_view(int(index), *SIZES[index])
            write_view(root, name, views[name])
    return root, views


# Of PASCAL-Context, wall, floor, table, chair, sofa, bed, cabinet, tvmonitor
# and pottedplant; "wool" where there is no label.
CONTEXT_LOOKUP = np.full(256, 459)
CONTEXT_LOOKUP[:9] = [440, 158, 397, 72, 368, 18, 46, 427, 308]
# The normals of these do not count.
WITHOUT_NORMALS = (308, 459)


def context_map(view):
    """Classes of PASCAL-Context, which label everything: 1 ... 459."""
    return CONTEXT_LOOKUP[view.classes]


def write_view(root, name, view):
    from scipy.io import savemat

    rooms.save_jpeg(
        Image.fromarray(view.image), root / "JPEGImages" / f"{name}.jpg"
    )
    savemat(
        root / "pascal-context" / "trainval" / f"{name}.mat",
        {"LabelMap": context_map(view).astype("uint16")},
    )
    ids = LOOKUP[view.classes].astype("uint8")
    if name in IN_VOC12:
        save_with_palette(ids, root / "semseg/VOC12" / f"{name}.png")
        ids = np.zeros_like(ids)  # not to be used
    Image.fromarray(ids).save(root / "semseg/pascal-context" / f"{name}.png")
    # x to the left, y up, z towards the camera.
    colors = (view.normals * [-1, 1, 1] + 1) * 127.5
    colors = Image.fromarray(np.rint(colors).astype("uint8"))
    colors.save(root / "normals_distill" / f"{name}.png")


def save_with_palette(ids, path):
    """Saves ids as VOC does: painted in unrelated colors."""
    image = Image.fromarray(ids)
    image.putpalette(np.random.default_rng(0).bytes(768))
    assert image.mode == "P"
    image.save(path)
