"""Every recipe with `--quick`, as a user would start it."""

import contextlib
import csv
import importlib
import io
import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from configs.synth_rooms import SynthRooms
from PIL import Image

import keras_s4t
from keras_s4t.curves.curve import Curve

ROOT = pathlib.Path(__file__).parent.parent.parent
METHODS = ("SourceOnly", "BatchNormOnly", "S4T")
# Columns of the table of the gain that are no numbers.
GAIN_NAMES = ("target", "method", "prediction")

needs_minutes = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="recipes name no backend, and PyTorch need not compile",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("recipes")


@pytest.fixture(scope="module")
def source(folder):
    output = run(folder, "train_source", "--cache", "cache")
    return output / "source.keras"


# Run as a user would, in a process of their own. Others run in this one, which
# has imported everything already.
ALONE = ("benchmark", "quickstart", "train_source")


def run(folder, name, *arguments):
    """Runs a recipe in the folder; returns where it wrote."""
    return run_and_read_errors(folder, name, *arguments)[0]


def run_and_read_errors(folder, name, *arguments, output=None):
    """As `run`, and returns what was written to stderr as well."""
    output = output or folder / name
    own_size = ("adapt_images", "adapt_video", "live_latency", "quickstart")
    if name not in own_size:
        arguments = (*arguments, "--size", "32")
    arguments = ["--quick", "--output", output, *arguments]
    start = run_alone if name in ALONE else run_here
    return output, start(folder, name, list(map(str, arguments)))


def run_alone(folder, name, arguments):
    """Runs a recipe in a process of its own; returns its stderr."""
    env = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    result = subprocess.run(
        [sys.executable, ROOT / "recipes" / f"{name}.py", *arguments],
        cwd=folder,
        # Other tests have the other cores, see `conftest.py`.
        env={**env, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stderr


def run_here(folder, name, arguments):
    """Runs a recipe in this process; returns what it wrote to stderr."""
    errors = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", [f"{name}.py", *arguments])
        with contextlib.redirect_stderr(errors):
            importlib.import_module(name).main()
    return errors.getvalue()


@needs_minutes
@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [(), ("--train", "--size", "32", "--methods", "S4T", "ReplayS4T")],
)
def test_quickstart(folder, options):
    output = folder / f"quickstart{len(options)}"
    errors = run_and_read_errors(
        folder, "quickstart", "--cache", "cache", *options, output=output
    )[1]
    # No log lines of TensorFlow.
    assert errors == ""
    results = json.loads((output / "results.json").read_text())
    more = {"ReplayS4T"} if options else set()
    assert set(results["methods"]) == set(METHODS) | more
    gains = {k: v["delta_ttt"][-1] for k, v in results["methods"].items()}
    assert np.isfinite(list(gains.values())).all()
    if not options:
        # The model that ships sees at night, once its statistics follow.
        assert gains["SourceOnly"] == 0 and gains["BatchNormOnly"] > 5
    written = {path.name for path in output.iterdir()}
    names = {"curves.png", "predictions.png", "results.json"}
    assert written == (names | {"source.keras"} if options else names)


@needs_minutes
@pytest.mark.slow
def test_train_source(source):
    trainer = keras.saving.load_model(source, compile=False)
    assert isinstance(trainer, keras_s4t.SourceTrainer)
    rows = json.loads((source.parent / "history.json").read_text())
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(0 <= row["val_semseg_miou"] <= 1 for row in rows)


@needs_minutes
@pytest.mark.slow
def test_adapt_online(folder, source):
    arguments = ("--model", source, "--protocol", "episodic")
    output = run(folder, "adapt_online", *arguments, "--cache", "cache")
    curves = [Curve.load(output / f"{name}.json") for name in METHODS]
    assert all(curve.steps == [0, 1, 2] for curve in curves)
    base, control, _ = curves
    assert base.gains == [0.0, 0.0, 0.0]
    assert control.points[0] == base.points[0]
    assert control.points[1] != control.points[0]
    assert (output / "curves.png").stat().st_size


@needs_minutes
@pytest.mark.slow
def test_tune_adaptation(folder, source):
    arguments = ("--model", source, "--cache", "cache")
    output = run(folder, "tune_adaptation", *arguments)
    results = json.loads((output / "tuning.json").read_text())
    gains = np.array(list(results["gains"].values()))
    assert gains.shape == (6, 1, len(results["learning_rates"]))
    best = np.argmax(gains.mean(axis=(0, 1)))
    assert results["best_learning_rate"] == results["learning_rates"][best]
    # Both rates started from the same model, and they are not the same.
    assert np.all(gains[..., 0] != gains[..., 1])


@needs_minutes
@pytest.mark.slow
def test_synchronizer_accuracy(folder, source):
    arguments = ("--models", source, "--cache", "cache")
    output = run(folder, "synchronizer_accuracy", *arguments)
    results = json.loads(output.read_text())
    assert list(results) == ["source"]
    assert all(metric["kept"] > 0 for metric in results["source"].values())


@needs_minutes
@pytest.mark.slow
def test_make_preset(folder, source):
    shares = {"semseg": 0.25, "depth": 0.5, "normals": 0.75, "edge": 0.0}
    chosen = folder / "chosen.json"
    chosen.write_text(json.dumps({"choice": {"shares": shares}}))
    arguments = ("--model", source, "--cache", "cache", "--name", "tiny")
    output = run(folder, "make_preset", *arguments, "--shares", chosen)
    preset = output / "tiny"
    adapter = keras_s4t.TargetAdapter.from_preset(preset)
    assert adapter.method.synchronizer_share == shares
    measured = json.loads((preset / "metrics.json").read_text())["domains"]
    assert list(measured) == ["synth_rooms/source", "synth_rooms/mixed"]
    card = " ".join((preset / "README.md").read_text().split())
    assert "0.75 for surface normals and 0 for edges, chosen on" in card
    chosen.write_text("{}")
    with pytest.raises(SystemExit):
        run(folder, "make_preset", *arguments, "--shares", chosen)


@needs_minutes
@pytest.mark.slow
def test_adapt_images(folder, source):
    photographs = folder / "photographs"
    photographs.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 3), "uint8")
    for name in ("a.png", "b.png"):
        Image.fromarray(noise).save(photographs / name)
    arguments = ("--model", source, "--images", photographs, "--size", "32")
    output = run(folder, "adapt_images", *arguments)
    names = sorted(path.name for path in output.iterdir())
    assert names == ["a.png.png", "b.png.png"]


