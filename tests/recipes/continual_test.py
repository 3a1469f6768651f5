"""The continual protocol: several targets are one stream."""

import numpy as np
import pytest
import tiny_config
import torch
from tiny_config import Entropy

import keras_s4t
from keras_s4t.callbacks import OnlineCurve
from keras_s4t.data import online_stream

TARGETS = list(tiny_config.TARGETS)
RETURN = "tiny/source (return)"
OPTIONS = {"protocol": "continual", "seeds": [0], "return_to_source": True}


METHODS = {"Mine": Entropy}


@pytest.fixture
def quiet(load_recipe, monkeypatch):
    """Nothing is drawn, which takes longer than all the rest."""
    recipe = load_recipe("compare_methods")
    monkeypatch.setattr(recipe, "draw", lambda *args: None)


def planned(results, name):
    """Dict from target to the curve of a contender, in order."""
    runs = [results["runs"][key] for key in results["plan"]]
    return {r["target"]: r["curve"] for r in runs if r["contender"] == name}


def test_curves_are_those_of_one_adapter_that_is_not_reset(
    compare, loader, load_recipe, quiet
):
    """The same adaptation without any recipe."""
    results = compare(METHODS, **OPTIONS)
    settings = load_recipe("comparison.settings").Settings(
        config=tiny_config.make_config(),
        output=results["settings"]["output"],
        **tiny_config.SETTINGS,
    )
    sources = load_recipe("comparison.source_models").SourceModels(
        settings, results
    )
    network = sources.trained(0, sources.plain).network
    adapter = keras_s4t.TargetAdapter(network, Entropy())
    adapter.compile()
    datasets = {
        name: loader(name, "test", network.tasks, 4, num_examples=8)
        for name in (*TARGETS, "tiny/source")
    }
    starts = [
        adapter.evaluate(dataset, verbose=0, return_dict=True)
        for dataset in datasets.values()
    ]
    curves = planned(results, "Mine")
    assert list(curves) == [*TARGETS, RETURN]
    for curve, start, dataset in zip(
        curves.values(), starts, datasets.values(), strict=True
    ):
        expected = OnlineCurve(dataset, steps=2)
        adapter.fit(
            online_stream(dataset, steps=2), callbacks=[expected], verbose=0
        )
        assert curve["step"] == [0, 1, 2]
        for key in ("semseg_miou", "depth_rmse"):
            values = [start[key], *(p[key] for p in expected.points[1:])]
            np.testing.assert_allclose(curve[key], values, rtol=2e-5)


def test_updates_persist_unless_they_are_reset(compare, quiet):
    continual = compare(METHODS, **OPTIONS)
    resets = compare(METHODS, **OPTIONS, reset_at_change=True)
    online = compare(
        METHODS,
        protocol="online",
        seeds=[0],
        targets=[*TARGETS, "tiny/source"],
    )
    for name in ("Mine", "BatchNormOnly"):
        persisting, fresh, alone = (
            list(planned(results, name).values())
            for results in (continual, resets, online)
        )
        assert fresh == alone
        assert persisting[0] == fresh[0]
        for one, other in zip(persisting[1:], fresh[1:], strict=True):
            assert one["depth_rmse"][0] == other["depth_rmse"][0]
            assert one["depth_rmse"][1] != other["depth_rmse"][1]
    bases = [planned(r, "SourceOnly") for r in (continual, resets)]
    assert bases[0] == bases[1]


def test_a_stream_is_done_as_a_whole_and_only_once(
    compare, quiet, load_recipe, monkeypatch
):
    comparison = load_recipe("comparison.comparison")
    original = comparison.measure_curve
    calls = []

    def measure_curve(adapter, *args):
        if len(calls) == stop:
            raise KeyboardInterrupt
        calls.append(type(adapter.method).__name__)
        return original(adapter, *args)

    monkeypatch.setattr(comparison, "measure_curve", measure_curve)
    stop = None
    whole = compare(METHODS, "whole", **OPTIONS)
    assert calls == [
        name
        for name in ("SourceOnly", "BatchNormOnly", "Entropy")
        for _ in range(3)
    ]
    # After the second target of `Mine`.
    calls.clear()
    stop = 8
    with pytest.raises(KeyboardInterrupt):
        compare(METHODS, **OPTIONS)
    calls.clear()
    stop = None
    again = compare(METHODS, **OPTIONS)
    assert calls == ["Entropy"] * 3
    assert again["plan"] == whole["plan"]
    assert set(again["runs"]) == set(whole["runs"])
    for key, run in whole["runs"].items():
        assert {**again["runs"][key], "seconds": 0} == {**run, "seconds": 0}
    calls.clear()
    compare(METHODS, **OPTIONS)
    assert calls == []
    # What comes after a target does not change it, what comes before does.
    compare(METHODS, **{**OPTIONS, "return_to_source": False})
    assert calls == []
    compare(METHODS, **{**OPTIONS, "targets": TARGETS[::-1]})
    assert len(calls) == 9


@pytest.mark.long
def test_two_processes_give_the_results_of_one(quiet, load_recipe, tmp_path):
    """Workers go through the first target again on the way to the second."""
    recipe = load_recipe("compare_methods")
    # Sums depend on the number of threads, and a worker has one here.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def run(name, jobs, *targets):
        return recipe.compare_methods(
            {"Mine": Entropy},
            output=tmp_path / name,
            jobs=jobs,
            cache=None,
            targets=targets,
            protocol="continual",
            return_to_source=True,
            **load_recipe("comparison.settings").QUICK,
        )

    targets = "synth_rooms/evening", "synth_rooms/sensor"
    one = run("one", 1, *targets)
    before = run("two", 2, targets[0])
    two = run("two", 2, *targets)
    torch.set_num_threads(threads)
    assert len(before["runs"]) == 6
    assert two["plan"] == one["plan"]
    assert len(two["plan"]) == 9
    for key in two["plan"]:
        expected = {**one["runs"][key], "seconds": 0}
        assert {**two["runs"][key], "seconds": 0} == expected
    # What was there is left as it was.
    for key, record in before["runs"].items():
        assert two["runs"][key] == record


def test_tables_tell_what_was_forgotten(compare, tmp_path, load_recipe):
    results = compare(METHODS, **OPTIONS)
    summary = load_recipe("comparison.summary").Summary(results)
    assert summary.targets == TARGETS
    assert summary.returns == [RETURN]
    table = load_recipe("comparison.tables").overall_table(summary)
    headers = [header.replace("\n", " ") for header in table.headers]
    assert headers[1:4] == ["dusk", "dawn", "mean %"]
    assert headers[-1] == "source (return)"
    row = {row[0]: row for row in table.rows}["Mine"]
    (gain,) = summary.gains("Mine", RETURN).values()
    assert float(row[-1]) == pytest.approx(gain, abs=0.006)
    targets = [summary.gains("Mine", name)[0] for name in TARGETS]
    assert float(row[3]) == pytest.approx(np.mean(targets), abs=0.006)
    folder = tmp_path / "comparison"
    assert "tiny/source (return), 1 seed" in (folder / "tables.md").read_text()
    assert RETURN in (folder / "metrics.csv").read_text()
    assert (folder / "curves_tiny_source_return_.png").exists()


@pytest.mark.parametrize("name", ["return_to_source", "reset_at_change"])
def test_options_of_other_protocols(compare, name):
    with pytest.raises(ValueError, match=f"`{name}` is for .*'online'"):
        compare(METHODS, protocol="online", **{name: True})
