import numpy as np
import pytest
import tensorflow as tf

import keras_s4t
from keras_s4t.data.__main__ import main as data_command


def test_its_files_are_as_the_builders_want_them(load_recipe, tmp_path):
    files = load_recipe("benchmarking.throughput_files")
    rooms = list(keras_s4t.data.SynthRooms("train", "source", 32, 2))
    files.write_nyud(tmp_path / "nyud", rooms)
    files.write_taskonomy(tmp_path / "taskonomy", rooms)
    for name in ("nyud", "taskonomy"):
        command = ["verify", f"{name}_mt"]
        command += ["--manual-dir", str(tmp_path / name)]
        assert data_command(command) == 0

    with pytest.warns(UserWarning, match="4 buildings that are not there"):
        folder = keras_s4t.data.TaskonomyFolder(
            tmp_path / "taskonomy", "test", size=32
        )
    depths = {}
    for record in folder.records().as_numpy_iterator():
        index = int(record["id"].decode().split("_")[1])
        depths[index] = record["depth"]
    for index, room in enumerate(rooms):
        np.testing.assert_allclose(depths[index], room["depth"], atol=3e-3)


def test_measures_every_repeat(load_recipe, monkeypatch):
    recipe = load_recipe("loader_throughput")
    arrays = np.zeros((8, 4, 4, 3), "float32")

    def load(split, tasks, batch_size, **options):
        return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)

    monkeypatch.setattr(keras_s4t.data, "load", load)
    rates = recipe.measure({}, batch_size=2, num_batches=3, repeats=4)
    assert len(rates) == 4 and min(rates) > 0

    (result,) = recipe.measure_all({("a", (4, 4), False): {}}, 2, 3, 5)
    assert result["dataset"] == "a" and len(result["rates"]) == 5
    assert result["images_per_second"] == sorted(result["rates"])[2]


def test_table_has_a_row_per_dataset(load_recipe):
    tables = load_recipe("shared.tables")
    sizes = load_recipe("loader_throughput").SIZES
    results = [
        {
            "dataset": name,
            "size": size,
            "training": training,
            "images_per_second": 12.6,
        }
        for name in ("a", "b")
        for size in sizes
        for training in (True, False)
    ]
    table = tables.throughput_table(results)
    assert table.row_count == 2 and len(table.columns) == 5
    with pytest.raises(KeyError):
        tables.throughput_table(results[:-1])