@needs_minutes
@pytest.mark.slow
def test_adapt_video(folder):
    arguments = ("--state", "state", "--cache", "cache")
    output = run(folder, "adapt_video", *arguments)
    written = {path.name for path in output.iterdir()}
    assert written == {
        "audit.jsonl",
        "before_after.mp4",
        "report.json",
        "windows.csv",
    }
    content = json.loads((output / "report.json").read_text())
    assert content["report"]["frames"] == 24
    assert content["limits"]["limits"]
    assert content["frames"]["timestamps"] == [None] * 24
    assert set(content["metrics"]) == {"source", "evening"}
    for models in content["metrics"].values():
        assert 0 < models["live"]["semseg_miou"] < 1
    records = keras_s4t.live.read_audit(output / "audit.jsonl")
    assert [record["frame"] for record in records] == [7, 15, 23]
    assert all(record["predicts"] for record in records)
    with (output / "windows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["action"] for row in rows] == [r["action"] for r in records]
    frames = list(keras_s4t.live.read_frames(output / "before_after.mp4"))
    assert len(frames) == 24
    # Without the text below, the frames differ, too.
    assert np.std([f.image[:200].mean() for f in frames]) > 0.1
    # Another walk, gone on with where the state ends.
    arguments = (*arguments, "--num-frames", "26")
    output = run(folder, "adapt_video", *arguments)
    frames = list(
        keras_s4t.live.read_frames(output / "before_after_000024.mp4")
    )
    assert len(frames) == 2
    content = json.loads((output / "report.json").read_text())
    assert content["report"]["frames"] == 26 == len(content["frames"]["names"])


@needs_minutes
@pytest.mark.slow
def test_domain_check(folder, source):
    photographs = folder / "swapped"
    photographs.mkdir()
    images, *_ = next(
        iter(
            keras_s4t.data.load(
                "synth_rooms/source",
                "train",
                ["depth"],
                num_examples=8,
                size=32,
            )
        )
    )
    for i, image in enumerate(images.numpy().astype("uint8")):
        Image.fromarray(image[..., ::-1]).save(photographs / f"{i}.png")
    output = run(
        folder, "domain_check", "--images", photographs, "--cache", "cache"
    )
    results = json.loads((output / "domain_check.json").read_text())
    source, target = results["statistics"].values()
    assert source["num_images"] == target["num_images"] == 8
    np.testing.assert_allclose(source["mean"], target["mean"][::-1], atol=3)


def tables_of(output):
    """The tables of a program, by title: a list of rows by their first cell."""
    tables = {}
    for part in (output / "tables.md").read_text().split("### ")[1:]:
        title, *lines = part.splitlines()
        rows = [line.split(" | ") for line in lines if line.startswith("| ")]
        tables[title] = {row[0].strip("| "): row[1:] for row in rows[2:]}
    return tables


def run_tables(folder, name, title, *arguments):
    """Runs a recipe; returns where it wrote, all tables and that of a title."""
    output, errors = run_and_read_errors(folder, name, *arguments)
    assert errors == ""
    tables = tables_of(output)
    (table,) = [rows for t, rows in tables.items() if t.startswith(title)]
    return output, tables, table


@pytest.fixture(scope="module")
def sources(folder):
    """A folder of source models that all comparisons share."""
    return ("--sources", folder / "sources", "--cache", "cache")


@needs_minutes
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "title", "rows", "figures"),
    [
        (
            "ablate_components",
            "Table 2",
            ["synchronizer", "synchronizer, projections", "S4T"],
            ["gains"],
        ),
        (
            "ablate_masking",
            "Table 3",
            ["shared", "random", "disjoint", "hide_tasks", "shared, ratio 0"],
            ["gains", "masks", "ratios", "synchronizer"],
        ),
        ("noise_robustness", "Table 5", ["S4T"], ["noise"]),
        (
            "small_windows",
            "synth_rooms/mixed",
            ["0", "2", "8", "32"],
            ["windows"],
        ),
        ("single_task", "Table 8", ["S4T, depth alone", "S4T"], ["gains"]),
        (
            "compare_architectures",
            "Table 6",
            ["S4T + pyramid", "NCTTT + MTI-Net", "S4T + MTI-Net"],
            ["gains"],
        ),
        (
            "task_affinity",
            "Figure 6",
            ["before", "BatchNormOnly", "S4T"],
            [
                "affinity_synth_rooms_mixed_cka",
                "affinity_synth_rooms_mixed_cosine",
            ],
        ),
    ],
)
def test_tables_of_the_paper(
    folder, sources, monkeypatch, name, title, rows, figures
):
    # What they train grows with the tasks, or with their square. The quickstart
    # and `jobs_test.py` have them all.
    make_all = SynthRooms.make_tasks
    monkeypatch.setattr(
        SynthRooms, "make_tasks", lambda config: make_all(config)[:2]
    )
    output, tables, table = run_tables(folder, name, title, *sources)
    assert set(rows) <= set(table)
    names = {*table, *(row for rows in tables.values() for row in rows)}
    assert name == "small_windows" or any("BatchNormOnly" in n for n in names)
    for row in rows:
        assert any(character.isdigit() for character in "".join(table[row]))
    for figure in figures:
        for suffix in (".png", ".pdf"):
            assert (output / f"{figure}{suffix}").stat().st_size
    assert {p.stem for p in output.glob("*.png")} == set(figures)


