import json
import os

import h5py
import keras
import numpy as np
import pytest
import tiny
from other_backend import run_under_other_backend

import keras_s4t
from keras_s4t.models import MultiTaskModel
from keras_s4t.presets import PRESETS

FILES = ["config.json", "metadata.json", "model.weights.h5"]
SCRIPT = """
import sys
import numpy as np
import tiny
import keras_s4t

adapter = keras_s4t.TargetAdapter.from_preset(sys.argv[1])
adapter.compile()
np.savez(sys.argv[2], *tiny.numpy_values(adapter.network.variables))
adapter.reset()
np.savez(sys.argv[3], *tiny.numpy_values(adapter.network.variables))
"""


def make_network():
    network = tiny.make_network()
    tiny.fill(network)
    return network


def make_adapted():
    """An adapter after an update, without compiling it."""
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), tiny.make_s4t())
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.Adam(1e-3))
    adapter.take_source_state()
    tiny.fill(adapter, seed=8)
    return adapter


def assert_same(first, second, **tolerances):
    for a, b in zip(
        tiny.numpy_values(first), tiny.numpy_values(second), strict=True
    ):
        np.testing.assert_allclose(a, b, **{"rtol": 0, **tolerances})


def test_a_network_round_trips(tmp_path):
    network = tiny.make_network()
    network.decoders["depth"].trainable = False
    tiny.fill(network)
    network.save_to_preset(tmp_path / "folder" / "rooms")
    assert os.listdir(tmp_path / "folder") == ["rooms"]
    assert sorted(os.listdir(tmp_path / "folder" / "rooms")) == FILES
    loaded = MultiTaskModel.from_preset(str(tmp_path / "folder" / "rooms"))
    assert_same(network.variables, loaded.variables)
    assert not loaded.decoders["depth"].trainable
    assert loaded.decoders["semseg"].trainable
    metadata = json.loads(
        (tmp_path / "folder" / "rooms" / "metadata.json").read_text()
    )
    assert metadata["keras_version"] == keras.__version__
    assert metadata["keras_s4t_version"] == keras_s4t.__version__
    assert metadata["parameter_count"] == network.count_params()


def test_an_adapter_round_trips_with_its_source_state(tmp_path):
    adapter = make_adapted()
    before = tiny.numpy_values(adapter.variables)
    adapter.save_to_preset(tmp_path / "rooms")
    assert not tiny.moved(adapter.variables, before)
    loaded = keras_s4t.TargetAdapter.from_preset(tmp_path / "rooms")
    assert not loaded.compiled
    assert loaded.method.missing == ()
    state = [*adapter.network.variables, *adapter.method.variables]
    assert_same(state, [*loaded.network.variables, *loaded.method.variables])
    loaded.compile()
    # The source state of both is the same, and another than the present one.
    adapter.reset()
    loaded.reset()
    assert tiny.moved(adapter.variables, before)
    assert_same(state, [*loaded.network.variables, *loaded.method.variables])
    with h5py.File(tmp_path / "rooms" / "model.weights.h5") as file:
        assert "optimizer" not in file


@pytest.mark.eager
@pytest.mark.slow
def test_loads_under_another_backend(tmp_path):
    adapter = make_adapted()
    adapter.save_to_preset(tmp_path / "rooms")
    names = ("rooms", "now.npz", "source.npz")
    run_under_other_backend(SCRIPT, *(tmp_path / name for name in names))
    for name in ("now", "source"):
        values = tiny.numpy_values(adapter.network.variables)
        with np.load(tmp_path / f"{name}.npz") as loaded:
            assert len(loaded.files) == len(values)
            for i, value in enumerate(values):
                np.testing.assert_array_equal(loaded[f"arr_{i}"], value)
        adapter.reset()


def test_float16_on_disk_is_float32_in_memory(tmp_path):
    network = make_network()
    bias = network.decoders["depth"].bias
    bias.assign([1e5])
    network.save_to_preset(tmp_path / "whole")
    network.save_to_preset(tmp_path / "half", dtype="float16")
    loaded = MultiTaskModel.from_preset(tmp_path / "half")
    for variable, original in zip(
        loaded.variables, network.variables, strict=True
    ):
        assert variable.dtype == original.dtype
        value, expected = tiny.numpy_values([variable, original])
        # Below the smallest normal number of float16, its steps are 2**-24.
        np.testing.assert_allclose(value, expected, rtol=2**-11, atol=2.0**-25)
    assert tiny.numpy_values([loaded.decoders["depth"].bias])[0][0] == 1e5
    kernel = tiny.numpy_values([loaded.decoders["depth"].kernel])[0]
    np.testing.assert_array_equal(kernel, kernel.astype("float16"))

    dtypes = []

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            dtypes.append(str(item.dtype))

    with h5py.File(tmp_path / "half" / "model.weights.h5") as file:
        file.visititems(note)
    assert dtypes.count("float32") == 1
    # The names of the tasks are uint8.
    assert dtypes.count("float16") == len(dtypes) - 2
    sizes = [
        (tmp_path / name / "model.weights.h5").stat().st_size
        for name in ("whole", "half")
    ]
    assert sizes[1] < sizes[0]


@pytest.mark.eager
def test_the_source_state_of_a_float16_adapter(tmp_path):
    adapter = make_adapted()
    adapter.save_to_preset(tmp_path / "rooms", dtype="float16")
    loaded = keras_s4t.TargetAdapter.from_preset(tmp_path / "rooms")
    loaded.compile()
    adapter.reset()
    loaded.reset()
    assert_same(
        adapter.network.variables,
        loaded.network.variables,
        rtol=2**-11,
        atol=2.0**-25,
    )


