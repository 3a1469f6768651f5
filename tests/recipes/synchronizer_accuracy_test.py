import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

import keras_s4t


def make_trainer():
    network = tiny.make_network()
    # Without a mask its predictions are the same in every call.
    trainer = keras_s4t.SourceTrainer(network, tiny.make_s4t(mask_ratio=0.0))
    tiny.fill(trainer)
    trainer.compile("sgd")
    return trainer


def test_measures_decoders_and_synchronizer(load_recipe):
    recipe = load_recipe("synchronizer_accuracy")
    trainer = make_trainer()
    arrays = images, labels, masks = tiny.make_arrays()
    dataset = tf.data.Dataset.from_tensor_slices(arrays).batch(4)
    results = recipe.measure(trainer.network, trainer.method, dataset)

    logs = trainer.evaluate(dataset, verbose=0, return_dict=True)
    features = trainer.network.encode(images, False)
    joint = trainer.method.predict_jointly(
        trainer.method.project(features), images.shape[1:3]
    )
    depth = np.maximum(keras.ops.convert_to_numpy(joint["depth"]), 0)
    errors = masks["depth"] * (depth - labels["depth"]) ** 2
    rmse = np.sqrt(errors.sum() / masks["depth"].sum())

    assert set(results) == {task.metric_key for task in trainer.tasks}
    for key, metrics in results.items():
        assert metrics["decoder"] == pytest.approx(logs[key], rel=1e-5)
    found = results["depth_rmse"]
    assert found["synchronizer"] == pytest.approx(rmse, rel=1e-5)
    assert found["kept"] == pytest.approx(found["decoder"] / rmse, rel=1e-5)
    found = results["semseg_miou"]
    ratio = found["synchronizer"] / found["decoder"]
    assert found["kept"] == pytest.approx(ratio)


def test_a_model_must_be_there(load_recipe, monkeypatch, capsys):
    recipe = load_recipe("synchronizer_accuracy")
    command = ["synchronizer_accuracy.py", "--models", "nowhere.keras"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit):
        recipe.main()
    assert "nowhere.keras" in capsys.readouterr().err
