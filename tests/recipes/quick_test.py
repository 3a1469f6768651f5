"""The recipe as a user would start it, and as the machine may kill it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import keras
import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent
METHODS = ("Tent", "ClusT3")


def start(folder, *arguments):
    return subprocess.Popen(
        [
            sys.executable,
            ROOT / "recipes" / "compare_methods.py",
            "--quick",
            *("--methods", *METHODS),
            *("--targets", "synth_rooms/evening"),
            *("--output", "comparison"),
            *("--cache", "cache"),
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read(path):
    return json.loads(path.read_text()) if path.exists() else {"runs": {}}


@pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="recipes name no backend, and PyTorch need not compile",
)
@pytest.mark.long
def test_a_killed_comparison_goes_on(tmp_path):
    path = tmp_path / "comparison" / "results.json"
    process = start(tmp_path)
    deadline = time.time() + 300
    while len(read(path)["runs"]) < 3 and process.poll() is None:
        assert time.time() < deadline
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    before = read(path)

    process = start(tmp_path)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-3000:]
    after = read(path)
    assert 3 <= len(before["runs"]) < len(after["runs"]) == len(after["plan"])
    # The seconds that each took tell that it is the same one.
    assert before["sources"] and before["runs"]
    for part in ("sources", "costs", "runs"):
        assert before[part].items() <= after[part].items()
    assert f"{len(before['runs'])} of 6 adaptations are there" in output
    text = (path.parent / "tables.md").read_text()
    for name in ("Base", "BatchNormOnly", "BatchNormBatch", *METHODS):
        assert f"\n| {name} | " in text
    assert len(path.read_text()) < 1e6


@pytest.mark.parametrize(
    ("arguments", "valid"),
    [
        (["--methods", "Nothing"], "BatchNormOnly"),
        (["--protocol", "nothing"], "episodic"),
        (["--steps", "0"], "at least 1"),
        (["--costs", "nowhere.json"], "benchmark.py"),
        (["--config", "nowhere"], "synth_rooms"),
    ],
)
def test_bad_arguments(
    load_recipe, monkeypatch, capsys, tmp_path, arguments, valid
):
    recipe = load_recipe("compare_methods")
    command = ["compare_methods.py", "--output", str(tmp_path), *arguments]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as exit_info:
        recipe.main()
    assert exit_info.value.code == 2
    error = capsys.readouterr().err
    assert arguments[-1] in error
    assert valid in error