@needs_minutes
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "title", "rows", "figures"),
    [
        (
            "adapt_walk",
            "Delta_TTT",
            ["Base", "BatchNormOnly", "S4T, diverging, guarded"],
            ["walk"],
        ),
        ("choose_model", "Chosen without labels", ["mixed"], []),
        ("beyond_batch_norm", "Over BatchNormOnly", ["mixed"], []),
        (
            "live_latency",
            "Latency",
            ["no adaptation", "before the prediction", "in a thread"],
            [],
        ),
    ],
)
def test_live_streams(folder, name, title, rows, figures):
    cache = () if name == "live_latency" else ("--cache", "cache")
    output, _, table = run_tables(folder, name, title, *cache)
    assert set(rows) <= set(table)
    results = json.loads((output / "results.json").read_text())
    assert {p.stem for p in output.glob("*.png")} == set(figures)
    if name == "adapt_walk":
        # Where a learning rate diverges, the guard returns to the source.
        run = results["runs"]["S4T, diverging, guarded seed 0"]
        assert run["actions"]["reset"] and "adapted" not in run["predicted"]
    if name == "choose_model":
        run = results["runs"]["mixed seed 0"]
        names = {window["predicts"] for window in run["windows"]}
        assert len(run["windows"]) == 2 and names <= set(run["metrics"])
    if name == "beyond_batch_norm":
        check_rows_of_the_gain(output / "table.csv")
    if name == "live_latency":
        thread = results["ways"]["in a thread"]
        assert thread["frames"] == 16 and thread["median"] > 0


