"""The parts of `adapt_video.py`: frames in, pictures and files out."""

import json
import os
import signal
import sys
import types

import numpy as np
import pytest
import tiny
from live_video.inputs import Walk
from live_video.inputs import open_frames
from live_video.inputs import scaled
from live_video.interruption import Interruption
from live_video.outputs import open_output
from live_video.pictures import BeforeAfter
from PIL import Image

import keras_s4t
from keras_s4t.tasks import colors


def make_values(class_id, meters, size=(64, 48)):
    return {
        "semseg": np.full(size, class_id),
        "depth": np.full((*size, 1), float(meters)),
    }


def picture_at(sheet, row, column, size=(128, 96)):
    """A picture of the sheet, counted from its lower right corner."""
    bottom = sheet.shape[0] - 18 - 4 - (1 - row) * (size[0] + 4)
    right = sheet.shape[1] - 4 - (1 - column) * (size[1] + 4)
    return sheet[bottom - size[0] : bottom, right - size[1] : right]


def test_pictures_have_the_colors_of_the_tasks():
    pictures = BeforeAfter(tiny.make_tasks(2))
    image = np.full((64, 48, 3), (10, 200, 30), "uint8")
    first = pictures.draw(
        image, {"source": make_values(1, 2), "live": make_values(3, 4)}, "0"
    )
    # Values are twice as high and wide, since small pictures are enlarged.
    for row, class_id in enumerate((1, 3)):
        expected = colors.CLASS_COLORS[class_id]
        assert np.all(picture_at(first, row, 0) == expected)
    low, high = colors.color_scalar(np.array([[0.0, 1.0]]), 0, 1)[0]
    assert np.all(picture_at(first, 0, 1) == low)
    assert np.all(picture_at(first, 1, 1) == high)
    assert np.all(first[18 : 18 + 128, 4 : 4 + 96] == (10, 200, 30))
    # Colors keep their meaning: 4 m is neither near nor far any more.
    second = pictures.draw(
        image, {"source": make_values(1, 6), "live": make_values(3, 4)}, "1"
    )
    assert second.shape == first.shape
    assert np.all(picture_at(second, 0, 1) == high)
    middle = colors.color_scalar(np.array([[0.5]]), 0, 1)[0, 0]
    assert np.all(picture_at(second, 1, 1) == middle)


def test_a_frame_without_predictions_is_drawn():
    pictures = BeforeAfter(tiny.make_tasks(2))
    image = np.zeros((64, 48, 3), "uint8")
    nothing = make_values(-1, np.nan)
    known = make_values(1, 2)
    pictures.draw(image, {"source": nothing, "live": nothing}, "0")
    sheet = pictures.draw(image, {"source": known, "live": nothing}, "1")
    assert np.all(picture_at(sheet, 1, 0) == 255)
    assert np.all(picture_at(sheet, 1, 1) == 255)


def test_large_pictures_are_reduced_and_long_lines_cut():
    pictures = BeforeAfter(tiny.make_tasks(2))
    size = (480, 640)
    values = make_values(1, 2, size)
    sheet = pictures.draw(
        np.zeros((*size, 3), "uint8"), {"source": values}, "word " * 500
    )
    assert sheet.shape[0] < 300 and sheet.shape[1] < 1100
    # The line ends before the edge.
    assert np.all(sheet[-18:, -4:] == 255)
    assert np.any(sheet[-18:, -40:] < 128)


def test_scaled():
    assert scaled((480, 640), 96) == (96, 128)
    assert scaled((1920, 1080), 64) == (114, 64)


def test_frames_of_a_folder(tmp_path):
    for i in (10, 9):
        image = np.full((12, 20, 3), i, "uint8")
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    frames, size = open_frames(str(tmp_path))
    assert size == (12, 20)
    assert [frame.name for frame in frames] == ["9.png", "10.png"]
    with pytest.raises(ValueError, match="must be a folder or a file"):
        open_frames(str(tmp_path / "nowhere"))


