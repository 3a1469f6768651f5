import pytest
import tiny

import keras_s4t

pytestmark = pytest.mark.eager


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


def test_adapters_of_all_kinds(load_recipe, tmp_path):
    load_adapter = load_recipe("shared.trained_model").load_adapter
    trainer = keras_s4t.SourceTrainer(tiny.make_network(), tiny.make_s4t())
    trainer.method.mark_done("training")
    trainer.save(tmp_path / "trainer.keras")
    adapter = keras_s4t.TargetAdapter(trainer.network, trainer.method)
    adapter.compile()
    adapter.save(tmp_path / "adapter.keras")
    adapter.save_to_preset(tmp_path / "preset")
    expected = tiny.numpy_values(trainer.network.variables)
    for name in ("trainer.keras", "adapter.keras", "preset"):
        loaded = load_adapter(tmp_path / name)
        assert isinstance(loaded, keras_s4t.TargetAdapter)
        assert not tiny.moved(loaded.network.variables, expected)
    assert load_adapter("s4t_synth_rooms_64").network.num_channels == 3
    trainer.network.save(tmp_path / "network.keras")
    with pytest.raises(SystemExit, match="TargetAdapter or a SourceTrainer"):
        load_adapter(tmp_path / "network.keras")
    with pytest.raises(SystemExit, match="no_such"):
        load_adapter("no_such")
