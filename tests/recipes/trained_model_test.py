import pytest
import tiny

import keras_s4t


def test_a_trainer_is_loaded(load_recipe, tmp_path):
    trainer = keras_s4t.SourceTrainer(tiny.make_network(), tiny.make_s4t())
    trainer.save(tmp_path / "model.keras")
    loaded = load_recipe("shared.trained_model").load_trainer(
        tmp_path / "model.keras"
    )
    assert not tiny.moved(
        loaded.variables, tiny.numpy_values(trainer.variables)
    )


@pytest.mark.parametrize(
    "kind, message",
    [
        ("missing", "There is no model"),
        ("truncated", "damaged: it is no complete"),
        ("network", "must be a SourceTrainer.*a MultiTaskModel"),
    ],
)
def test_what_is_no_trainer(load_recipe, tmp_path, kind, message):
    path = tmp_path / "model.keras"
    if kind != "missing":
        tiny.make_network().save(path)
    if kind == "truncated":
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SystemExit, match=message):
        load_recipe("shared.trained_model").load_trainer(path)