def check_rows_of_the_gain(path):
    """Gains in a table of `beyond_batch_norm.py` are those of its metrics."""
    with path.open() as file:
        rows = [
            {k: v if k in GAIN_NAMES else float(v) for k, v in row.items()}
            for row in csv.DictReader(file)
        ]

    def find(method, prediction):
        found = [
            row
            for row in rows
            if (row["method"], row["prediction"]) == (method, prediction)
        ]
        return found[0]

    def gain(before, after):
        errors = ("depth_rmse", "normals_merr", "edge_rmse")
        gains = [1 - after[name] / before[name] for name in errors]
        gains.append(after["semseg_miou"] / before["semseg_miou"] - 1)
        return 100 * sum(gains) / 4

    assert sum(row["chosen"] for row in rows) == 1
    for row in rows:
        kind = row["prediction"]
        for column, reference in (
            ("gain", find("Base", "plain")),
            ("over_batch_norm_same_prediction", find("BatchNormOnly", kind)),
            ("over_batch_norm_plain", find("BatchNormOnly", "plain")),
        ):
            assert row[column] == pytest.approx(gain(reference, row), abs=0.02)


@needs_minutes
@pytest.mark.long
def test_benchmark(folder):
    arguments = ("--operations", "adapt", "--sweeps", "steps")
    output = run(folder, "benchmark", *arguments)
    written = {path.name for path in output.iterdir()}
    # The lock is that of processes that write one file of results.
    assert written - {".results.json.lock"} == {"results.json", "scaling.png"}
    text = (output / "results.json").read_text()
    points = json.loads(text)["points"]
    for point in points.values():
        assert point["size"] == [32, 32]
        assert set(point["contenders"]) == {"literal", "fast"}
        for measured in point["contenders"].values():
            assert len(measured["seconds"]) == len(measured["rates"]) == 2
            assert min(measured["seconds"]) > 0
            assert measured["first_seconds"] > min(measured["seconds"])
            assert measured["loader_rate"] > 0
    assert len(points) == 3
    # Finished points are not measured again.
    run(folder, "benchmark", *arguments)
    assert (output / "results.json").read_text() == text


@needs_minutes
@pytest.mark.slow
def test_profile_step(folder):
    output = run(folder, "profile_step")
    results = json.loads((output / "results.json").read_text())
    parts = {part["name"]: part for part in results["parts"]}
    assert list(parts)[0] == "whole step" and list(parts)[-1] == "all else"
    assert {"convolutions 3x3", "batch norms", "decoders"} < set(parts)
    for part in parts.values():
        has_products = part["name"].startswith("convolutions")
        assert (part["speed"] is not None) is has_products
        assert part["name"] == "all else" or part["forward"] > 0
    assert sum(p["share"] for p in results["parts"]) == pytest.approx(2, abs=1)
    assert parts["convolutions 3x3"]["backward"] > 0
    assert not parts["decoders"]["backward"]
    table = (output / "tables.md").read_text()
    assert all(name in table for name in parts)


