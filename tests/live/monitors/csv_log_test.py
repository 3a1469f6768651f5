"""Rows of windows, as the standard library reads them."""

import csv
import errno
import io

import pytest
from stand_in_live import make_live
from stand_in_live import make_record

from keras_s4t.live import CSVLog

pytestmark = pytest.mark.eager


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_per_window(tmp_path):
    path = tmp_path / "logs" / "windows.csv"
    log = CSVLog(path)
    log.on_window(make_live(), make_record())
    log.on_window(make_live(), make_record(window=4, frame=27, loss=None))
    log.close()
    first, second = read(path)
    assert first == {
        "frame": "19",
        "window": "3",
        "action": "rolled_back",
        "reason": "loss 3 is above 2",
        "predicts": "batch_norm",
        "loss": "3.0",
        "statistics_distance": "0.5",
        "scores/loss": "3.0",
        "scores/depth_spread": "0.75",
        "estimates/source": "0.0",
        "estimates/batch_norm": "12.25",
        "seconds": "0.125",
        "frames": "20",
        "skipped/blank": "2",
        "skipped/not finite": "1",
        "windows": "3",
        "actions/adapted": "2",
        "actions/held": "0",
        "actions/rolled_back": "1",
        "missed": "0",
        "frames_per_second": "12.5",
        "prediction_seconds/median": "0.0125",
        "prediction_seconds/p99": "0.25",
        "adaptation_seconds/median": "",
        "adaptation_seconds/p99": "",
    }
    assert second == {**first, "window": "4", "frame": "27", "loss": ""}


def test_a_file_is_gone_on_with(tmp_path):
    path = tmp_path / "windows.csv"
    CSVLog(path).on_window(make_live(), make_record())
    CSVLog(path).on_window(make_live(), make_record(window=4))
    lines = path.read_text().splitlines()
    assert len(lines) == 3 and sum("frame" in line for line in lines) == 1
    assert [row["window"] for row in read(path)] == ["3", "4"]


@pytest.mark.parametrize("kept", [0, 5, -1, -20])
def test_what_a_killed_process_began(tmp_path, kept):
    path = tmp_path / "windows.csv"
    log = CSVLog(path)
    log.on_window(make_live(), make_record())
    whole = path.read_bytes()
    log.on_window(make_live(), make_record(window=4))
    row = path.read_bytes()[len(whole) :]
    path.write_bytes(whole + row[:kept])
    CSVLog(path).on_window(make_live(), make_record(window=5))
    assert path.read_bytes().startswith(whole)
    assert [row["window"] for row in read(path)] == ["3", "5"]
    # Not even the header was complete.
    path.write_bytes(whole[:9])
    CSVLog(path).on_window(make_live(), make_record(window=6))
    assert [row["window"] for row in read(path)] == ["6"]


def test_columns_that_come_later(tmp_path):
    path = tmp_path / "windows.csv"
    log = CSVLog(path)
    reason = 'odd, "quoted"\nreason'
    log.on_window(make_live(skipped={}), make_record(scores={}, reason=reason))
    log.on_window(make_live(skipped={"frozen": 7}), make_record(window=4))
    log.on_window(make_live(skipped={}), make_record(window=5))
    rows = read(path)
    assert [row["skipped/frozen"] for row in rows] == ["", "7", ""]
    assert [row["scores/loss"] for row in rows] == ["", "3.0", "3.0"]
    assert [row["window"] for row in rows] == ["3", "4", "5"]
    assert rows[0]["reason"] == reason.replace("\n", " ")
    assert [p.name for p in tmp_path.iterdir()] == ["windows.csv"]


def test_a_file_that_was_moved_away(tmp_path):
    path = tmp_path / "windows.csv"
    log = CSVLog(path)
    log.on_window(make_live(), make_record())
    path.rename(tmp_path / "old.csv")
    log.on_window(make_live(), make_record(window=4))
    assert [row["window"] for row in read(path)] == ["4"]


def test_a_full_disk_leaves_whole_rows(tmp_path, monkeypatch):
    path = tmp_path / "windows.csv"
    log = CSVLog(path)
    log.on_window(make_live(), make_record())
    before = path.read_bytes()

    class FullDisk(io.FileIO):
        def write(self, data):
            return super().write(data[:10])

    with monkeypatch.context() as patch:
        patch.setattr(
            type(path),
            "open",
            lambda self, mode, **kwargs: FullDisk(self, mode.strip("b")),
        )
        # Nothing but the row is written.
        patch.setattr(type(path), "exists", lambda self: True)
        with pytest.raises(OSError) as error:
            log.on_window(make_live(), make_record(window=4))
    assert error.value.errno == errno.ENOSPC
    assert path.read_bytes() == before
    log.on_window(make_live(), make_record(window=5))
    assert [row["window"] for row in read(path)] == ["3", "5"]


def test_files_that_are_no_log(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("name,age\nAda,36\n")
    with pytest.raises(ValueError, match=r"with the columns \['name', 'age'\]"):
        CSVLog(path)
    assert path.read_text() == "name,age\nAda,36\n"
    with pytest.raises(ValueError, match="that can be written to"):
        CSVLog(path / "windows.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"buy milk", r"with the columns \['buy milk'\]"),
        (b"frames,of,a,film", r"with the columns \['frames', 'of', 'a'"),
        (b"a,b\n1,2\n3,4", r"with the columns \['a', 'b'\]"),
        (b"\nframe,window\n", r"with the columns \[\]"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "can't decode byte 0x89"),
        (b"frame,window\n1,2\n\xff\n", "can't decode byte 0xff"),
        (b"a,b\r1,2\r3,4", "new-line character"),
    ],
)
def test_a_file_of_others_is_left_as_it_is(tmp_path, content, message):
    path = tmp_path / "own"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"`path` must be a new.*{message}"):
        CSVLog(path)
    assert path.read_bytes() == content


def test_a_folder_is_no_log(tmp_path):
    with pytest.raises(ValueError, match="a new file, or one.*directory"):
        CSVLog(tmp_path)


def test_a_row_that_was_cut_within_a_character(tmp_path):
    path = tmp_path / "windows.csv"
    CSVLog(path).on_window(make_live(), make_record())
    whole = path.read_bytes()
    path.write_bytes(whole + "1,\u00b0".encode()[:-1])
    CSVLog(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("size", range(18))
@pytest.mark.parametrize("skipped", [{}, {"blank": 1}])
def test_a_header_that_was_begun(tmp_path, size, skipped):
    path = tmp_path / "windows.csv"
    CSVLog(path).on_window(make_live(skipped=skipped), make_record())
    path.write_bytes(path.read_bytes()[:size])
    CSVLog(path).on_window(make_live(), make_record(window=6))
    assert [row["window"] for row in read(path)] == ["6"]
