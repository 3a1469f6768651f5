"""The TFDS builder, which needs TensorFlow in the process."""

import pathlib
import tempfile

import keras
import numpy as np
import pytest
from generated_archives import nyud
from generated_archives import rooms
from PIL import Image

if keras.backend.backend() != "tensorflow":
    pytest.skip("TFDS reads with TensorFlow", allow_module_level=True)

import tensorflow_datasets as tfds  # noqa: E402

from keras_s4t.data.builders import nyud_mt  # noqa: E402
from keras_s4t.data.builders.nyud_mt.archive import Archive  # noqa: E402
from keras_s4t.data.readers.stored import canonical_record  # noqa: E402


class NyudMtTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = nyud_mt.Builder
    SPLITS = {split: len(names) for split, names in nyud.SPLITS.items()}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.EXAMPLE_DIR = folder.name
        nyud.write(pathlib.Path(folder.name), "v3_png")
        super().setUpClass()


def build(manual_dir, data_dir):
    builder = nyud_mt.Builder(data_dir=data_dir)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=config)
    return builder


# Of JPEG, TensorFlow decodes less exactly than others do.
@pytest.mark.parametrize(
    "version, most_levels, most_degrees",
    [("v1_mat", 12, 2.5), ("v2_npy", 12, 0.5), ("v3_png", 0, 1.0)],
)
def test_labels(version, most_levels, most_degrees, tmp_path):
    if version == "v1_mat":
        pytest.importorskip("scipy.io")
    _, views = nyud.write(tmp_path / "manual", version)
    build(tmp_path / "manual", tmp_path / "data")

    builder = tfds.builder("nyud_mt", data_dir=tmp_path / "data")
    assert builder.info.metadata["archive"] == version
    assert builder.info.metadata["edge_kind"] == "boundary"
    assert "research only" in builder.info.redistribution_info.license
    names = builder.info.features["semseg"].names
    assert len(names) == 40 and names[24] == "television"
    for split, expected in nyud.SPLITS.items():
        dataset = builder.as_dataset(split=split).map(canonical_record)
        records = {r["id"].decode(): r for r in tfds.as_numpy(dataset)}
        assert set(records) == set(expected)
        for name, record in records.items():
            rooms.assert_matches(
                record, views[name], nyud.LOOKUP, most_degrees, most_levels
            )
            edges = views[name].edges[..., None]
            np.testing.assert_array_equal(record["edge"], edges)


def test_a_bad_file_stops_the_build_and_is_named(tmp_path):
    root, _ = nyud.write(tmp_path / "manual", "v3_png")
    path = root / "depth" / "0002.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="depth/0002.npy cannot be read"):
        build(tmp_path / "manual", tmp_path / "data")


def test_the_newest_archive_of_a_folder_is_not_guessed(tmp_path):
    nyud.write(tmp_path, "v3_png")
    nyud.write(tmp_path, "v2_npy")
    with pytest.raises(ValueError, match="Exactly one of.*NYUDv2.*NYUD_MT"):
        Archive(tmp_path)
    assert Archive(tmp_path / "NYUD_MT").version == "v2_npy"


def test_an_unknown_archive(tmp_path):
    root, _ = nyud.write(tmp_path, "v3_png")
    (root / "normals" / "0003.png").unlink()
    with pytest.raises(ValueError, match="'v1_mat'.*'v3_png', without .*"):
        Archive(tmp_path)
    # Only the first image of the training split tells.
    (root / "gt_sets" / "train.txt").write_text("0001\n0003\n")
    archive = Archive(tmp_path)
    with pytest.raises(ValueError, match="normals/0003.png cannot be read"):
        archive.record("0003")


def png(array):
    return lambda path: Image.fromarray(array).save(path)


def npy(array):
    return lambda path: np.save(path, array)


IDS = np.zeros((24, 32), "uint8")


@pytest.mark.parametrize(
    "version, file, write, message",
    [
        ("v3_png", "segmentation/0003.png", png(IDS + 41), "0 ... 40"),
        ("v3_png", "segmentation/0003.png", png(IDS[1:]), r"\(23, 32\)"),
        ("v3_png", "depth/0003.npy", npy(IDS + 66.0), "0 ... 65.535.*66"),
        ("v3_png", "depth/0003.npy", npy(IDS - 0.1), "Received: -0.1"),
        ("v3_png", "normals/0003.png", png(IDS), "mode 'L'"),
        ("v2_npy", "normals/0003.npy", npy(IDS), "of shape.*, 3"),
        ("v2_npy", "edge/0003.npy", npy(IDS + 255), "0 ... 1.*255"),
    ],
)
def test_labels_that_cannot_be(version, file, write, message, tmp_path):
    root, _ = nyud.write(tmp_path, version)
    archive = Archive(tmp_path)
    write(root / file)
    with pytest.raises(ValueError, match=f"{file}.*{message}"):
        archive.record("0003")


def test_an_image_without_any_class(tmp_path):
    root, _ = nyud.write(tmp_path, "v3_png")
    png(IDS)(root / "segmentation" / "0003.png")
    assert (Archive(tmp_path).record("0003")["semseg"] == 255).all()
