"""The paper's pairs of datasets, on generated archives, as a user runs them."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from generated_archives import nyud
from generated_archives import pascal
from generated_archives import taskonomy

from keras_s4t.curves import Curve

pytestmark = pytest.mark.eager

ROOT = pathlib.Path(__file__).parent.parent.parent
RECIPES = ROOT / "recipes"
PAIRS = (
    ("taskonomy_nyud", "taskonomy_mt/debug", "nyud_mt", 4),
    ("taskonomy_pascal", "taskonomy_mt/debug", "pascal_mt", 3),
    ("nyud_taskonomy", "nyud_mt", "taskonomy_mt/debug", 4),
    ("pascal_taskonomy", "pascal_mt", "taskonomy_mt/debug", 3),
)


def test_options_of_a_pair(load_recipe):
    configs = load_recipe("configs")
    config = configs.get("taskonomy_nyud", preset="tiny")
    assert config.name == "taskonomy_to_nyud"
    assert config.targets == ("nyud_mt",) and config.loss_balance == "awl"
    names = [task.name for task in config.make_tasks()]
    assert names == ["semseg", "depth", "normals", "edge"]
    options = config.load_options("nyud_mt")
    assert options == {"label_space": "taskonomy_nyud", "size": (256, 352)}
    release = configs.get("taskonomy_nyud", legacy=("inputs",))
    canvas = release.load_options("nyud_mt")["size"]
    assert canvas.size == (448, 576) and canvas.resize == "none"
    assert canvas.image_scaling is None
    canvas = release.load_options("taskonomy_mt/tiny_256")["size"]
    assert canvas.image_scaling == "taskonomy_release"


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("nyud_taskonomy", (112, 144)),
        ("taskonomy_nyud", (64, 64)),
        ("pascal_taskonomy", (128, 128)),
    ],
)
def test_the_grid_of_the_release(load_recipe, name, grid):
    configs = load_recipe("configs")
    config = configs.get(name, preset="tiny", legacy=("feature_grid",))
    images = np.zeros((1, 64, 96, 3), "float32")
    features = config.make_network().encode(images)
    assert tuple(features["P2"].shape[1:3]) == grid
    plain = configs.get(name, preset="tiny").make_network()
    assert tuple(plain.encode(images)["P2"].shape[1:3]) == (16, 24)


def test_the_papers_optimizers(load_recipe):
    config = load_recipe("configs").get("nyud_taskonomy")
    optimizer = config.make_source_optimizer(60000)
    rate = optimizer.get_config()["learning_rate"]["config"]
    assert rate["initial_learning_rate"] == 2e-5 and rate["power"] == 0.9
    assert rate["decay_steps"] == 60000 and rate["end_learning_rate"] == 0
    training = config.source_training
    assert training["epochs"] * training["steps_per_epoch"] == 60000
    assert training["batch_size"] == 8
    target = config.make_optimizer()
    assert float(target.learning_rate) == pytest.approx(2e-5)


def test_legacy_switches(load_recipe):
    configs = load_recipe("configs")
    legacy = ("normals_axis", "log_depth", "affine_rmse", "target_balance")
    config = configs.get("taskonomy_nyud", legacy=legacy)
    plain = configs.get("taskonomy_nyud")
    assert [task.config for task in plain.make_tasks()] != [
        task.config for task in config.make_tasks()
    ]
    _, depth, normals, edge = config.make_tasks()
    assert depth.config["encoding"] == "log"
    assert normals.config["loss"] == "row_cosine"
    assert edge.metric_key == "edge_batch_affine_rmse"
    assert config.make_method("S4T").target_balance == "fixed"
    back = configs.get("nyud_taskonomy", legacy=legacy)
    assert back.make_method("S4T").target_balance == "awl"
    assert back.make_method("S4T").source_weights == (0.01, 0.01)
    assert plain.make_method("S4T").target_balance == "sum"
    with pytest.raises(ValueError, match="'log_depth'.*'everything'"):
        configs.get("taskonomy_nyud", legacy=("everything",))
    with pytest.raises(ValueError, match="'synth_rooms'.*legacy"):
        configs.get("synth_rooms", legacy=("inputs",))
    with pytest.raises(ValueError, match="`decoder` must be one of"):
        configs.get("synth_rooms", decoder="nothing")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """All three datasets, built from generated archives."""
    from keras_s4t.data.__main__ import main

    folder = tmp_path_factory.mktemp("pairs")
    taskonomy.write(folder / "taskonomy")
    taskonomy.write_table(folder / "taskonomy", taskonomy.split_of_buildings())
    nyud.write(folder / "archives", "v3_png")
    pascal.write(folder / "archives")
    for name, manual, *config in (
        ("taskonomy_mt", "taskonomy", "--config", "debug"),
        ("nyud_mt", "archives"),
        ("pascal_mt", "archives"),
    ):
        command = ["build", name, "--manual-dir", str(folder / manual)]
        command += ["--data-dir", str(folder / "data"), *config]
        assert main(command) == 0
    return folder / "data"


def run(folder, name, *arguments):
    result = subprocess.run(
        [
            sys.executable,
            ROOT / "recipes" / f"{name}.py",
            "--quick",
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]


@pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="recipes name no backend, and PyTorch need not compile",
)
@pytest.mark.long
@pytest.mark.parametrize(("config", "source", "target", "num_tasks"), PAIRS)
def test_trains_adapts_and_draws(
    data_dir, tmp_path, config, source, target, num_tasks
):
    options = ["--config", config, "--preset", "tiny", "--size", "32"]
    options += ["--data-dir", data_dir]
    run(tmp_path, "train_source", *options, "--source", source)
    rows = json.loads((tmp_path / "runs/source/history.json").read_text())
    assert np.isfinite(rows[-1]["loss"]) and np.isfinite(rows[-1]["val_loss"])
    model = tmp_path / "runs/source/source.keras"
    run(
        tmp_path,
        "adapt_online",
        *(*options, "--target", target, "--model", model),
        *("--methods", "SourceOnly", "S4T", "--protocol", "release"),
    )
    curve = Curve.load(tmp_path / "runs/adapt/S4T.json")
    assert len(curve.higher_is_better) == num_tasks
    before, after = curve.points[0], curve.points[-1]
    moved = [key for key in curve.higher_is_better if before[key] != after[key]]
    assert moved
    assert (tmp_path / "runs/adapt/curves.png").stat().st_size
