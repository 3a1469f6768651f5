import os

import pytest

from keras_s4t.files import atomic_folder
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


def always(folder):
    return True


def never(folder):
    return False


def test_a_folder_appears_when_all_went_well(tmp_path):
    path = tmp_path / "made" / "model"
    with atomic_folder(str(path), never) as temporary:
        (temporary / "weights").write_text("new")
        assert not path.exists()
    assert (path / "weights").read_text() == "new"
    assert names(tmp_path / "made") == ["model"]


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")
    with atomic_folder(path, lambda folder: (folder / "old").exists()) as new:
        (new / "weights").write_text("new")
        assert names(path) == ["old"]
    assert names(path) == ["weights"]
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_may_not_be_replaced_is_left_alone(tmp_path, kind):
    path = tmp_path / "model"
    if kind == "folder":
        path.mkdir()
    inner = path / "photo" if kind == "folder" else path
    inner.write_text("old")
    with pytest.raises(ValueError, match="may be replaced"):
        with atomic_folder(path, never):
            raise AssertionError("not reached")
    assert inner.read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_an_empty_folder_is_replaced(tmp_path):
    (tmp_path / "model").mkdir()
    with atomic_folder(tmp_path / "model", never) as temporary:
        (temporary / "weights").write_text("new")
    assert names(tmp_path / "model") == ["weights"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_folder_alone(tmp_path, error):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")
    with pytest.raises(error):
        with atomic_folder(path, always) as temporary:
            (temporary / "weights").write_text("half")
            raise error
    assert names(path) == ["old"]
    assert names(tmp_path) == ["model"]


def test_the_old_folder_returns_if_the_new_one_cannot_be_moved(
    tmp_path, monkeypatch
):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")
    moves, move = [], os.replace

    def replace(source, target):
        moves.append(target)
        if len(moves) == 2:
            raise OSError("device")
        move(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="device"):
        with atomic_folder(path, always) as temporary:
            (temporary / "weights").write_text("new")
    assert len(moves) == 3
    assert names(path) == ["old"]
    assert names(tmp_path) == ["model"]
