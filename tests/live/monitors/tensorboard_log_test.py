"""Files of events, read record by record."""

import builtins
import struct

import pytest
from stand_in_live import make_live
from stand_in_live import make_record

from keras_s4t.live import TensorBoardLog


def read(folder):
    """Scalars of event files, `{(name, step): value}`.

    A record is its length, 4 bytes, the data and 4 more bytes.
    """
    from tensorflow.core.util import event_pb2

    values = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = event_pb2.Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            for value in event.summary.value:
                metadata = value.metadata
                assert metadata.plugin_data.plugin_name == "scalars"
                assert metadata.data_class == 1  # DATA_CLASS_SCALAR
                assert value.tensor.dtype == 1  # DT_FLOAT
                (number,) = value.tensor.float_val or struct.unpack(
                    "<f", value.tensor.tensor_content
                )
                values[value.tag, event.step] = number
    return values


def test_numbers_per_window(tmp_path):
    log = TensorBoardLog(tmp_path / "logs")
    log.on_window(make_live(), make_record())
    # Without waiting for the next one.
    first = read(tmp_path / "logs")
    assert first == {
        (name, 19): value
        for name, value in {
            "frame": 19,
            "window": 3,
            "loss": 3,
            "statistics_distance": 0.5,
            "scores/loss": 3,
            "scores/depth_spread": 0.75,
            "estimates/source": 0,
            "estimates/batch_norm": 12.25,
            "seconds": 0.125,
            "frames": 20,
            "skipped/blank": 2,
            "skipped/not finite": 1,
            "windows": 3,
            "actions/adapted": 2,
            "actions/held": 0,
            "actions/rolled_back": 1,
            "missed": 0,
            "frames_per_second": 12.5,
            "prediction_seconds/median": pytest.approx(0.0125),
            "prediction_seconds/p99": 0.25,
            "predicts/source": 0,
            "predicts/batch_norm": 1,
            "predicts/adapted": 0,
        }.items()
    }
    log.on_window(make_live(), make_record(frame=27, loss=None, scores={}))
    log.close()
    log.close()
    found = read(tmp_path / "logs")
    assert found["window", 27] == 3 and ("loss", 27) not in found
    # Another process goes on in the same folder.
    log = TensorBoardLog(tmp_path / "logs")
    log.on_window(make_live(), make_record(frame=35))
    log.close()
    steps = {step for _, step in read(tmp_path / "logs")}
    assert steps == {19, 27, 35}


def test_without_tensorflow(tmp_path, monkeypatch):
    plain = builtins.__import__

    def missing(name, *args, **kwargs):
        if name.split(".")[0] == "tensorflow":
            raise ImportError(name)
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match="pip install tensorflow"):
        TensorBoardLog(tmp_path)


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="`folder` must be a folder"):
        TensorBoardLog(tmp_path / "file")
