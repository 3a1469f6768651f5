"""Files like those of the real datasets, of rendered rooms."""

import numpy as np
from PIL import Image


def write_taskonomy(folder, rooms):
    """Files of one building, 512x512, as Taskonomy has them."""
    for index, room in enumerate(rooms):
        image, depth, normals, edge, ids = _enlarged(room, (512, 512))
        arrays = {
            ("rgb", "rgb"): image,
            ("depth_zbuffer",) * 2: (512 * depth).astype("uint16"),
            ("normal",) * 2: _colors(normals * [1, -1, -1]),
            ("edge_occlusion",) * 2: (409.6 * edge).astype("uint16"),
            ("segment_semantic", "segmentsemantic"): ids % 17 + 1,
        }
        for (domain, suffix), array in arrays.items():
            for building in ("allensville", "collierville", "ihlen"):
                path = folder / domain / "taskonomy" / building
                path.mkdir(parents=True, exist_ok=True)
                name = f"point_{index}_view_0_domain_{suffix}.png"
                Image.fromarray(array).save(path / name)


def write_nyud(folder, rooms):
    """The archive of 425x560 in PNG and NumPy files."""
    root = folder / "NYUDv2"
    for name in "images segmentation depth normals edge gt_sets".split():
        (root / name).mkdir(parents=True, exist_ok=True)
    names = [f"{index:04d}" for index in range(len(rooms))]
    for split in ("train", "val"):
        (root / "gt_sets" / f"{split}.txt").write_text("\n".join(names))
    for name, room in zip(names, rooms, strict=True):
        image, depth, normals, edge, ids = _enlarged(room, (425, 560))
        np.save(root / "depth" / f"{name}.npy", depth)
        for part, array in (
            ("images", image),
            ("segmentation", ids + 1),
            ("normals", _colors(normals * [-1, 1, 1])),
            ("edge", (255 * (edge > 0.5)).astype("uint8")),
        ):
            Image.fromarray(array).save(root / part / f"{name}.png")


def _enlarged(room, size):
    """A small room at another size, and noise as a camera has it."""
    rows, columns = (
        np.arange(n) * side // n
        for n, side in zip(size, room["image"].shape[:2], strict=True)
    )
    arrays = [
        room[key][rows][:, columns]
        for key in ("image", "depth", "normals", "edge", "semseg")
    ]
    image, depth, normals, edge, ids = arrays
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    image = np.clip(image + noise, 0, 255).astype("uint8")
    ids = np.where(ids == 255, 0, ids).astype("uint8")
    return image, depth[..., 0].astype("float32"), normals, edge[..., 0], ids


def _colors(vectors):
    return np.rint((vectors + 1) * 127.5).astype("uint8")
