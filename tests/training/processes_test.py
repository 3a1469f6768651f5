"""Devices and processes that share batches make the steps of one."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import shared_steps

BACKEND = keras.backend.backend()
SHARES = {
    "tensorflow": "mirrored",
    "jax": "data_parallel",
    "torch": "processes",
}[BACKEND]
TESTS = pathlib.Path(__file__).parents[1]
STAGES = {
    "mirrored": (
        "train SourceOnly uneven",
        "train SourceOnly nan",
        "adapt Tent uneven",
    ),
    "data_parallel": (
        "train SourceOnly even",
        "train SourceOnly uneven",
        "adapt S4T even",
    ),
    "processes": (
        "train SourceOnly even",
        "train SourceOnly uneven",
        "train SourceOnly nan",
        "resume SourceOnly uneven",
        "adapt Tent uneven",
        "adapt BatchNormOnly uneven",
    ),
}[SHARES]
REFUSED = {
    "train ClusT3 even": "means over images or pixels",
    "disagree SourceOnly even": "the same batches",
}


def share(folder, stages):
    """What every process ends with."""
    program = [str(TESTS / "shared_steps.py"), str(folder), *stages]
    if SHARES == "processes":
        launcher = ["-m", "torch.distributed.run", "--standalone"]
        program = [*launcher, "--nproc-per-node=2", *program]
    environment = {
        **os.environ,
        "SHARES": SHARES,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(
            [str(TESTS), str(TESTS.parent), *filter(None, sys.path)]
        ),
    }
    if SHARES == "data_parallel":
        flags = os.environ.get("XLA_FLAGS", "")
        flag = "--xla_force_host_platform_device_count=2"
        environment["XLA_FLAGS"] = f"{flags} {flag}"
    result = subprocess.run(
        [sys.executable, *program],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return [dict(np.load(path)) for path in sorted(folder.glob("*.npz"))]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:1 steps were skipped")
def test_a_shared_step_is_that_of_the_whole_batch(tmp_path, monkeypatch):
    monkeypatch.delenv("SHARES", raising=False)
    alone = tmp_path / "alone"
    alone.mkdir()
    monkeypatch.setenv("FOLDER", str(alone))
    refused = {} if SHARES == "data_parallel" else dict(REFUSED)
    if SHARES == "mirrored":
        del refused["disagree SourceOnly even"]
    ranks = share(tmp_path, [*STAGES, *refused])
    assert len(ranks) == (2 if SHARES == "processes" else 1)
    for stage in STAGES:
        values, logs = shared_steps.run(stage)
        expected = {str(i): value for i, value in enumerate(values)} | logs
        for received in ranks:
            for name, value in expected.items():
                np.testing.assert_allclose(
                    received[f"{stage} {name}"],
                    value,
                    rtol=1e-5,
                    atol=1e-5,
                    err_msg=f"{stage} {name}",
                )
        assert logs.get("skipped_steps", 0) == ("nan" in stage)
    for stage, text in refused.items():
        for received in ranks:
            assert text in str(received[f"{stage} error"])
