"""Presets that ship: complete, small, and as good as their cards say."""

import json

import keras
import pytest

import keras_s4t
from keras_s4t.presets import PRESETS

NAME = "s4t_synth_rooms_64"
FILES = {
    "README.md",
    "config.json",
    "metadata.json",
    "metrics.json",
    "model.weights.h5",
    "training.json",
}


@pytest.mark.parametrize("name", PRESETS)
def test_files_and_card(name):
    folder = PRESETS[name]
    assert {path.name for path in folder.iterdir()} == FILES
    card = (folder / "README.md").read_text()
    assert card.startswith(f"# {name}\n") and f'from_preset("{name}")' in card
    domains = json.loads((folder / "metrics.json").read_text())["domains"]
    assert list(domains)[0] == "synth_rooms/source"
    for domain, methods in domains.items():
        assert f"### {domain}\n" in card
        assert list(methods)[:2] == ["SourceOnly", "BatchNormOnly"]
        for values in methods.values():
            assert f"{values['depth_rmse']:#.4g}" in card
    training = json.loads((folder / "training.json").read_text())
    assert training["num_examples"] >= 6000 and len(training["epochs"]) >= 30
    assert training["command"].startswith("python recipes/train_source.py")


def test_all_presets_are_small():
    folders = PRESETS.values()
    sizes = [path.stat().st_size for f in folders for path in f.iterdir()]
    assert NAME in PRESETS and sum(sizes) < 15e6


def test_a_preset_is_ready_and_the_same_on_every_backend():
    adapter = keras_s4t.TargetAdapter.from_preset(NAME)
    adapter.compile()
    assert not adapter.method.missing
    rooms = keras_s4t.data.load(
        "synth_rooms/source",
        "validation",
        adapter.network.tasks,
        size=64,
        num_examples=8,
    )
    logs = adapter.evaluate(rooms, verbose=0, return_dict=True)
    measured = {
        "semseg_miou": 0.652734,
        "depth_rmse": 0.346485,
        "normals_merr": 18.977055,
        "edge_rmse": 0.218974,
    }
    assert {key: logs[key] for key in measured} == pytest.approx(
        measured, rel=1e-3
    )


def test_names_and_classes_that_do_not_fit():
    with pytest.raises(ValueError, match=f"'{NAME}'.*'s4t_synth_rooms_65'"):
        keras_s4t.TargetAdapter.from_preset("s4t_synth_rooms_65")
    with pytest.raises(ValueError, match="MultiTaskModel.*a TargetAdapter"):
        keras_s4t.models.MultiTaskModel.from_preset(NAME)


@pytest.mark.eager
def test_another_task_list(tmp_path):
    network = keras_s4t.TargetAdapter.from_preset(NAME).network
    network.save_to_preset(tmp_path / "rooms")
    others = [keras_s4t.tasks.depth(), keras_s4t.tasks.semseg(9)]
    tasks = keras.saving.serialize_keras_object(others)
    with pytest.raises(ValueError, match="tasks"):
        keras_s4t.models.MultiTaskModel.from_preset(
            tmp_path / "rooms", tasks=tasks
        )
