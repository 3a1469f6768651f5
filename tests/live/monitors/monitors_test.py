"""Monitors of a live adapter that runs."""

import csv
import threading
import warnings

import numpy as np
import pytest
import tiny

from keras_s4t.live import CSVLog
from keras_s4t.live import LiveAdapter
from keras_s4t.live import TensorBoardLog
from keras_s4t.live import read_audit


class Witness:
    """Keeps what it is told."""

    def __init__(self):
        self.records, self.reports, self.threads = [], [], []
        self.num_closed = 0

    def on_window(self, live, record):
        self.records.append(record)
        self.reports.append(live.report())
        self.threads.append(threading.current_thread().name)

    def close(self):
        self.num_closed += 1


class Broken:
    """Fails at everything."""

    num_calls = 0

    def on_window(self, live, record):
        self.num_calls += 1
        raise OSError("No space left on device")

    def close(self):
        raise ValueError("closed already")


def make_frames(count=8):
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (count, tiny.SIZE, tiny.SIZE, 3), "uint8")


def make_live(**kwargs):
    options = {"window": 4, "adapt_every": 2, "multiple": 4}
    return LiveAdapter(tiny.make_adapter(), **{**options, **kwargs})


@pytest.mark.eager
@pytest.mark.parametrize("background", [False, True])
def test_every_decision_is_told(tmp_path, background):
    witness = Witness()
    live = make_live(
        monitors=[witness],
        background=background,
        audit=tmp_path / "audit.jsonl",
    )
    with live:
        for frame in make_frames():
            live(frame)
            live.wait()
        assert witness.num_closed == 0
    assert witness.num_closed == 1
    assert witness.records == read_audit(tmp_path / "audit.jsonl")
    assert [record["frame"] for record in witness.records] == [3, 5, 7]
    # The report has counted the window.
    assert [report["windows"] for report in witness.reports] == [1, 2, 3]
    name = "keras_s4t.live" if background else threading.current_thread().name
    assert set(witness.threads) == {name}


@pytest.mark.eager
@pytest.mark.parametrize("background", [False, True])
def test_a_monitor_that_fails(background):
    broken, witness = Broken(), Witness()
    frames = make_frames()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        live = make_live(monitors=[broken, witness], background=background)
        for frame in frames:
            received = live(frame)
            live.wait()
        received = live(frames[-1])
        live.close()
    found = [w for w in caught if "Broken" in str(w.message)]
    assert len(found) == 1
    assert "OSError: No space left on device" in str(found[0].message)
    assert broken.num_calls == len(witness.records) == 3
    assert witness.num_closed == 1
    other = make_live()
    for frame in [*frames, frames[-1]]:
        expected = other(frame)
    for name in expected:
        np.testing.assert_allclose(
            received[name], expected[name], rtol=1e-5, atol=1e-6
        )


@pytest.mark.eager
def test_a_monitor_that_would_wait_for_itself(tmp_path):
    class Saves(Witness):
        def on_window(self, live, record):
            live.save(tmp_path / "state")

    live = make_live(monitors=[Saves()], background=True)
    with pytest.warns(UserWarning, match="must not wait for itself"):
        for frame in make_frames():
            live(frame)
            live.wait()
        live.close()
    assert live.report()["windows"] == 3


@pytest.mark.eager
@pytest.mark.parametrize("monitors", [Witness(), [print], None, ["csv"]])
def test_what_is_no_list_of_monitors(monitors):
    with pytest.raises(ValueError, match="`monitors` must be a list"):
        make_live(monitors=monitors)


@pytest.mark.eager
def test_monitors_are_not_saved(tmp_path):
    witness = Witness()
    live = make_live(monitors=[witness])
    frames = make_frames()
    for frame in frames[:4]:
        live(frame)
    live.save(tmp_path)
    other = Witness()
    loaded = LiveAdapter.load(tmp_path, monitors=[other])
    for frame in frames[4:]:
        loaded(frame)
    assert [r["window"] for r in witness.records] == [1]
    assert [r["window"] for r in other.records] == [2, 3]


@pytest.mark.eager
def test_logs_of_a_run(tmp_path):
    path = tmp_path / "windows.csv"
    logs = [CSVLog(path), TensorBoardLog(tmp_path / "logs")]
    witness = Witness()
    with make_live(monitors=[*logs, witness]) as live:
        images, labels, masks = tiny.make_arrays(24, count=2)
        live.collect(
            [(images, labels, masks)],
            num_images=16,
            memory=8,
            corruptions=("contrast",),
        )
        for frame in make_frames():
            live(frame)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, record in zip(rows, witness.records, strict=True):
        assert row["action"] == record["action"]
        assert row["predicts"] == record["predicts"]
        assert float(row["loss"]) == record["loss"]
        for name, score in record["scores"].items():
            assert float(row[f"scores/{name}"]) == score
        assert set(record["scores"]) >= {"loss", "depth_drift"}
    assert float(rows[-1]["adaptation_seconds/median"]) > 0
    (events,) = (tmp_path / "logs").iterdir()
    assert events.stat().st_size > 1000
