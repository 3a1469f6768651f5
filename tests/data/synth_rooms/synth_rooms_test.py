import numpy as np
import pytest

from keras_s4t.data.synth_rooms import CLASS_NAMES
from keras_s4t.data.synth_rooms import DOMAINS
from keras_s4t.data.synth_rooms import SynthRooms
from keras_s4t.data.synth_rooms import synth_rooms
from keras_s4t.data.synth_rooms.sample import render_scene

SIZE = 24

# Three rooms, "test", "mixed", 32 pixels, seed 0, version 1.0.0.
GOLDEN_CLASS_COUNTS = [1462, 592, 218, 71, 170, 274, 85, 120, 31]
GOLDEN_MEAN_COLOR = [131.516, 106.854, 94.026]
GOLDEN_MEAN_DEPTH = 2.71603


def test_record_is_canonical():
    rooms = SynthRooms("test", domain="evening", size=SIZE)
    record = rooms[12]
    assert {
        name: (value.dtype, value.shape)
        for name, value in record.items()
        if name != "id"
    } == {
        "image": (np.float32, (SIZE, SIZE, 3)),
        "semseg": (np.int32, (SIZE, SIZE)),
        "depth": (np.float32, (SIZE, SIZE, 1)),
        "normals": (np.float32, (SIZE, SIZE, 3)),
        "edge": (np.float32, (SIZE, SIZE, 1)),
        "semseg_mask": (np.float32, (SIZE, SIZE, 1)),
        "depth_mask": (np.float32, (SIZE, SIZE, 1)),
        "normals_mask": (np.float32, (SIZE, SIZE, 1)),
        "edge_mask": (np.float32, (SIZE, SIZE, 1)),
    }
    assert record["id"] == "synth_rooms/evening/test/000012"
    assert 0 <= record["image"].min() and 10 < record["image"].max() <= 255
    assert 0 <= record["edge"].min() and 0.9 < record["edge"].max() <= 1
    length = np.linalg.norm(record["normals"], axis=-1)
    np.testing.assert_allclose(length, 1, atol=1e-4)


def test_record_holds_the_rendered_scene():
    record = SynthRooms("train", "clutter", SIZE, seed=5, edge_sigma=0)[1]
    sample = render_scene("clutter", "train", 1, SIZE, seed=5)
    np.testing.assert_array_equal(record["image"], sample.image)
    np.testing.assert_array_equal(record["semseg"], sample.rendering.class_id)
    np.testing.assert_array_equal(
        record["depth"][..., 0], sample.rendering.depth
    )
    np.testing.assert_array_equal(record["normals"], sample.rendering.normals)
    np.testing.assert_array_equal(record["edge"][..., 0], sample.edges)


def test_masks():
    record = SynthRooms("train", "clutter", SIZE)[1]
    ignored = record["semseg"] == 255
    assert ignored.any()
    np.testing.assert_array_equal(record["semseg_mask"][..., 0], ~ignored)
    for task in ("depth", "normals", "edge"):
        assert (record[f"{task}_mask"] == 1).all()


def test_it_is_a_sequence():
    rooms = SynthRooms("test", size=16, num_examples=3)
    assert len(rooms) == 3
    ids = [record["id"] for record in rooms]
    assert ids == [f"synth_rooms/source/test/{i:06d}" for i in range(3)]
    assert rooms[np.int64(2)]["id"] == ids[2]
    for index in (-1, 3):
        with pytest.raises(IndexError, match=f"from 0 to 2.*index={index}"):
            rooms[index]


