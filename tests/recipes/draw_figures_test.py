"""Tables and figures of handmade results, against numbers computed by hand."""

import csv
import json
import math
import sys

import numpy as np
import pytest
import scipy.stats
from measured import make_measured

import keras_s4t

TASKS = [keras_s4t.tasks.semseg(3), keras_s4t.tasks.depth()]
# By seed, in percent at step 2: of both tasks the same.
GAINS = {
    ("BatchNormOnly", "plain"): (10.0, 20.0, 30.0),
    ("Tent", "plain"): (11.0, 22.0, 33.0),
    ("BatchNormOnly", "S4T"): (12.0, 12.0, 12.0),
    ("S4T", "S4T"): (14.0, 15.0, 10.0),
}


def make_run(method, network, target, seed, gain):
    base = {"plain": 0.2, "S4T": 0.4}[network] + 0.01 * seed
    shares = (
        [0.0] if method == "SourceOnly" else [0.0, 0.5 * gain, gain, gain / 4]
    )
    return {
        "seed": seed,
        "target": target,
        "contender": method,
        "network": network,
        "seconds": 1.0,
        "curve": {
            "step": list(range(len(shares))),
            "semseg_miou": [base * (1 + s / 100) for s in shares],
            "depth_rmse": [10 * base * (1 - s / 100) for s in shares],
        },
    }


def make_content(targets=("a/dusk",)):
    runs = {}
    for target in targets:
        for seed in range(3):
            for (method, network), gains in GAINS.items():
                runs[f"{target} {method} {network} {seed}"] = make_run(
                    method, network, target, seed, gains[seed]
                )
            runs[f"{target} SourceOnly {seed}"] = make_run(
                "SourceOnly", "plain", target, seed, 0.0
            )
    contenders = {
        name: {
            "network": "S4T" if name == "S4T" else "plain",
            "default_learning_rate": 1e-3,
            "learning_rate": 1e-2 if name == "Tent" else None,
            "step": 2,
            "costs": f"costs {name}",
            "tuning": f"tuning {name}",
        }
        for name in ("SourceOnly", "BatchNormOnly", "Tent", "S4T")
    }
    # What another command asked for must not be shown.
    stale = make_run("Tent", "plain", "a/dusk", 7, 99.0)
    return {
        "settings": {"seeds": [0, 1, 2]},
        "tasks": [task.get_config() for task in TASKS],
        "contenders": contenders,
        "plan": list(runs),
        "runs": {"stale": stale, **runs},
        "sources": {},
        "costs": {
            "costs Tent": {
                "parameters": 1234,
                "updated": 12,
                "step_seconds": 0.25,
                "predict_seconds": 0.1,
                "device": "CPU",
            }
        },
        "tuning": {
            "tuning Tent": {
                "learning_rate": 1e-2,
                "step": 2,
                "learning_rates": [1e-3, 1e-2],
                "steps": [0, 1, 2],
                "mean_gain": 4.0,
                "mean_gains": [[0.0, 1.0, 2.0], [0.0, 3.0, 4.0]],
                "at_edge": True,
            }
        },
        "benchmark": {"Tent": {"step_seconds": 2.0, "peak_memory": 3e9}},
    }


@pytest.fixture
def summarize(load_recipe):
    return load_recipe("comparison.summary").Summary


def test_gain_over_the_control_of_the_same_network(summarize, load_recipe):
    summary = summarize(make_content())
    assert summary.methods == ["SourceOnly", "BatchNormOnly", "Tent", "S4T"]
    gains = summary.gains("S4T", "a/dusk")
    assert gains == pytest.approx({0: 14, 1: 15, 2: 10})
    over = summary.over_control("S4T", "a/dusk")
    assert over == pytest.approx({0: 2, 1: 3, 2: -2})
    over = summary.over_control("Tent", "a/dusk")
    assert over == pytest.approx({0: 1, 1: 2, 2: 3})
    # Paired: mean 2, standard deviation 1 of three differences.
    spread = load_recipe("comparison.statistics").spread
    half_width = spread(list(over.values())).half_width
    assert half_width == pytest.approx(4.302653 / math.sqrt(3))


