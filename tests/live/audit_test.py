"""Lines of an audit file, and files that are none."""

import json
import pathlib

import numpy as np
import pytest

from keras_s4t.live import read_audit
from keras_s4t.live.audit import Audit

pytestmark = pytest.mark.eager


def test_lines_that_hold_no_record_are_left_out(tmp_path):
    path = tmp_path / "audit.jsonl"
    path.write_bytes(
        b'{"frame": 1}\n5\n[1]\n"text"\nnull\n{"fra\xff": 2}\n\xc3\n'
        + b"[" * 100_000
        + b'\n{"frame": 2}\n{"frame"'
    )
    assert read_audit(path) == [{"frame": 1}, {"frame": 2}]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.float32("nan"), None),
        (np.array([1.0, np.inf]), [1.0, None]),
        (np.array([[1, 2]], "uint8"), [[1, 2]]),
        ([np.float32(0.5), float("nan")], [0.5, None]),
        ((1, "a"), [1, "a"]),
        ({np.int64(3): np.float64(1)}, {"3": 1.0}),
        (pathlib.PurePosixPath("a/b"), "a/b"),
    ],
)
def test_values_that_json_has_no_form_for(tmp_path, value, expected):
    path = tmp_path / "audit.jsonl"
    Audit(path).write({"value": value})
    assert json.loads(path.read_text()) == {"value": expected}
    assert read_audit(path) == [{"value": expected}]


@pytest.mark.parametrize(
    "content",
    [
        b"buy milk",
        b"frame,window\n1,2\n",
        b'{\n  "a": 1\n}\n',
        b'{"a": 1,\n  "b": 2}\n',
        b"[1]\n",
        b"\x89PNG\r\n\x1a\n\x00\xff",
    ],
)
def test_a_file_of_others_is_left_as_it_is(tmp_path, content):
    path = tmp_path / "own"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="`audit` must be a new file, or one"):
        Audit(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["", "file/audit.jsonl"])
def test_paths_that_no_file_can_have(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    path = tmp_path / name
    with pytest.raises(ValueError, match="`audit` must be a new .*Errno"):
        Audit(path)


@pytest.mark.parametrize(
    "before", ["", "{", '{"fra', '{"fra\n', '{\n{"fra', '{"frame": 1}\n{"f']
)
def test_what_a_killed_writer_began(tmp_path, before):
    path = tmp_path / "audit.jsonl"
    path.write_text(before)
    Audit(path).write({"frame": 2})
    assert read_audit(path)[-1] == {"frame": 2}
    assert path.read_text().startswith(before)
    Audit(path)
