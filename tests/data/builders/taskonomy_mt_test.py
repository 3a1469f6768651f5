"""The TFDS builder, which needs TensorFlow in the process."""

import functools
import pathlib
import tempfile

import keras
import numpy as np
import pytest
from generated_archives import taskonomy

if keras.backend.backend() != "tensorflow":
    pytest.skip("TFDS reads with TensorFlow", allow_module_level=True)

import tensorflow_datasets as tfds  # noqa: E402

from keras_s4t.data import TaskonomyFolder  # noqa: E402
from keras_s4t.data import label_spaces  # noqa: E402
from keras_s4t.data.archives.taskonomy.decoding import Units  # noqa: E402
from keras_s4t.data.builders import taskonomy_mt  # noqa: E402
from keras_s4t.data.builders.taskonomy_mt import (  # noqa: E402
    taskonomy_mt_dataset_builder as builder_module,
)
from keras_s4t.data.pipeline.resizing import fit_example  # noqa: E402
from keras_s4t.data.readers.stored import canonical_record  # noqa: E402
from keras_s4t.data.records import example_from_record  # noqa: E402
from keras_s4t.tasks import LABELS  # noqa: E402

pytestmark = pytest.mark.eager

# Records of the size of the files.
DEBUG = "debug"
# Smaller ones, of all buildings, with another scale of edges.
SMALL = builder_module.TaskonomyConfig(
    name="small", description="Small.", size=16, edge_scale=1000.0
)


def write(root):
    taskonomy.write_table(root, taskonomy.split_of_buildings())
    return taskonomy.write(root)


class TaskonomyMtTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = taskonomy_mt.Builder
    # The first building of training, and all there is of the others.
    SPLITS = {"train": 2, "validation": 1, "test": 1}
    BUILDER_CONFIG_NAMES_TO_TEST = [DEBUG]

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.EXAMPLE_DIR = folder.name
        write(pathlib.Path(folder.name))
        super().setUpClass()


def build(config, tmp_path):
    """Builds from `tmp_path / "manual"`, and opens what was built."""
    options = dict(config=config, data_dir=tmp_path / "data")
    taskonomy_mt.Builder(**options).download_and_prepare(
        download_config=tfds.download.DownloadConfig(
            manual_dir=tmp_path / "manual"
        )
    )
    return taskonomy_mt.Builder(**options)


def by_id(dataset):
    return {r["id"].decode(): r for r in tfds.as_numpy(dataset)}


def assert_same(received, expected):
    assert set(received) == set(expected)
    for key, value in expected.items():
        if key != "id":
            assert received[key].dtype == value.dtype
            np.testing.assert_array_equal(received[key], value)


def test_configs():
    configs = taskonomy_mt.Builder.builder_configs
    facts = {n: (c.subset, c.size, c.edge_scale) for n, c in configs.items()}
    assert facts == {
        "tiny_256": ("tiny", 256, 409.6),
        "tiny_512": ("tiny", 512, 409.6),
        "debug": ("tiny", 64, 409.6),
    }


def test_what_is_known_of_the_dataset(tmp_path):
    info = taskonomy_mt.Builder(config="tiny_512", data_dir=tmp_path).info
    assert info.full_name == "taskonomy_mt/tiny_512/1.1.0"
    assert info.metadata == {
        "edge_kind": "occlusion",
        "edge_scale": 409.6,
        "depth_units": 512.0,
    }
    assert "no redistribution" in info.description
    assert "not to be redistributed" in info.redistribution_info.license
    assert "Taskonomy" in info.citation and "Omnidata" in info.citation
    assert info.features["semseg"].names[:2] == ["uncertain", "background"]
    assert info.features["edge"].shape == (512, 512, 1)


@pytest.mark.parametrize("config", [DEBUG, SMALL])
def test_prepared_records_are_those_of_the_folder(config, tmp_path):
    write(tmp_path / "manual")
    builder = build(config, tmp_path)
    config = builder.builder_config
    total = 0
    for split in taskonomy.VIEWS:
        folder = TaskonomyFolder(
            tmp_path / "manual",
            split,
            size=config.size,
            units=Units(edge=config.edge_scale),
            num_buildings=config.num_buildings,
        )
        stored = builder.as_dataset(split=split)
        found = by_id(stored)
        assert sorted(found) == sorted(folder.ids)
        for i, view in enumerate(folder.ids):
            assert_same(found[view], folder[i])

        lookup = label_spaces.get("taskonomy_nyud").lookup("taskonomy_mt")
        read = functools.partial(canonical_record, label_lookup=lookup)
        found = by_id(stored.map(read))
        for view, record in by_id(folder.records("taskonomy_nyud")).items():
            assert_same(found[view], record)
            total += 1
    assert total == (4 if config.name == DEBUG else 5)


