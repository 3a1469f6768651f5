"""The TFDS builder, which needs TensorFlow in the process."""

import dataclasses
import pathlib
import tempfile

import keras
import numpy as np
import pytest
from generated_archives import pascal
from generated_archives import rooms
from PIL import Image

if keras.backend.backend() != "tensorflow":
    pytest.skip("TFDS reads with TensorFlow", allow_module_level=True)
ndimage = pytest.importorskip("scipy.ndimage")
morphology = pytest.importorskip("skimage.morphology")

import tensorflow_datasets as tfds  # noqa: E402

from keras_s4t.data.builders import pascal_mt  # noqa: E402
from keras_s4t.data.builders.pascal_mt import boundaries  # noqa: E402
from keras_s4t.data.builders.pascal_mt.normals_classes import NORMALS_CLASSES  # noqa: E402
from keras_s4t.data.readers.stored import canonical_record  # noqa: E402


class PascalMtTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = pascal_mt.Builder
    SPLITS = {split: len(names) for split, names in pascal.SPLITS.items()}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.EXAMPLE_DIR = folder.name
        pascal.write(pathlib.Path(folder.name))
        super().setUpClass()


def build(manual_dir, data_dir):
    builder = pascal_mt.Builder(data_dir=data_dir)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=config)
    return builder


def laplacian(label_map):
    """Four neighbors minus four times the middle; the border is mirrored."""
    padded = np.pad(label_map.astype(int), 1, mode="reflect")
    neighbors = (
        padded[:-2, 1:-1]
        + padded[2:, 1:-1]
        + padded[1:-1, :-2]
        + padded[1:-1, 2:]
    )
    return neighbors - 4 * padded[1:-1, 1:-1]


def assert_is_thinned(edges, label_map):
    """Thin lines along the boundaries that keep what they enclose."""
    band = laplacian(label_map) != 0
    assert not edges[~band].any()
    # Every pixel of the band is near its line, of which the ends are lost.
    square = np.ones((3, 3), bool)
    near = ndimage.binary_dilation(edges, square, iterations=3)
    assert near[band].all()
    assert ndimage.label(edges, square)[1] == ndimage.label(band, square)[1]
    # There is no square of edges, as a band two pixels wide is full of.
    rows = edges[1:] & edges[:-1]
    assert not (rows[:, 1:] & rows[:, :-1]).any()


def with_counting_normals(view):
    """The view without the normals of classes that NYU does not know."""
    context = pascal.context_map(view)
    counts = ~np.isin(context, pascal.WITHOUT_NORMALS)[..., None]
    return dataclasses.replace(view, normals=view.normals * counts)


def test_classes_whose_normals_count():
    assert len(set(NORMALS_CLASSES)) == len(NORMALS_CLASSES) == 170
    names = {"wall": 440, "tvmonitor": 427, "table": 397, "person": 284}
    others = {"unknown": 431, "pottedplant": 308, "sky": 360, "horse": 207}
    assert set(names.values()) <= set(NORMALS_CLASSES)
    assert not set(others.values()) & set(NORMALS_CLASSES)


@pytest.mark.parametrize("top_folder", ["PASCALContext", "PASCAL_MT"])
def test_labels(top_folder, tmp_path):
    _, views = pascal.write(tmp_path / "manual", top_folder)
    build(tmp_path / "manual", tmp_path / "data")

    builder = tfds.builder("pascal_mt", data_dir=tmp_path / "data")
    assert builder.info.metadata["edge_kind"] == "boundary"
    assert "research only" in builder.info.redistribution_info.license
    names = builder.info.features["semseg"].names
    assert len(names) == 21 and names[20] == "tvmonitor"
    assert "depth" not in builder.info.features
    for split, expected in pascal.SPLITS.items():
        dataset = builder.as_dataset(split=split)
        sources = {
            r["id"].decode(): r["semseg_source"].decode()
            for r in tfds.as_numpy(dataset)
        }
        assert sources == {
            name: "VOC12" if name in pascal.IN_VOC12 else "pascal-context"
            for name in expected
        }
        for record in tfds.as_numpy(dataset.map(canonical_record)):
            view = with_counting_normals(views[record["id"].decode()])
            assert record["image"].shape == (*view.classes.shape, 3)
            rooms.assert_matches(record, view, pascal.LOOKUP, 1.0, 12)
            assert set(np.unique(record["edge"])) == {0, 1}
            edges = record["edge"][..., 0] == 1
            assert_is_thinned(edges, pascal.context_map(view))


def test_boundaries_of_straight_regions():
    label_map = np.full((8, 10), 3, "uint16")
    assert not boundaries.find_boundaries(label_map).any()
    label_map[:, 5:] = 459
    # Of both sides of the boundary, one is left, without one end.
    expected = np.zeros((8, 10), bool)
    expected[1:, 4] = True
    edges = boundaries.find_boundaries(label_map)
    np.testing.assert_array_equal(edges, expected)


def test_boundaries_are_those_of_the_laplacian():
    # Where labels balance there is none, which depends on the border's rule.
    label_map = np.random.default_rng(0).integers(1, 4, (40, 40))
    expected = morphology.thin(laplacian(label_map) != 0)
    assert 0.2 < expected.mean() < 0.8
    edges = boundaries.find_boundaries(label_map)
    np.testing.assert_array_equal(edges, expected)


def test_boundaries_of_a_frame_end_at_the_border():
    label_map = np.full((9, 9), 7, "uint16")
    label_map[2:7, 2:7] = 8
    edges = boundaries.find_boundaries(label_map)
    assert_is_thinned(edges, label_map)
    # One closed line: inside and outside stay apart.
    assert ndimage.label(~edges)[1] == 2


def png(array):
    return lambda path: Image.fromarray(array).save(path)


def mat(**arrays):
    from scipy.io import savemat

    return lambda path: savemat(path, arrays)


CONTEXT = "pascal-context/trainval/{}.mat"
MAP = np.ones((24, 32), "uint16")
IDS = np.zeros((24, 32), "uint8")


@pytest.mark.parametrize(
    "file, write, message",
    [
        ("JPEGImages/{}.jpg", pathlib.Path.unlink, "cannot be read"),
        ("normals_distill/{}.png", pathlib.Path.unlink, "cannot be read"),
        ("normals_distill/{}.png", png(IDS), "mode 'L'"),
        ("semseg/VOC12/{}.png", png(IDS + 21), "0 ... 20 or 255.*21"),
        ("semseg/VOC12/{}.png", png(IDS[1:]), r"\(23, 32\)"),
        ("semseg/pascal-context/{}.png", None, "cannot be read"),
        (
            "pascal-context/trainval/{}.mat",
            mat(LabelMap=MAP * 460),
            "0 ... 459",
        ),
        ("pascal-context/trainval/{}.mat", mat(Labels=MAP), "LabelMap"),
    ],
)
def test_bad_files_stop_the_build_and_are_named(file, write, message, tmp_path):
    root, _ = pascal.write(tmp_path / "manual")
    file = file.format("2008_000003")
    if write is None:  # neither of the two segmentations
        (root / "semseg/VOC12/2008_000003.png").unlink()
        write = pathlib.Path.unlink
    write(root / file)
    with pytest.raises(ValueError, match=f"{file}.*{message}"):
        build(tmp_path / "manual", tmp_path / "data")
