"""What the benchmark measures, and measures only once."""

import dataclasses
import json

import pytest
from measured import make_measured


@pytest.fixture
def base(load_recipe):
    points = load_recipe("benchmarking.points")
    return points.Point(
        operation="adapt",
        contenders=("literal", "fast"),
        size=(64, 96),
        batch_size=8,
        num_tasks=4,
        dtype="float32",
        quick=False,
        repeats=3,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": "predict"},
        {"contenders": ("fast",)},
        {"size": (96, 64)},
        {"batch_size": 4},
        {"num_tasks": 1},
        {"dtype": "mixed_bfloat16"},
        {"quick": True},
        {"repeats": 7},
        {"steps": 8},
    ],
)
def test_the_key_tells_points_apart(base, changes):
    other = dataclasses.replace(base, **changes)
    assert other.key != base.key
    assert dataclasses.replace(base).key == base.key


def test_sweeps_share_the_point_of_the_main_table(load_recipe, base):
    points = load_recipe("benchmarking.points")
    for sweep in ("batch", "tasks"):
        assert base in points.sweep_points(base, sweep)
    steps = points.sweep_points(base, "steps")
    assert [point.steps for point in steps] == [1, 2, 4, 8]
    assert {point.setting for point in steps} == {base}


def test_predictions_have_a_form_of_their_own(load_recipe, base):
    points = load_recipe("benchmarking.points")
    both = points.main_points(
        base, ["adapt", "predict"], ["literal", "fast"], ["float32"]
    )
    assert [point.contenders for point in both] == [
        ("literal", "fast"),
        ("literal", "literal_heads", "fast"),
    ]
    fast = points.main_points(base, ["predict"], ["fast"], ["float32"])
    assert fast[0].contenders == ("fast",)


def test_methods_are_compared_with_the_first(load_recipe, base):
    points = load_recipe("benchmarking.points")
    pairs = points.method_points(base, ["SourceOnly", "S4T", "BatchNormOnly"])
    assert [point.contenders for point in pairs] == [
        ("SourceOnly", "S4T"),
        ("SourceOnly", "BatchNormOnly"),
    ]
    arguments = pairs[0].worker_arguments("SourceOnly")
    assert arguments[2:6] == ["--form", "fast", "--method", "SourceOnly"]
    arguments = base.worker_arguments("literal")
    assert arguments[2:6] == ["--form", "literal", "--method", "S4T"]
    (alone,) = points.method_points(base, ["S4T"])
    assert alone.contenders == ("S4T",)


def test_results_are_found_again(load_recipe, tmp_path, base):
    Results = load_recipe("benchmarking.results").BenchmarkResults
    path = tmp_path / "results.json"
    results = Results(path)
    results.add(base.key, make_measured())
    again = Results(path)
    assert again.points == results.points
    assert again.points[base.key]["contenders"]["fast"]["rates"] == [10, 2, 8]
    assert not Results(path, fresh=True).points

    stored = json.loads(path.read_text())
    stored["environment"]["cores"] = 1000
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="cores"):
        Results(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda stored: stored["points"]["a"].pop("contenders"), "older"),
        (lambda stored: stored.pop("points"), "without"),
    ],
)
def test_another_files_results_are_refused(
    load_recipe, tmp_path, change, message
):
    Results = load_recipe("benchmarking.results").BenchmarkResults
    path = tmp_path / "results.json"
    Results(path).add("a", make_measured())
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match=f"benchmark.*{message}"):
        Results(path)
    assert not Results(path, fresh=True).points


def test_only_unfinished_points_are_measured(
    load_recipe, tmp_path, base, monkeypatch, capsys
):
    benchmark = load_recipe("benchmark")
    results = benchmark.BenchmarkResults(tmp_path / "results.json")
    results.add(base.key, make_measured())
    points = [dataclasses.replace(base, steps=n) for n in (None, 1, 2, 1)]
    broken = dataclasses.replace(base, batch_size=1)
    groups = []

    def measure(group, on_round):
        groups.append([point.steps for point in group])
        if group[0].batch_size == 1:
            raise benchmark.WorkerError("out of memory")
        return [make_measured(point.steps) for point in group]

    monkeypatch.setattr(benchmark, "measure", measure)
    failures = benchmark.measure_all([broken, *points], results)
    assert groups == [[None], [1, 2]]
    assert failures == ["out of memory"]
    assert "out of memory" in capsys.readouterr().err
    assert set(results.points) == {point.key for point in points}


@pytest.mark.eager
@pytest.mark.slow
def test_a_worker_that_fails_is_quoted(load_recipe, base):
    turns = load_recipe("benchmarking.turns")
    broken = dataclasses.replace(base, num_tasks=9, quick=True)
    with pytest.raises(turns.WorkerError, match="--num-tasks: invalid choice"):
        turns.measure([broken])
