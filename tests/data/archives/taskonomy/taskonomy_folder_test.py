import warnings

import numpy as np
import pytest
from generated_archives import taskonomy

import keras_s4t
from keras_s4t.data import TaskonomyFolder
from keras_s4t.data import label_spaces
from keras_s4t.data.archives.taskonomy.decoding import UnreadableViewError

TASKS = ["semseg", "depth", "normals", "edge"]


@pytest.fixture
def root(tmp_path):
    taskonomy.write(tmp_path)
    taskonomy.write_table(tmp_path, taskonomy.split_of_buildings())
    return tmp_path


def make_folder(root, split="train", size=32, **kwargs):
    """A folder of which nothing is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return TaskonomyFolder(root, split, size=size, **kwargs)


@pytest.mark.parametrize("split", list(taskonomy.VIEWS))
def test_views_of_a_split(root, split):
    folder = make_folder(root, split)
    assert sorted(folder.ids) == taskonomy.VIEWS[split]
    assert len(folder) == len(taskonomy.VIEWS[split])
    assert not folder.absent and not folder.incomplete
    assert not folder.unreadable()


def test_labels_belong_to_their_view(root):
    labels = taskonomy.write(root)
    folder = make_folder(root, size=taskonomy.SIZE)
    for i, view in enumerate(folder.ids):
        record = folder[i]
        assert record["id"] == view
        expected = labels[view]
        np.testing.assert_array_equal(record["image"], expected.image)
        np.testing.assert_array_equal(
            record["semseg"][..., 0], np.where(expected.ids, expected.ids, 255)
        )
        depth = expected.depth * expected.known
        np.testing.assert_allclose(record["depth"] / 1000, depth, atol=0.0015)


def test_what_is_left_out_is_reported(root):
    first, second, third = taskonomy.VIEWS["train"]
    taskonomy.file(root, second, "normal").unlink()
    # A file too many moves nothing else.
    source = taskonomy.file(root, first, "rgb")
    taskonomy.file(root, "beechwood/point_0_view_0", "rgb").write_bytes(
        source.read_bytes()
    )
    (source.parent / "notes.txt").write_text("not a view")
    splits = {**taskonomy.split_of_buildings(), "woodbine": "train"}
    taskonomy.write_table(root, splits)
    message = "2 views. Left out are 2 incomplete .*1 buildings .*'woodbine'"
    with pytest.warns(UserWarning, match=message):
        folder = TaskonomyFolder(root, "train", size=32)
    assert sorted(folder.ids) == [first, third]
    assert folder.incomplete == [second, "beechwood/point_0_view_0"]
    assert folder.absent == ["woodbine"]
    # Files that no task needs may be missing.
    with pytest.warns(UserWarning, match="3 views. Left out are 1 incomplete"):
        TaskonomyFolder(root, "train", ["depth"], size=32)


def test_damaged_files(root):
    first, second, third = taskonomy.VIEWS["train"]
    path = taskonomy.file(root, second, "depth_zbuffer")
    path.write_bytes(path.read_bytes()[:100])
    folder = make_folder(root)
    with pytest.raises(UnreadableViewError, match=path.name):
        folder[folder.ids.index(second)]
    unreadable = folder.unreadable()
    assert list(unreadable) == [second]
    assert path.name in unreadable[second]
    assert sorted(make_folder(root, skip=unreadable).ids) == [first, third]
    # The image and the other labels are all right.
    assert not make_folder(root, tasks=["semseg", "normals"]).unreadable()

    from tensorflow.errors import InvalidArgumentError

    with pytest.raises(InvalidArgumentError, match=path.name):
        list(folder.records())


def test_nothing_there(tmp_path, root):
    with pytest.raises(ValueError, match="'test'.*'ihlen'.*0 incomplete views"):
        TaskonomyFolder(tmp_path / "empty", "test")
    taskonomy.file(root, taskonomy.VIEWS["test"][0], "rgb").unlink()
    with pytest.raises(ValueError, match="1 incomplete views of this split"):
        TaskonomyFolder(root, "test")


def test_limits_and_order(root):
    everything = make_folder(root).ids
    assert make_folder(root, num_views=2).ids == everything[:2]
    one = make_folder(root, num_buildings=1).ids
    assert sorted(one) == taskonomy.VIEWS["train"][:2]
    # Not by name: the order mixes the views of 40 points of a building.
    folder = root / "rgb" / "taskonomy" / "allensville"
    names = [f"point_{i // 5}_view_{i}" for i in range(200)]
    for name in names:
        (folder / f"{name}_domain_rgb.png").touch()
    ids = make_folder(root, tasks=[], num_buildings=1, num_views=20).ids
    assert len({view.split("_view")[0] for view in ids}) > 12


def test_records_are_canonical(root):
    labels = taskonomy.write(root)
    folder = make_folder(root, size=taskonomy.SIZE)
    records = folder.records()
    assert int(records.cardinality()) == 3
    shapes = {k: s.shape.as_list() for k, s in records.element_spec.items()}
    assert shapes == {
        "image": [64, 64, 3],
        "semseg": [64, 64],
        "depth": [64, 64, 1],
        "normals": [64, 64, 3],
        "edge": [64, 64, 1],
        **{f"{task}_mask": [64, 64, 1] for task in TASKS},
        "id": [],
    }
    records = list(records.as_numpy_iterator())
    assert [record["id"].decode() for record in records] == folder.ids
    for record in records:
        expected = labels[record["id"].decode()]
        known = expected.known
        np.testing.assert_array_equal(record["image"], expected.image)
        counted = (expected.ids != 0)[..., None]
        np.testing.assert_array_equal(record["semseg_mask"], counted)
        assert 0 < counted.mean() < 1
        np.testing.assert_array_equal(
            record["semseg"], np.where(expected.ids, expected.ids, 255)
        )
        for task in ("depth", "normals", "edge"):
            np.testing.assert_array_equal(record[f"{task}_mask"], known)
        np.testing.assert_allclose(
            record["depth"], expected.depth * known, atol=0.0015
        )
        np.testing.assert_allclose(
            record["normals"], expected.normals * known, atol=0.014
        )
        edge = np.minimum(expected.edge, 1) * known
        np.testing.assert_allclose(record["edge"], edge, atol=0.002)


def test_classes_of_a_label_space(root):
    folder = make_folder(root)
    space = label_spaces.get("taskonomy_pascal")
    native = list(folder.records().as_numpy_iterator())
    for label_space in ("taskonomy_pascal", space.with_background()):
        shared = list(folder.records(label_space).as_numpy_iterator())
        lookup = label_spaces.get(label_space).lookup("taskonomy_mt")
        seen = set()
        for a, b in zip(native, shared, strict=True):
            np.testing.assert_array_equal(lookup[a["semseg"]], b["semseg"])
            seen |= set(np.unique(b["semseg"]))
        assert {0, 255} < seen and (6 in seen) == (label_space != space.name)
    with pytest.raises(ValueError, match="dataset='taskonomy_mt'"):
        folder.records("nyud_pascal")


def test_batches_to_train_with(root):
    records = make_folder(root).records("taskonomy_nyud")
    dataset = keras_s4t.data.batches(
        records, TASKS, batch_size=2, training=True, shuffle_buffer=1
    )
    assert int(dataset.cardinality()) == 1
    ((images, labels, masks),) = dataset.as_numpy_iterator()
    assert images.shape == (2, 32, 32, 3) and images.dtype == "float32"
    assert labels["semseg"].dtype == "int32"
    assert set(np.unique(labels["semseg"])) <= {*range(7), 255}
    for task in TASKS:
        assert set(np.unique(masks[task])) == {0, 1}
