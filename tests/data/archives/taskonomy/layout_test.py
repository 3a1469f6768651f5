import pytest
from generated_archives import taskonomy

from keras_s4t.data.archives.taskonomy.layout import TINY_BUILDINGS
from keras_s4t.data.archives.taskonomy.layout import buildings_of_split


def test_tables_of_splits(tmp_path):
    splits = {"zoo": "train", "attic": "train", "barn": "val", "cabin": "test"}
    for newline, subset in [("\r", "medium"), ("\r\n", "full"), ("\n", "tiny")]:
        taskonomy.write_table(tmp_path, splits, subset, newline)
        found = {
            split: buildings_of_split(tmp_path, split, subset)
            for split in ("train", "validation", "test")
        }
        assert found == {
            "train": ["attic", "zoo"],
            "validation": ["barn"],
            "test": ["cabin"],
        }


def test_tiny_needs_no_table(tmp_path):
    splits = {
        s: buildings_of_split(tmp_path, s, "tiny") for s in TINY_BUILDINGS
    }
    assert {s: len(b) for s, b in splits.items()} == {
        "train": 25,
        "validation": 5,
        "test": 5,
    }
    assert len({name for names in splits.values() for name in names}) == 35
    assert splits["test"] == [
        "ihlen",
        "mcdade",
        "muleshoe",
        "noxapater",
        "uvalda",
    ]
    assert all(names == sorted(names) for names in splits.values())


@pytest.mark.parametrize(
    "split, subset, message",
    [
        ("val", "tiny", "'validation'.*split='val'"),
        ("train", "debug", "'fullplus'.*subset='debug'"),
        ("train", "full", "no file .*train_val_test_full.csv"),
        ("train", "medium", "columns id, train, val and test.*medium.csv"),
    ],
)
def test_unknown_splits(split, subset, message, tmp_path):
    taskonomy.write_table(tmp_path, {}, "medium")
    with pytest.raises(ValueError, match=message):
        buildings_of_split(tmp_path, split, subset)