def test_a_walk_is_measured_by_its_labels(tmp_path):
    task_list = [keras_s4t.tasks.depth(), keras_s4t.tasks.regression("heat")]
    walk = Walk(6, ["source", "evening"], 32, task_list, tmp_path)
    arrays = (
        keras_s4t.data.SynthRooms("test", size=32)
        .walk(6, ["source", "evening"])
        .arrays(verbose=0)
    )
    rng = np.random.default_rng(0)
    errors = rng.normal(0, 1, (6, 32, 32, 1)).astype("float32")
    for i, frame in enumerate(walk.frames):
        np.testing.assert_array_equal(frame.image, arrays["image"][i])
        values = arrays["depth"][i].reshape(32, 32, 1)
        walk.measure(
            i,
            {
                "source": {"depth": values + errors[i]},
                "live": {"depth": values},
            },
        )
    found = walk.metrics()
    assert list(found) == ["source", "evening"]
    for phase, part in (("source", errors[:3]), ("evening", errors[3:])):
        np.testing.assert_allclose(
            found[phase]["source"]["depth_rmse"],
            np.sqrt(np.mean(part**2)),
            rtol=1e-4,
        )
        assert found[phase]["live"] == {"depth_rmse": 0.0}


def test_files_instead_of_a_video(tmp_path, monkeypatch):
    # As if it were not installed.
    monkeypatch.setitem(sys.modules, "av", None)
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), "uint8")

    def write(images, first):
        with pytest.warns(UserWarning, match=r"keras-s4t\[video\]"):
            video, path = open_output(tmp_path, first, 10.0)
        assert path == tmp_path / "before_after"
        with video:
            for image in images:
                video.write(image, 0.5)
        return sorted(p.name for p in path.iterdir())

    names = [f"00000{i}.png" for i in range(4)]
    assert write(images[:3], 0) == names[:3]
    # Going on at frame 2 replaces what came after it.
    assert write(images[2:], 2) == names
    for name, image in zip(names, images, strict=True):
        with Image.open(tmp_path / "before_after" / name) as file:
            np.testing.assert_array_equal(np.asarray(file), image)
    assert write(images[:1], 0) == names[:1]


def test_the_second_interruption_interrupts():
    before = signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        assert not interruption.is_wanted
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.is_wanted
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("option", ["--output", "--state"])
def test_a_file_is_no_folder(
    load_recipe, tmp_path, monkeypatch, capsys, option
):
    recipe = load_recipe("adapt_video")
    (tmp_path / "file").write_text("mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["adapt_video.py", option, "file"])
    # Nothing is begun before.
    monkeypatch.setattr(recipe, "make_live", None)
    with pytest.raises(SystemExit) as exit_info:
        recipe.main()
    assert exit_info.value.code == 2
    expected = f"`{option}` must be a folder that can be written to"
    assert expected in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_an_interrupted_run_is_complete(load_recipe, tmp_path, capsys):
    recipe = load_recipe("adapt_video")
    decision = recipe.LastDecision()
    live = keras_s4t.live.LiveAdapter(
        tiny.make_adapter(),
        window=2,
        adapt_every=1,
        multiple=4,
        monitors=[decision],
    )
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, tiny.SIZE, tiny.SIZE, 3), "uint8")

    def frames():
        for i, image in enumerate(images):
            if i == 5:
                os.kill(os.getpid(), signal.SIGINT)
            yield keras_s4t.live.Frame(image, i / 4, str(i))

    arguments = types.SimpleNamespace(
        output=tmp_path, state=tmp_path / "state", save_every=2
    )
    report = recipe.Report(arguments, live, None)
    written = []
    video = types.SimpleNamespace(
        write=lambda picture, timestamp: written.append((picture, timestamp))
    )
    recipe.watch(live, frames(), video, report, decision, arguments)
    # The frame at hand was predicted and drawn, the others were not begun.
    assert [timestamp for _, timestamp in written] == [i / 4 for i in range(6)]
    assert "complete" in capsys.readouterr().out
    assert decision.text == "window 5: adapted"
    # The last save was that of window 4, which was there with frame 4.
    saved = keras_s4t.live.LiveAdapter.load(tmp_path / "state")
    assert saved.report()["windows"] == 4 and saved.frame_id == 4
    again = recipe.Report(arguments, saved, None)
    assert again.names == ["0", "1", "2", "3", "4"]
    report.write()
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["frames"]["timestamps"] == [i / 4 for i in range(6)]
    assert content["report"]["frames"] == 6