def test_the_best_step_is_that_of_the_mean(summarize):
    best, step = summarize(make_content()).best("Tent", "a/dusk")
    assert step == 2
    assert best.mean == pytest.approx(22)
    best, step = summarize(make_content()).best("SourceOnly", "a/dusk")
    assert (best.mean, step) == (0, 0)


def test_mean_curves(summarize):
    summary = summarize(make_content())
    curve = summary.mean_curve("BatchNormOnly", "a/dusk")
    assert curve.steps == [0, 1, 2, 3]
    values = [0.2 * 1.1, 0.21 * 1.2, 0.22 * 1.3]
    assert curve.at(2)["semseg_miou"] == pytest.approx(np.mean(values))
    assert curve.points[0]["semseg_miou"] == pytest.approx(0.21)


def test_correlation_is_over_methods_that_adapt(summarize):
    content = make_content()
    for run in content["runs"].values():
        curve = run["curve"]
        if run["contender"] != "SourceOnly":
            # The later the second task is best, the larger the variance.
            late = {"BatchNormOnly": 1, "Tent": 2, "S4T": 3}[run["contender"]]
            curve["depth_rmse"] = [10.0, 9.9, 9.8, 9.7]
            curve["depth_rmse"][late] = 5.0
            curve["semseg_miou"] = [0.1, 0.2, 0.14 + late / 100, 0.15]
    summary = summarize(content)
    variances = [
        summary.synchronization(name, "a/dusk")["step_variance"].mean
        for name in ("BatchNormOnly", "Tent", "S4T")
    ]
    assert variances == [0.0, 0.25, 1.0]
    gains = [
        np.mean(list(summary.gains(name, "a/dusk").values()))
        for name in ("BatchNormOnly", "Tent", "S4T")
    ]
    assert gains == pytest.approx([(50 + 2) / 2, (60 + 50) / 2, (70 + 2) / 2])
    # Ranks 1, 2, 3 and 1, 3, 2.
    correlation, count = summary.correlations("a/dusk")["step_variance"]
    assert count == 3
    assert correlation == pytest.approx(0.5)


def test_the_mean_over_targets_is_paired_over_seeds(summarize):
    content = make_content(("a/dusk", "a/dawn"))
    for key in content["plan"]:
        run = content["runs"][key]
        if run["target"] == "a/dawn" and run["contender"] == "Tent":
            content["runs"][key] = make_run("Tent", "plain", "a/dawn", 0, 0.0)
            content["runs"][key]["seed"] = run["seed"]
    summary = summarize(content)
    spread = summary.over_targets(summary.gains, "Tent")
    assert spread.mean == pytest.approx(np.mean([5.5, 11, 16.5]))
    assert spread.std == pytest.approx(np.std([5.5, 11, 16.5], ddof=1))
    assert spread.count == 3


def test_cells(summarize, load_recipe):
    tables = load_recipe("comparison.tables")
    summary = summarize(make_content())
    text = tables.target_table(summary, "a/dusk").markdown()
    lines = {line.split(" | ")[0]: line for line in text.splitlines()}
    cells = lines["| Tent"].strip("| ").split(" | ")
    assert cells[0] == "Tent"
    values = np.array([0.2 * 1.11, 0.21 * 1.22, 0.22 * 1.33])
    assert cells[1] == f"{values.mean():.4f} ±{values.std(ddof=1):.2g}"
    assert cells[3] == "+22.00 ±11.00"
    assert cells[4] == "+2.00 ±2.48"
    assert cells[5] == "+22.00 @2"
    assert "| over BatchNormOnly |" in text

    text = tables.network_table(summary).markdown()
    assert "| plain | 0.2100 | 2.100 | +20.00 |" in text
    assert "| S4T | 0.4100 | 4.100 | +12.00 |" in text
    text = tables.costs_table(summary).markdown()
    assert "| Tent | 1,234 | 12 | 0.250 | 0.100 | 2.00 | 3.00 |" in text
    text = tables.tuning_table(summary).markdown()
    assert "| Tent | 1.0e-03 | 1.0e-02 | 2 | +4.00 | yes |" in text


