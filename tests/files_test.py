import os

import pytest

from keras_s4t.files import atomic_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_all_went_well(tmp_path):
    path = tmp_path / "results.json"
    with atomic_path(str(path)) as temporary:
        assert temporary.parent == path.parent
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(tmp_path) == ["results.json"]


def test_the_old_file_stays_until_then(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "results.json"
    path.write_text("old")
    with pytest.raises(error):
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["results.json"]


def test_a_failure_to_replace_leaves_no_temporary_file(tmp_path, monkeypatch):
    def fail(source, target):
        raise OSError("disk full")

    path = tmp_path / "results.json"
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        with atomic_path(path) as temporary:
            temporary.write_text("new")
    assert names(tmp_path) == []


def test_a_body_that_writes_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        with atomic_path(tmp_path / "results.json"):
            pass
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["model.keras", "model.weights.h5", "curve", ".hidden.json"]
)
def test_all_suffixes_are_kept(tmp_path, name):
    # Keras checks for the suffix ".weights.h5".
    with atomic_path(tmp_path / name) as temporary:
        assert temporary.name.endswith(name)
        temporary.write_text("new")
    assert names(tmp_path) == [name]


def test_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "results.json"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
