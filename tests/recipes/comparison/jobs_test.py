"""A comparison in several processes."""

import json
import os
import signal
import sys
import types

import joblib
import pytest
import torch

import keras_s4t


@pytest.fixture
def pool(load_recipe):
    return load_recipe("comparison.jobs").Pool(2)


@pytest.mark.parametrize("as_they_come", [True, False])
def test_jobs_come_back_with_their_results(pool, monkeypatch, as_they_come):
    # Ray's backend of joblib returns lists alone.
    backend = joblib.parallel.LokyBackend
    monkeypatch.setattr(backend, "supports_return_generator", as_they_come)

    def square(number):
        print("not shown")
        return number**2, os.getpid()

    results = dict(pool.run(square, [1, 2, 3]))
    assert {job: square for job, (square, _) in results.items()} == {
        1: 1,
        2: 4,
        3: 9,
    }
    assert os.getpid() not in {process for _, process in results.values()}


def test_what_a_killed_worker_did_is_done_again(pool, tmp_path, capsys):
    marker = tmp_path / "marker"

    def work(number):
        if number == 2 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return -number

    assert dict(pool.run(work, [1, 2, 3])) == {1: -1, 2: -2, 3: -3}
    assert "A worker died" in capsys.readouterr().err


def test_workers_that_die_again_and_again(pool):
    def work(number):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RuntimeError, match="died 3 times.*1 jobs"):
        list(pool.run(work, [1]))


def test_an_error_of_a_job_is_raised(pool):
    def work(number):
        raise ValueError(f"Received: {number}")

    with pytest.raises(ValueError, match="Received: 5"):
        list(pool.run(work, [5]))


@pytest.mark.slow
def test_two_jobs_give_what_one_gives(load_recipe, monkeypatch, tmp_path):
    """One of two workers is killed in the middle."""
    recipe = load_recipe("compare_methods")
    monkeypatch.setattr(recipe, "draw", lambda *args: None)
    # Sums depend on the number of threads, and a worker has one here.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    quick = load_recipe("comparison.settings").QUICK
    marker, main = tmp_path / "marker", os.getpid()

    def make():
        if os.getpid() != main and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return keras_s4t.methods.NCTTT(projection_dim=4, seed=0)

    results = []
    for jobs in (1, 2):
        output = tmp_path / f"{jobs}"
        content = recipe.compare_methods(
            {"Mine": make},
            output=output,
            jobs=jobs,
            cache=None,
            targets=["synth_rooms/evening"],
            **{**quick, "num_source": 16, "num_target": 8},
        )
        assert json.loads((output / "results.json").read_text()) == content
        results.append(content)
    torch.set_num_threads(threads)
    assert marker.exists()
    one, two = results
    for part in ("plan", "contenders", "tasks"):
        assert one[part] == two[part]
    for part, size in (("sources", 2), ("runs", 4)):
        assert len(one[part]) == size
        assert set(one[part]) == set(two[part])
        for key, record in one[part].items():
            assert {**record, "seconds": 0} == {**two[part][key], "seconds": 0}
    assert set(one["costs"]) == set(two["costs"])


def test_a_cluster_that_does_not_answer(load_recipe, monkeypatch):
    pool = load_recipe("comparison.jobs").Pool

    def client(address, timeout):
        assert timeout <= 60
        raise OSError("Timed out")

    module = types.SimpleNamespace(Client=client)
    monkeypatch.setitem(sys.modules, "distributed", module)
    with pytest.raises(ValueError, match="answers.*tcp://h:1.*Timed out"):
        pool(2, "tcp://h:1")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match="pip install distributed"):
        pool(2, "tcp://h:1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "`jobs` must be at least 1.*jobs=0"),
        ({"cluster": "http://h:1"}, "ray://.*tcp://.*cluster='http://h:1'"),
    ],
)
def test_bad_options(compare, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        compare({"Tent": "Tent"}, **options)
    assert not (tmp_path / "comparison").exists()