def test_facts_and_defaults():
    assert SynthRooms.class_names == CLASS_NAMES
    assert SynthRooms.num_classes == 9
    assert SynthRooms.ignore_class == 255
    sizes = [len(SynthRooms(s)) for s in ("train", "validation", "test")]
    assert sizes == [2000, 200, 200]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"split": "dev"}, "'train', 'validation', 'test'.*split='dev'"),
        ({"domain": "moon"}, "'source', 'mixed'.*domain='moon'"),
        ({"size": 15}, "`size` must be an int of at least 16.*size=15"),
        ({"size": 64.0}, "`size` must be an int.*size=64.0"),
        ({"num_examples": 0}, "`num_examples` must .*num_examples=0"),
        ({"seed": -1}, r"`seed` must be an int in \[0, 4294967295\]"),
        ({"seed": 2**32}, "`seed`"),
        ({"edge_sigma": -0.1}, "`edge_sigma` must .*edge_sigma=-0.1"),
        ({"edge_sigma": float("nan")}, "edge_sigma=nan"),
        ({"edge_sigma": "soft"}, "edge_sigma='soft'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SynthRooms(**arguments)


def test_bad_workers(tmp_path):
    rooms = SynthRooms("test", size=16, num_examples=1)
    for workers in (0, 1.5):
        with pytest.raises(ValueError, match=f"workers={workers}"):
            rooms.arrays(tmp_path / "cache", workers=workers)
    assert not (tmp_path / "cache").exists()


def test_arrays_are_the_records_in_compact_types():
    rooms = SynthRooms("test", "mixed", size=16, num_examples=3)
    arrays = rooms.arrays(verbose=0)
    assert {name: array.dtype for name, array in arrays.items()} == {
        "image": np.uint8,
        "semseg": np.uint8,
        "depth": np.float16,
        "normals": np.float16,
        "edge": np.float16,
    }
    for index, record in enumerate(rooms):
        for name, array in arrays.items():
            expected = record[name].astype(array.dtype)
            np.testing.assert_array_equal(array[index], expected)


@pytest.mark.eager
def test_worker_processes_render_equal_bytes():
    rooms = SynthRooms("test", "mixed", size=16, num_examples=4)
    here = rooms.arrays(verbose=0)
    there = rooms.arrays(workers=2, verbose=0)
    for name, array in here.items():
        assert array.tobytes() == there[name].tobytes()


def test_cache_is_one_file_named_after_the_content(tmp_path, monkeypatch):
    rooms = SynthRooms("test", "mixed", size=16, num_examples=2)
    first = rooms.arrays(tmp_path, verbose=0)
    (path,) = tmp_path.iterdir()
    assert path.name == f"synth_rooms_mixed_test_16_{rooms.fingerprint}.npz"
    monkeypatch.setattr(synth_rooms, "render_example", None)
    second = rooms.arrays(tmp_path, verbose=0)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_fingerprint_tells_everything_apart(monkeypatch):
    variants = [
        SynthRooms(),
        SynthRooms("test"),
        SynthRooms(domain="mixed"),
        SynthRooms(domain=DOMAINS["source"].replace(blur=(0.0, 0.36))),
        SynthRooms(size=64),
        SynthRooms(num_examples=1999),
        SynthRooms(seed=1),
        SynthRooms(edge_sigma=0.9),
    ]
    fingerprints = [rooms.fingerprint for rooms in variants]
    monkeypatch.setattr(synth_rooms, "VERSION", "0")
    fingerprints.append(SynthRooms().fingerprint)
    assert len(set(fingerprints)) == len(variants) + 1
    monkeypatch.undo()
    again = SynthRooms("train", DOMAINS["source"], np.int64(128), 2000)
    assert again.fingerprint == fingerprints[0]


def test_verbose(capsys):
    rooms = SynthRooms("test", size=16, num_examples=2)
    for kwargs in ({}, {"verbose": "auto"}, {"verbose": 1}):
        rooms.arrays(**kwargs)
        assert "2/2" in capsys.readouterr().out
    rooms.arrays(verbose=0)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="`verbose` must be 'auto', 0 or 1"):
        rooms.arrays(verbose="silent")


def test_pixels_and_labels_are_those_of_this_version():
    """Fails when a pixel changes. `VERSION` must be raised then."""
    arrays = SynthRooms("test", "mixed", size=32, num_examples=3).arrays(
        verbose=0
    )
    counts = np.bincount(arrays["semseg"].ravel(), minlength=256)
    assert counts[:9].tolist() == GOLDEN_CLASS_COUNTS
    np.testing.assert_allclose(
        arrays["image"].mean((0, 1, 2)), GOLDEN_MEAN_COLOR, atol=0.05
    )
    np.testing.assert_allclose(
        arrays["depth"].astype(float).mean(), GOLDEN_MEAN_DEPTH, atol=1e-3
    )