PROGRAMS = sorted(path.stem for path in (ROOT / "recipes").glob("*.py"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_explains_itself(load_recipe, monkeypatch, capsys, name):
    recipe = load_recipe(name)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    with pytest.raises(SystemExit) as exit_info:
        recipe.main()
    assert exit_info.value.code == 0
    text = capsys.readouterr().out
    assert "--quick" in text and f"python recipes/{name}.py" in text


def test_unreadable_photographs_are_skipped_and_named(load_recipe, tmp_path):
    recipe = load_recipe("adapt_images")
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "good.jpg")
    complete = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "truncated.jpg").write_bytes(complete[: len(complete) // 2])
    (tmp_path / "text.png").write_text("no picture")
    Image.fromarray(noise[..., 0].astype("uint16")).save(tmp_path / "deep.png")
    Image.fromarray(noise[..., 0] % 9).save(tmp_path / "good_labels.png")
    Image.fromarray(noise).save(tmp_path / "good_10.png")
    Image.fromarray(noise).quantize(128).save(tmp_path / "good_9.gif")
    (tmp_path / "notes.txt").write_text("not even called a picture")
    skipped = []
    names = [path.name for path, _ in recipe.read_all(tmp_path, skipped)]
    assert names == ["good.jpg", "good_9.gif", "good_10.png"]
    assert [path.name for path, _ in skipped] == [
        "deep.png",
        "good_labels.png",
        "text.png",
        "truncated.jpg",
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "valid"),
    [
        ("train_source", ["--config", "nowhere"], "synth_rooms"),
        ("train_source", ["--loss-balance", "nothing"], "awl"),
        ("train_source", ["--size", "50"], "multiple of 32"),
        ("train_source", ["--batch-size", "0"], "at least 1"),
        ("train_source", ["--decoder", "nothing"], "mti_net"),
        ("train_source", ["--method", "Nothing"], "S4T"),
        ("train_source", ["--legacy", "nothing"], "log_depth"),
        ("adapt_online", ["--methods", "Nothing"], "BatchNormOnly"),
        ("adapt_online", ["--protocol", "nothing"], "episodic"),
        ("adapt_online", ["--model", "nowhere.keras"], "saved model"),
        ("tune_adaptation", ["--config", "nowhere"], "synth_rooms"),
        ("tune_adaptation", ["--model", "nowhere.keras"], "saved model"),
        ("quickstart", ["--target", "nowhere"], "evening"),
        ("quickstart", ["--size", "32"], "must be 64"),
        ("adapt_video", ["--steps", "0"], "at least 1"),
        ("adapt_video", ["--input", "nowhere.mp4"], "a folder or a file"),
        ("adapt_video", ["--phases", "nowhere"], "evening"),
        ("adapt_video", ["--frame-rate", "0"], "in [0.0001, 1000]"),
        ("noise_robustness", ["--scales", "-0.1"], "must not be negative"),
        ("small_windows", ["--priors", "-1.0"], "finite and not negative"),
        ("small_windows", ["--batch-size", "4"], "--windows"),
        ("compare_architectures", ["--decoder", "mti_net"], "is compared"),
        ("ablate_masking", ["--ratios", "1.5"], "range [0, 1)"),
        ("choose_model", ["--num-target", "2"], "at least a window"),
        ("beyond_batch_norm", ["--num-target", "2"], "at least a window"),
        ("adapt_walk", ["--window", "0"], "at least 1"),
        ("live_latency", ["--frame-rate", "0"], "must be positive"),
        ("benchmark", ["--sweeps", "nothing"], "resolution"),
        ("benchmark", ["--forms", "nothing"], "literal"),
        ("benchmark", ["--methods", "Nothing"], "BatchNormOnly"),
        ("benchmark", ["--size", "50"], "multiples of 32"),
        ("benchmark", ["--repeats", "0"], "at least 1"),
    ],
)
def test_unknown_names(
    load_recipe, monkeypatch, capsys, name, arguments, valid
):
    recipe = load_recipe(name)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    with pytest.raises(SystemExit) as exit_info:
        recipe.main()
    assert exit_info.value.code == 2
    error = capsys.readouterr().err
    assert arguments[-1] in error
    assert valid in error
