"""The file of results under several processes, and on a full disk."""

import contextlib
import json

import pytest


@pytest.fixture
def make_results(load_recipe, tmp_path):
    def make(**options):
        results = load_recipe("comparison.results").ComparisonResults
        return results(tmp_path / "results.json", **options)

    return make


def test_two_processes_lose_nothing(make_results):
    first, second = make_results(), make_results()
    first.add("runs", "a", seconds=1.0)
    second.add("runs", "b", seconds=2.0)
    first.add("tuning", "c", step=3)
    second.update(plan=["a", "b"])
    content = json.loads(first.path.read_text())
    assert content == second.content
    assert content["runs"] == {"a": {"seconds": 1.0}, "b": {"seconds": 2.0}}
    assert content["tuning"] == {"c": {"step": 3}}
    assert content["plan"] == ["a", "b"]


def test_a_fresh_one_forgets_what_was_there_and_no_more(make_results):
    make_results().add("runs", "old", seconds=1.0)
    fresh = make_results(fresh=True)
    fresh.add("runs", "a", seconds=1.0)
    make_results().add("runs", "b", seconds=1.0)
    fresh.add("runs", "c", seconds=1.0)
    assert set(json.loads(fresh.path.read_text())["runs"]) == {"a", "b", "c"}


def test_a_full_disk_loses_nothing(
    make_results, load_recipe, monkeypatch, capsys
):
    results = make_results()
    results.add("runs", "a", seconds=1.0)

    @contextlib.contextmanager
    def full(path):
        raise OSError(28, "No space left on device")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(load_recipe("shared.results_file"), "atomic_path", full)
        results.add("runs", "b", seconds=2.0)
        results.add("runs", "c", seconds=3.0)
        message = capsys.readouterr().err
        assert message.count("No space left on device") == 1
        with pytest.raises(OSError, match="No space"):
            results.save()
    assert set(json.loads(results.path.read_text())["runs"]) == {"a"}
    results.add("runs", "d", seconds=4.0)
    assert set(json.loads(results.path.read_text())["runs"]) == set("abcd")


@pytest.mark.parametrize(
    "text",
    ['{"runs": {"a"', "[]", "{}", '{"points": {}, "environment": {}}'],
)
def test_other_files_are_refused(make_results, text):
    path = make_results().path
    path.write_text(text)
    with pytest.raises(ValueError, match="that of a comparison.*results.json"):
        make_results()
    assert path.read_text() == text
