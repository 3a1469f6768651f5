"""Source models: trained once, whoever asks, and after an interruption."""

import json

import keras
import numpy as np
import pytest
import tiny
import tiny_config
from comparison import source_models
from comparison.contenders import make_contenders
from comparison.results import ComparisonResults
from comparison.settings import Settings
from comparison.source_models import SourceModels

import keras_s4t


class Joint(keras_s4t.methods.Method):
    """Pulls features to zero while the network is trained."""

    bn_mode = "update"
    needs_source = ("training",)

    def source_loss(self, trainer, images, features, supervise):
        return {"norm": keras.ops.mean(keras.ops.square(features["P2"]))}

    def target_loss(self, adapter, images, features):
        return keras.ops.mean(keras.ops.square(features["P2"]))


class Interruption(keras.callbacks.Callback):
    """In the place of the progress bar: stops after an epoch."""

    def __init__(self, epochs):
        super().__init__()

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.fixture
def make_sources(loader, tmp_path):
    def make_sources(name, **changes):
        settings = Settings(
            config=tiny_config.make_config(),
            output=tmp_path / name,
            **{**tiny_config.SETTINGS, **changes},
        )
        results = ComparisonResults(settings.output / "results.json")
        contenders = make_contenders({"Joint": Joint}, settings)
        contenders = {contender.name: contender for contender in contenders}
        return SourceModels(settings, results), contenders

    return make_sources


def values(trainer):
    return tiny.numpy_values(trainer.network.weights)


def assert_equal(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_interrupted_training_goes_on_exactly(make_sources, monkeypatch):
    trained = []
    for name in ("whole", "interrupted"):
        sources, contenders = make_sources(name, epochs=3)
        if name == "interrupted":
            with monkeypatch.context() as patch:
                patch.setattr(source_models, "Epochs", Interruption)
                with pytest.raises(KeyboardInterrupt):
                    sources.trained(0, contenders["Joint"])
            assert len(list(sources.folder.glob("*.weights.h5"))) == 1
            assert not sources.is_there(0, contenders["Joint"])
        trained.append(values(sources.trained(0, contenders["Joint"])))
        assert not list(sources.folder.glob("*.weights.h5"))
        (record,) = sources.results["sources"].values()
        assert record["name"] == "Joint" and len(record["loss"]) == 3
    assert_equal(*trained)


def test_programs_share_a_folder_of_source_models(make_sources, tmp_path):
    first, contenders = make_sources("a", sources=tmp_path / "sources")
    expected = values(first.trained(1, contenders["Joint"]))
    second, contenders = make_sources("b", sources=tmp_path / "sources")
    assert second.is_there(1, contenders["Joint"])
    second._train = None
    assert_equal(values(second.trained(1, contenders["Joint"])), expected)
    assert second.results["sources"] == first.results["sources"]
    path = second.settings.output / "results.json"
    assert json.loads(path.read_text())["sources"] == first.results["sources"]


def test_models_that_ship_need_no_training(make_sources, monkeypatch):
    first, contenders = make_sources("a")
    expected = values(first.trained(0, contenders["SourceOnly"]))
    for value in expected:
        # Small files: they hold 11 bits.
        np.testing.assert_array_equal(value, value.astype("float16"))
    monkeypatch.setattr(source_models, "SHIPPED", first.folder)
    second, contenders = make_sources("b")
    second._train = None
    for name in ("SourceOnly", "BatchNormOnly"):
        assert_equal(values(second.trained(0, contenders[name])), expected)
    assert not second.folder.exists()
    assert second.results["sources"] == first.results["sources"]


def test_a_method_joins_the_plain_network(make_sources):
    sources, contenders = make_sources("a", epochs=2, method_epochs=1)
    # The optimizer moves nothing: the network stays the one that it joined.
    stages = []

    def make_optimizer(num_steps, stage="network"):
        stages.append((stage, num_steps))
        return keras.optimizers.SGD(0.0 if stage == "joint" else 1e-2)

    object.__setattr__(
        sources.settings.configuration, "make_source_optimizer", make_optimizer
    )
    joint = sources.trained(0, contenders["Joint"])
    plain = sources.trained(0, sources.plain)
    records = sources.results["sources"].values()
    assert {r["name"]: len(r["loss"]) for r in records} == {
        "plain": 2,
        "Joint": 1,
    }
    # Two steps an epoch; keys ask for optimizers as well.
    assert ("network", 4) in stages and ("joint", 2) in stages
    trainable = [
        tiny.numpy_values(t.network.trainable_variables) for t in (joint, plain)
    ]
    assert_equal(*trainable)
    assert tiny.moved(joint.network.weights, values(plain))