def run_recipe(load_recipe, monkeypatch, *arguments):
    recipe = load_recipe("draw_figures")
    arguments = ["draw_figures.py", *map(str, arguments)]
    monkeypatch.setattr(sys, "argv", arguments)
    recipe.main()


def test_files(load_recipe, monkeypatch, tmp_path, capsys):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(make_content(("a/dusk", "a/dawn"))))
    output = tmp_path / "drawn"
    run_recipe(load_recipe, monkeypatch, "--results", path, "--output", output)
    names = {p.name for p in output.iterdir()}
    figures = {
        f"{figure}_a_{target}.{suffix}"
        for figure in ("curves", "synchronization")
        for target in ("dusk", "dawn")
        for suffix in ("png", "pdf")
    } | {
        f"synchronization{name}.{suffix}"
        for name in ("", "_over_control")
        for suffix in ("png", "pdf")
    }
    tables = {"tables.md", "metrics.csv", "costs.csv", "tuning.csv"}
    assert names == figures | tables
    assert "Delta_TTT" in capsys.readouterr().out
    with open(output / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    row = next(r for r in rows if r["method"] == "Tent")
    assert float(row["delta_ttt_mean"]) == pytest.approx(22)
    assert float(row["over_batch_norm_only_mean"]) == pytest.approx(2)
    with open(output / "tuning.csv", newline="") as file:
        gains = [float(row["mean_gain"]) for row in csv.DictReader(file)]
    assert gains == [0, 1, 2, 0, 3, 4]


def test_quick_draws_one_figure_of_a_kind(load_recipe, monkeypatch, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(make_content(("a/dusk", "a/dawn"))))
    run_recipe(load_recipe, monkeypatch, "--results", path, "--quick")
    figures = {
        p.name for p in tmp_path.iterdir() if p.suffix in (".png", ".pdf")
    }
    assert figures == {"curves_a_dusk.png", "synchronization_a_dusk.png"}
    assert "a/dawn" in (tmp_path / "tables.md").read_text()


def test_correlations_over_methods_and_targets(load_recipe):
    content = make_content(("a/dusk", "a/dawn"))
    # On the second target, the order of the gains is another.
    for run in content["runs"].values():
        if run["target"] == "a/dawn" and run["contender"] == "Tent":
            run["curve"]["depth_rmse"] = [2.0, 1.9, 1.99, 1.97]
    summary = load_recipe("comparison.summary").Summary(content)
    table = load_recipe("comparison.tables").correlation_table(summary)
    assert [row[0] for row in table.rows] == [
        "a/dusk",
        "a/dawn",
        "and over all targets",
    ]
    for per_target, first in (
        (summary.gains, 1),
        (summary.over_control, 4),
    ):
        points = [
            summary.marker(method, target, per_target)
            for method in ("BatchNormOnly", "Tent", "S4T")
            for target in ("a/dusk", "a/dawn")
            if first == 1 or method != "BatchNormOnly"
        ]
        gains = [point["gain"] for point in points]
        for column, measure in enumerate(
            ("step_variance", "dynamic_time_warping", "cosine_similarity")
        ):
            expected = scipy.stats.spearmanr(
                [point[measure] for point in points], gains
            ).statistic
            assert table.rows[-1][first + column] == f"{expected:+.2f}"


def test_titles_stand_for_names(load_recipe, tmp_path):
    content = make_content()
    load_recipe("draw_figures").draw(content, tmp_path, quick=True)
    with open(tmp_path / "metrics.csv", newline="") as file:
        names = [row["method"] for row in csv.DictReader(file)]
    assert names == ["Base", "BatchNormOnly", "Tent", "S4T"]
    text = (tmp_path / "tables.md").read_text()
    assert "\n| Base | " in text and "SourceOnly" not in text


def test_half_a_comparison_is_drawn(load_recipe, tmp_path):
    content = make_content(("a/dusk", "a/dawn"))
    for key in content["plan"][7:]:
        del content["runs"][key]
    load_recipe("draw_figures").draw(content, tmp_path)
    assert (tmp_path / "curves_a_dusk.png").stat().st_size
    assert "a/dawn" not in (tmp_path / "tables.md").read_text()


def test_what_diverged_is_empty_and_all_else_is_there(load_recipe, tmp_path):
    content = make_content()
    for run in content["runs"].values():
        if run["contender"] == "Tent":
            run["curve"]["depth_rmse"][2] = None
    load_recipe("draw_figures").draw(content, tmp_path)
    with open(tmp_path / "metrics.csv", newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert rows["Tent"]["delta_ttt_mean"] == ""
    assert float(rows["Tent"]["semseg_miou_mean"]) > 0
    assert float(rows["S4T"]["delta_ttt_mean"]) == pytest.approx(13)


def test_a_metric_of_0_has_no_gain_but_a_curve(load_recipe, tmp_path):
    content = make_content()
    for run in content["runs"].values():
        run["curve"]["semseg_miou"][0] = 0.0
    load_recipe("draw_figures").draw(content, tmp_path)
    assert (tmp_path / "curves_a_dusk.png").stat().st_size
    assert (tmp_path / "synchronization_a_dusk.png").stat().st_size
    assert "+nan" in (tmp_path / "tables.md").read_text()


OLD = {"sources": {}, "tuning": {}, "costs": {}, "runs": {}, "methods": {}}


@pytest.mark.parametrize(
    "text", ["{}", "[]", "no JSON", '{"points": {}}', json.dumps(OLD)]
)
def test_other_files(load_recipe, monkeypatch, tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(SystemExit, match="must be that of a comparison"):
        run_recipe(load_recipe, monkeypatch, "--results", path)


def test_costs_of_the_benchmark(load_recipe, tmp_path):
    costs = load_recipe("comparison.costs")
    point = make_measured()
    point["contenders"]["Tent"] = point["contenders"].pop("fast")
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"points": {"a": point}}))
    measured = costs.read_benchmark(path, ["Tent", "S4T"])
    assert measured == {
        "Tent": {
            "parameters": 1,
            "step_seconds": 4.0,
            "peak_memory": 1e9,
            "setting": "64x96, batch 8, 4 tasks, float32, CPU",
        }
    }
    with pytest.raises(ValueError, match="--methods"):
        costs.read_benchmark(path, ["S4T"])


def test_the_choice_of_tuning(load_recipe):
    choose = load_recipe("shared.tuning").choose
    nan = math.nan
    gains = [
        [[0, 1, 2], [0, 8, 1], [0, nan, nan]],
        [[0, 3, 2], [0, 4, 3], [0, 99, 99]],
        # The source model fails here altogether.
        [[nan, nan, nan]] * 3,
    ]
    choice = choose(gains, [1e-3, 1e-2, 1e-1], [0, 5, 10])
    assert (choice["learning_rate"], choice["step"]) == (1e-2, 5)
    assert choice["mean_gain"] == 6.0
    assert not choice["at_edge"]
    # All of them harm; to do nothing is not among the choices.
    choice = choose([[[0, -2, -3], [0, -1, -4]]], [1e-3, 1e-2], [0, 5, 10])
    assert (choice["learning_rate"], choice["step"]) == (1e-2, 5)
    assert choice["at_edge"]
    choice = choose([[[nan, nan]]], [None], [0, 5])
    assert choice["step"] is None