@pytest.mark.eager
def test_without_weights(tmp_path):
    adapter = make_adapted()
    adapter.save_to_preset(tmp_path / "rooms")
    (tmp_path / "rooms" / "model.weights.h5").unlink()
    loaded = keras_s4t.TargetAdapter.from_preset(
        tmp_path / "rooms", load_weights=False
    )
    assert loaded.method.missing == ("training",)
    assert [v.shape for v in loaded.network.variables] == [
        v.shape for v in adapter.network.variables
    ]


def test_constructor_arguments_can_be_replaced(tmp_path):
    network = make_network()
    network.save_to_preset(tmp_path / "rooms")
    loaded = MultiTaskModel.from_preset(tmp_path / "rooms", remat=True)
    assert loaded.remat and not network.remat
    assert_same(network.variables, loaded.variables)
    with pytest.raises(ValueError, match="keyword arguments those of"):
        MultiTaskModel.from_preset(tmp_path / "rooms", color=True)


@pytest.mark.eager
def test_names_of_presets_that_ship(tmp_path, monkeypatch):
    network = make_network()
    network.save_to_preset(tmp_path / "a")
    monkeypatch.setitem(PRESETS, "rooms_tiny", tmp_path / "a")
    loaded = MultiTaskModel.from_preset("rooms_tiny")
    assert_same(network.variables, loaded.variables)
    with pytest.raises(ValueError, match=r"\['rooms_tiny', .*'rooms_big'"):
        MultiTaskModel.from_preset("rooms_big")


def test_a_folder_that_is_no_preset(tmp_path):
    for folder in (tmp_path / "nothing", tmp_path):
        with pytest.raises(ValueError, match="contains 'config.json'"):
            MultiTaskModel.from_preset(folder)


@pytest.mark.eager
def test_presets_of_another_class(tmp_path):
    make_network().save_to_preset(tmp_path / "rooms")
    with pytest.raises(
        ValueError, match="one of a TargetAdapter.*of a MultiTaskModel"
    ):
        keras_s4t.TargetAdapter.from_preset(tmp_path / "rooms")


@pytest.mark.eager
@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
@pytest.mark.parametrize("damage", ["cut", "empty", "missing"])
def test_damaged_files_are_named(tmp_path, name, damage):
    make_network().save_to_preset(tmp_path / "rooms")
    path = tmp_path / "rooms" / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
    with pytest.raises(ValueError, match=name):
        MultiTaskModel.from_preset(tmp_path / "rooms")


@pytest.mark.parametrize(
    "config", ["[]", "{}", '{"config": {}}', '{"config": {"backbone": 1}}']
)
def test_other_json_is_refused(tmp_path, config):
    make_network().save_to_preset(tmp_path / "rooms")
    (tmp_path / "rooms" / "config.json").write_text(config)
    with pytest.raises(ValueError, match="configuration of a preset"):
        MultiTaskModel.from_preset(tmp_path / "rooms")


@pytest.mark.eager
def test_weights_of_another_network(tmp_path):
    make_network().save_to_preset(tmp_path / "four")
    tiny.make_network(tiny.make_tasks(2)).save_to_preset(tmp_path / "two")
    os.replace(
        tmp_path / "two" / "model.weights.h5",
        tmp_path / "four" / "model.weights.h5",
    )
    with pytest.raises(ValueError, match="weights of a preset must be those"):
        MultiTaskModel.from_preset(tmp_path / "four")


@pytest.mark.eager
def test_a_preset_is_replaced_only_when_asked(tmp_path):
    network = make_network()
    network.save_to_preset(tmp_path / "rooms")
    other = tiny.make_network()
    tiny.fill(other, seed=9)
    with pytest.raises(ValueError, match="overwrite=True"):
        other.save_to_preset(tmp_path / "rooms")
    loaded = MultiTaskModel.from_preset(tmp_path / "rooms")
    assert_same(network.variables, loaded.variables)
    other.save_to_preset(tmp_path / "rooms", overwrite=True)
    loaded = MultiTaskModel.from_preset(tmp_path / "rooms")
    assert_same(other.variables, loaded.variables)
    assert os.listdir(tmp_path) == ["rooms"]


def test_another_folder_is_never_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_text("x")
    with pytest.raises(ValueError, match="may be replaced"):
        make_network().save_to_preset(tmp_path / "photos", overwrite=True)
    assert os.listdir(tmp_path / "photos") == ["1.jpg"]


def test_a_failure_leaves_the_old_preset_alone(tmp_path, monkeypatch):
    network = make_network()
    network.save_to_preset(tmp_path / "rooms")
    other = tiny.make_network()

    def fail(path):
        raise OSError("disk full")

    monkeypatch.setattr(other, "save_weights", fail)
    with pytest.raises(OSError, match="disk full"):
        other.save_to_preset(tmp_path / "rooms", overwrite=True)
    loaded = MultiTaskModel.from_preset(tmp_path / "rooms")
    assert_same(network.variables, loaded.variables)
    assert os.listdir(tmp_path) == ["rooms"]


def test_other_dtypes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="None or 'float16'"):
        make_network().save_to_preset(tmp_path / "rooms", dtype="int8")
    assert not os.listdir(tmp_path)
