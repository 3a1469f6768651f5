"""The folder of a state: what is in it, and what is not touched."""

import json
import os
import shutil

import keras
import numpy as np
import pytest
import tiny

from keras_s4t.live import LiveAdapter
from keras_s4t.live import saving
from keras_s4t.version import __version__

pytestmark = pytest.mark.eager


class Adapter:
    """Stands for a `TargetAdapter`, for what reads no model."""

    def save(self, path):
        path.write_bytes(b"model")


def save(folder, **values):
    content = {**dict.fromkeys(saving.KEYS), **values}
    saving.save_state(folder, Adapter(), content, {"a": np.arange(3)})


def load(folder):
    return saving.load_state(folder)[1]["frame_id"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def no_model(monkeypatch):
    monkeypatch.setattr(keras.saving, "load_model", lambda path: None)


def make_live():
    return LiveAdapter(tiny.make_adapter(), window=4, multiple=4)


def test_a_state_replaces_the_one_before(tmp_path, no_model):
    for i in range(12):
        save(tmp_path, frame_id=i)
        assert names(tmp_path) == ["current", f"state_{i}"]
        assert load(tmp_path) == i


@pytest.mark.parametrize("text", ["run_12", "state_x", "state_0/..", "."])
def test_a_file_current_of_others(tmp_path, text):
    (tmp_path / "run_12").mkdir()
    (tmp_path / "run_12" / "mine.txt").write_text("mine")
    (tmp_path / "current").write_text(text)
    with pytest.raises(ValueError, match="must be new, or one.*'current' of"):
        save(tmp_path)
    with pytest.raises(ValueError, match="`folder` must be one that"):
        saving.load_state(tmp_path)
    assert names(tmp_path) == ["current", "run_12"]
    assert (tmp_path / "current").read_text() == text
    assert (tmp_path / "run_12" / "mine.txt").exists()


def test_a_folder_current_of_others(tmp_path):
    (tmp_path / "current").mkdir()
    with pytest.raises(ValueError, match="must be new, or one.*'current' of"):
        save(tmp_path)
    assert names(tmp_path) == ["current"]


def test_folders_of_others_that_are_named_as_states(tmp_path, no_model):
    own = tmp_path / "state_0"
    own.mkdir()
    (own / "mine.txt").write_text("mine")
    (tmp_path / "state_07").mkdir()
    (tmp_path / "state_5").write_text("a file")
    save(tmp_path, frame_id=1)
    save(tmp_path, frame_id=2)
    expected = ["current", "state_0", "state_07", "state_5", "state_7"]
    assert names(tmp_path) == expected
    assert (own / "mine.txt").read_text() == "mine"
    # Notes beside the files of a state are kept, and the files with them.
    (tmp_path / "state_7" / "notes.txt").write_text("good")
    save(tmp_path, frame_id=3)
    assert names(tmp_path) == [*expected, "state_8"]
    assert load(tmp_path) == 3


@pytest.mark.parametrize("name", ["file", "file/state"])
def test_a_file_is_no_folder(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="`folder` must be a folder, or new"):
        save(tmp_path / name)
    with pytest.raises(ValueError, match="`folder` must be one that"):
        saving.load_state(tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"


def test_what_killed_processes_left_is_removed(tmp_path, no_model):
    save(tmp_path, frame_id=1)
    for number in (1, 7):
        # Killed after the switch, or before it.
        shutil.copytree(tmp_path / "state_0", tmp_path / f"state_{number}")
    for number, kept in ((40, saving.ADAPTER), (41, saving.ARRAYS)):
        # Killed while it was removed.
        (tmp_path / f"state_{number}").mkdir()
        (tmp_path / f"state_{number}" / kept).write_bytes(b"")
    (tmp_path / ".4711.current").write_text("state_3")
    (tmp_path / ".unfinished").mkdir()
    (tmp_path / ".unfinished" / saving.ADAPTER).write_bytes(b"")
    save(tmp_path, frame_id=9)
    assert names(tmp_path) == ["current", "state_42"]
    assert load(tmp_path) == 9


@pytest.mark.parametrize(
    "content", [None, b"", b"\0\0\0\0", b"state_9", b"sta", b"\xff\xfe"]
)
def test_a_damaged_current(tmp_path, no_model, content):
    save(tmp_path, frame_id=1)
    # The later one is not complete.
    (tmp_path / "state_3").mkdir()
    (tmp_path / "state_3" / saving.VALUES).write_text("{}")
    (tmp_path / "current").unlink()
    if content is not None:
        (tmp_path / "current").write_bytes(content)
    with pytest.warns(UserWarning, match="last complete one is read: state_0"):
        assert load(tmp_path) == 1
    save(tmp_path, frame_id=2)
    assert names(tmp_path) == ["current", "state_4"]
    assert load(tmp_path) == 2


def test_files_are_on_disk_before_they_are_named(tmp_path, monkeypatch):
    synced, events = os.fsync, []

    def sync(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        events.append(os.path.relpath(path, tmp_path))
        synced(descriptor)

    def replace(source, target, replaced=os.replace):
        events.append(f"replace {os.path.relpath(target, tmp_path)}")
        replaced(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    save(tmp_path)
    files = [f".unfinished/{name}" for name in sorted(saving.FILES)]
    assert sorted(events[:3]) == files
    assert events[3:] == [
        ".unfinished",
        "replace state_0",
        ".",
        f".{os.getpid()}.current",
        "replace current",
        ".",
    ]


@pytest.mark.parametrize("version", ["0.0.1", "1.1.0", None])
def test_states_of_other_versions(tmp_path, version):
    save(tmp_path, version=version)
    with pytest.raises(ValueError, match="A state must be of a version") as e:
        saving.load_state(tmp_path)
    assert f"read by keras_s4t {__version__}." in str(e.value)
    assert str(e.value).endswith(f"of version {version!r}")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1], "TypeError: values.json holds a list"),
        ({"version": __version__, "rng": 0}, "KeyError.*has no arguments, co"),
    ],
)
def test_values_that_are_no_state(tmp_path, values, message):
    save(tmp_path)
    (tmp_path / "state_0" / saving.VALUES).write_text(json.dumps(values))
    with pytest.raises(ValueError, match=f"files of a state.*{message}"):
        saving.load_state(tmp_path)


