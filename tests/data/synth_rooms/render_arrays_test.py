"""Tests that the cache is atomic, checked when read, and resumable."""

import os

import numpy as np
import pytest

from keras_s4t.data import SynthRooms
from keras_s4t.data.synth_rooms.storage import array_cache
from keras_s4t.data.synth_rooms.storage.array_cache import ArrayCache
from keras_s4t.data.synth_rooms.storage.render_arrays import render_arrays
from keras_s4t.data.synth_rooms.storage.worker_pool import map_in_order

SPECS = {"square": ((2, 2), np.float16), "index": ((), np.uint8)}
COUNT = 7
NAMES = ["rooms.000000-000003.npz", "rooms.000003-000006.npz"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(array_cache, "EXAMPLES_PER_PART", 3)


class Renderer:
    """Records its calls and may raise an interrupt."""

    def __init__(self, interrupt_at=None):
        self.calls = []
        self.interrupt_at = interrupt_at

    def __call__(self, index):
        if index == self.interrupt_at:
            raise KeyboardInterrupt
        self.calls.append(index)
        return {"square": np.full((2, 2), index / 2), "index": index}


def render(folder=None, renderer=None, fingerprint="abc", **kwargs):
    cache = None
    if folder is not None:
        cache = ArrayCache(folder, "rooms", fingerprint, SPECS, COUNT)
    renderer = renderer or Renderer()
    kwargs = {"verbose": 0, **kwargs}
    arrays = render_arrays(renderer, SPECS, COUNT, cache, **kwargs)
    check(arrays)
    return renderer.calls


def check(arrays):
    assert {n: a.dtype for n, a in arrays.items()} == {
        "square": np.float16,
        "index": np.uint8,
    }
    np.testing.assert_array_equal(arrays["index"], range(COUNT))
    expected = np.broadcast_to(
        np.arange(COUNT)[:, None, None] / 2, (COUNT, 2, 2)
    )
    np.testing.assert_array_equal(arrays["square"], expected)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_without_a_cache_everything_is_rendered():
    assert render() == list(range(COUNT))


def test_the_cache_is_reused_and_parts_are_deleted(tmp_path):
    folder = tmp_path / "deep" / "cache"
    assert render(folder) == list(range(COUNT))
    assert names(folder) == ["rooms.npz"]
    assert render(folder) == []


def test_an_interrupted_rendering_continues(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        render(tmp_path, Renderer(interrupt_at=5))
    assert names(tmp_path) == NAMES[:1]
    with pytest.raises(KeyboardInterrupt):
        render(tmp_path, Renderer(interrupt_at=6))
    assert names(tmp_path) == NAMES
    assert render(tmp_path) == [6]
    assert names(tmp_path) == ["rooms.npz"]


def test_the_progress_bar_counts_stored_parts_as_done(tmp_path, capsys):
    with pytest.raises(KeyboardInterrupt):
        render(tmp_path, Renderer(interrupt_at=3))
    render(tmp_path, verbose=1)
    shown = capsys.readouterr().out
    assert "4/7" in shown and "7/7" in shown and "1/7" not in shown


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    # The values of the first array follow its zip and .npy headers.
    start = data.index(b"\n", data.index(b"NUMPY")) + 5
    data[start] ^= 1
    path.write_bytes(data)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-40])


def empty(path):
    path.write_bytes(b"")


def write_text(path):
    path.write_text("not an archive")


def write_one_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def write_objects(path):
    np.savez(path, square=np.array([{}]), fingerprint=np.array("abc"))


def drop_an_array(path):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    del arrays["index"]
    np.savez(path, **arrays)


def drop_a_row(path):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["index"] = arrays["index"][1:]
    np.savez(path, **arrays)


def change_a_dtype(path):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["index"] = arrays["index"].astype(np.int32)
    np.savez(path, **arrays)


def change_the_fingerprint(path):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["fingerprint"] = np.array("other")
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_byte,
        truncate,
        empty,
        write_text,
        write_one_array,
        write_objects,
        drop_an_array,
        drop_a_row,
        change_a_dtype,
        change_the_fingerprint,
    ],
)
def test_a_bad_file_is_reported_and_replaced(tmp_path, damage):
    render(tmp_path)
    path = tmp_path / "rooms.npz"
    damage(path)
    with pytest.warns(UserWarning, match="rooms.npz is damaged or foreign"):
        assert render(tmp_path) == list(range(COUNT))
    assert render(tmp_path) == []
    assert names(tmp_path) == ["rooms.npz"]


def test_a_bad_part_is_rendered_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        render(tmp_path, Renderer(interrupt_at=6))
    truncate(tmp_path / NAMES[0])
    with pytest.warns(UserWarning, match=NAMES[0]):
        assert render(tmp_path) == [0, 1, 2, 6]


def test_files_are_written_under_another_name(tmp_path, monkeypatch):
    """A process killed while writing leaves no file that is read later."""

    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        render(tmp_path)
    assert "rooms.npz" not in names(tmp_path)
    assert not set(NAMES) & set(names(tmp_path))
    monkeypatch.undo()
    assert render(tmp_path) == list(range(COUNT))


def test_worker_processes_keep_the_order():
    squares = list(map_in_order(abs, [-3, 2, -1], workers=2))
    assert squares == [3, 2, 1]


def test_a_dead_worker_process_is_explained():
    """Stops the process, as without a `__main__` guard."""
    with pytest.raises(RuntimeError, match="if __name__ == '__main__'"):
        list(map_in_order(os._exit, [1, 1, 1, 1], workers=2))


def test_errors_of_workers_are_passed_on():
    with pytest.raises(TypeError, match="bad operand"):
        list(map_in_order(abs, ["a", "b"], workers=2))


def test_a_full_disk_loses_no_image(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(array_cache.ArrayFile, "write", full)
    rooms = SynthRooms("test", "source", 16, 2)
    with pytest.warns(UserWarning, match="not cached.*No space left"):
        arrays = rooms.arrays(tmp_path, verbose=0)
    expected = rooms.arrays(verbose=0)
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array)