def test_labels(tmp_path):
    """The whole way, from the renderer to the canonical record."""
    labels = write(tmp_path / "manual")
    builder = build(DEBUG, tmp_path)
    dataset = builder.as_dataset(split="train+validation+test")
    records = by_id(dataset.map(canonical_record))
    assert len(records) == 4
    for view, record in records.items():
        expected = labels[view]
        known = expected.known
        np.testing.assert_array_equal(record["image"], expected.image)
        np.testing.assert_array_equal(
            record["semseg"], np.where(expected.ids, expected.ids, 255)
        )
        for task in ("depth", "normals", "edge"):
            np.testing.assert_array_equal(record[f"{task}_mask"], known)
        depth = expected.depth * known
        np.testing.assert_allclose(record["depth"], depth, atol=0.0015)
        cosines = (record["normals"] * expected.normals).sum(-1)
        assert cosines[known[..., 0]].min() > np.cos(np.radians(1.0))
        edge = np.minimum(expected.edge, 1) * known
        np.testing.assert_allclose(record["edge"], edge, atol=0.002)


def test_what_is_left_out_is_counted(tmp_path):
    root = tmp_path / "manual"
    write(root)
    first, second, third = taskonomy.VIEWS["train"]
    taskonomy.file(root, first, "segment_semantic").unlink()
    path = taskonomy.file(root, second, "normal")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.warns(UserWarning) as warned:
        builder = build(SMALL, tmp_path)
    messages = [str(w.message) for w in warned if w.category is UserWarning]
    assert len(messages) == 2
    assert "2 views. Left out are 1 incomplete views" in messages[0]
    assert "1 of 2 views are left out" in messages[1]
    assert path.name in messages[1]

    assert list(by_id(builder.as_dataset(split="train"))) == [third]
    left_out = builder.info.metadata["left_out_train"]
    assert left_out["incomplete_views"] == [first]
    assert list(left_out["unreadable_views"]) == [second]
    assert left_out["absent_buildings"] == []
    nothing = {"absent_buildings": [], "incomplete_views": []}
    assert builder.info.metadata["left_out_test"] == {
        **nothing,
        "unreadable_views": {},
    }


def test_a_split_without_views_stops_the_build(tmp_path):
    write(tmp_path / "manual")
    path = taskonomy.file(
        tmp_path / "manual", taskonomy.VIEWS["validation"][0], "rgb"
    )
    path.unlink()
    with pytest.raises(ValueError, match="views of the split 'validation'"):
        build(DEBUG, tmp_path)


def test_small_records_are_what_the_loader_makes_of_large_ones(tmp_path):
    """As `tiny_256`, and `tiny_512` with `size=256`."""
    taskonomy.write(tmp_path / "files")
    taskonomy.write_table(tmp_path / "files", taskonomy.split_of_buildings())
    download = tfds.download.DownloadConfig(manual_dir=tmp_path / "files")
    found = []
    for size in (16, 64):
        config = builder_module.TaskonomyConfig(
            name=f"side_{size}", description="A side.", size=size
        )
        builder = taskonomy_mt.Builder(config=config, data_dir=tmp_path)
        builder.download_and_prepare(download_config=download)
        records = builder.as_dataset(split="train")
        dataset = tfds.as_numpy(records)
        order = sorted(dataset, key=lambda record: record["id"])
        found.append(order)
    kinds = LABELS
    for small, large in zip(*found, strict=True):
        examples = [
            example_from_record(canonical_record(record), kinds)
            for record in (small, large)
        ]
        image, labels, masks = examples[0]
        other, other_labels, other_masks = fit_example(
            examples[1], kinds, (16, 16)
        )
        assert np.abs(image - other).max() <= 0.51
        for name in kinds:
            np.testing.assert_array_equal(masks[name], other_masks[name])
            known = masks[name].numpy()[..., 0] > 0
            atol = 2e-5 if name == "edge" else 0
            np.testing.assert_allclose(
                labels[name].numpy()[known],
                other_labels[name].numpy()[known],
                atol=atol,
            )