def test_every_state_has_the_keys(tmp_path):
    live = make_live()
    live.save(tmp_path)
    values = json.loads((tmp_path / "state_0" / saving.VALUES).read_text())
    assert set(saving.KEYS) <= set(values)
    assert values["version"] == __version__
    (tmp_path / "current").write_bytes(b"")
    with pytest.warns(UserWarning, match="state_0") as caught:
        assert LiveAdapter.load(tmp_path).frame_id == -1
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("frame/0"), "KeyError: 'frame/0'"),
        (TypeError("list indices"), "TypeError: list indices"),
        (IndexError("of 3"), "IndexError: of 3"),
        (ValueError("of shape"), "ValueError: of shape"),
    ],
)
def test_errors_over_what_a_state_holds(tmp_path, error, text):
    with pytest.raises(ValueError) as caught:
        with saving.reading(tmp_path):
            raise error
    assert str(caught.value) == (
        "The files of a state must be those that `LiveAdapter.save` has "
        f"written. Received: {str(tmp_path)!r} ({text})"
    )
    assert caught.value.__cause__ is error
    with pytest.raises(MemoryError):
        with saving.reading(tmp_path):
            raise MemoryError


def test_a_class_that_is_not_registered(tmp_path, monkeypatch):
    class Unknown(keras.layers.Layer):
        pass

    save(tmp_path)
    model = keras.Sequential([keras.Input((2,)), Unknown()])
    model.save(tmp_path / "state_0" / saving.ADAPTER)
    with pytest.raises(ValueError, match="must be registered by `keras.saving"):
        saving.load_state(tmp_path)
