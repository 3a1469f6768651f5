"""Writes the three archives that circulate as NYUD-MT, of rendered rooms."""

import numpy as np
from generated_archives import rooms
from PIL import Image

TOP_FOLDERS = {"v1_mat": "NYUD_MT", "v2_npy": "NYUD_MT", "v3_png": "NYUDv2"}
SPLITS = {"train": ["0003", "0001"], "val": ["0002"]}

# Zero-based NYU-40: wall, floor, table, chair, sofa, bed, cabinet, television,
# and "otherprop" for the plant.
LOOKUP = np.full(256, 255)
LOOKUP[:9] = [0, 1, 6, 4, 5, 3, 2, 24, 39]


def write(folder, version):
    """Writes an archive.

    Args:
        folder: Path, `manual_dir`.
        version: str, `"v1_mat"`, `"v2_npy"` or `"v3_png"`.

    Returns:
        Tuple of the path of the top folder and a dict of `View` by name.
    """
    root = folder / TOP_FOLDERS[version]
    for name in ("gt_sets", "images", "segmentation", "depth"):
        (root / name).mkdir(parents=True)
    for name in ("normals", "edge"):
        (root / name).mkdir()
    views = {}
    for split, names in SPLITS.items():
        lines = "".join(f"{name}\n" for name in names)
        (root / "gt_sets" / f"{split}.txt").write_text(lines)
        for name in names:
            views[name] = rooms.make_view(int(name))
            WRITERS[version](root, name, views[name])
    return root, views


def ids_on_disk(view):
    """0 is unlabeled, the classes count from 1."""
    ids = LOOKUP[view.classes]
    return np.where(ids == 255, 0, ids + 1).astype("uint8")


def vectors_on_disk(view):
    """X to the left, y up, z towards the camera; 0 is missing."""
    return view.normals * [-1, 1, 1]


def colors_on_disk(view):
    """Vectors as colors; (128, 128, 128) is missing."""
    return np.rint((vectors_on_disk(view) + 1) * 127.5).astype("uint8")


def write_v1(root, name, view):
    from scipy.io import savemat

    rooms.save_jpeg(
        Image.fromarray(view.image), root / "images" / f"{name}.jpg"
    )
    savemat(
        root / "segmentation" / f"{name}.mat",
        {"segmentation": ids_on_disk(view).astype("float64")},
    )
    savemat(root / "depth" / f"{name}.mat", {"depth": view.depth[..., 0]})
    rooms.save_jpeg(
        Image.fromarray(colors_on_disk(view)), root / "normals" / f"{name}.jpg"
    )
    Image.fromarray(view.edges).save(root / "edge" / f"{name}.png")


def write_v2(root, name, view):
    rooms.save_jpeg(
        Image.fromarray(view.image), root / "images" / f"{name}.jpg"
    )
    save_png(ids_on_disk(view), root / "segmentation" / f"{name}.png")
    np.save(root / "depth" / f"{name}.npy", view.depth.astype("float32"))
    normals = vectors_on_disk(view).astype("float32")
    np.save(root / "normals" / f"{name}.npy", normals)
    edge = view.edges[..., None].astype("float32")
    np.save(root / "edge" / f"{name}.npy", edge)


def write_v3(root, name, view):
    save_png(view.image, root / "images" / f"{name}.png")
    save_png(ids_on_disk(view), root / "segmentation" / f"{name}.png")
    depth = view.depth[..., 0].astype("float32")
    np.save(root / "depth" / f"{name}.npy", depth)
    save_png(colors_on_disk(view), root / "normals" / f"{name}.png")
    edge = (view.edges * 255).astype("uint8")
    save_png(edge, root / "edge" / f"{name}.png")


def save_png(array, path):
    Image.fromarray(array).save(path)


WRITERS = {"v1_mat": write_v1, "v2_npy": write_v2, "v3_png": write_v3}
