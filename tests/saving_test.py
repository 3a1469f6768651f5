"""A `.keras` file written under one backend loads under the others."""

import keras
import numpy as np
import pytest
import tiny
from other_backend import run_under_other_backend

import keras_s4t

SCRIPT = """
import sys
import keras
import numpy as np
import tiny
import keras_s4t

trainer = keras.saving.load_model(sys.argv[1], compile=False)
images, *_ = tiny.make_arrays(2)
outputs = trainer.predict(images, verbose=0)
np.savez(sys.argv[2], **outputs)
adapter = keras_s4t.TargetAdapter(trainer.network, trainer.method)
adapter.compile()
adapter.fit(keras_s4t.data.online_stream(images), verbose=0)
"""


def save_trainer(path):
    trainer = keras_s4t.SourceTrainer(tiny.make_network(), tiny.make_s4t())
    tiny.fill(trainer)
    trainer.save(path)
    return trainer


# The other ways round: see presets and tasks of one's own.
@pytest.mark.eager
@pytest.mark.slow
def test_loads_and_adapts_under_another_backend(tmp_path):
    trainer = save_trainer(tmp_path / "trainer.keras")
    paths = [tmp_path / "trainer.keras", tmp_path / "outputs.npz"]
    run_under_other_backend(SCRIPT, *paths)
    images, *_ = tiny.make_arrays(2)
    with np.load(paths[1]) as outputs:
        for name, expected in trainer.predict(images, verbose=0).items():
            np.testing.assert_allclose(
                outputs[name], expected, rtol=1e-4, atol=1e-4
            )


def test_an_adapter_round_trips(tmp_path):
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), tiny.make_s4t())
    tiny.fill(adapter)
    adapter.compile()
    adapter.save(tmp_path / "adapter.keras")
    loaded = keras.saving.load_model(tmp_path / "adapter.keras")
    assert loaded.compiled
    for first, second in zip(
        tiny.numpy_values(adapter.weights),
        tiny.numpy_values(loaded.weights),
        strict=True,
    ):
        np.testing.assert_array_equal(first, second)
    loaded.compile()
    before = tiny.numpy_values(loaded.weights)
    images, *_ = tiny.make_arrays(4)
    loaded.fit(keras_s4t.data.online_stream(images), verbose=0)
    loaded.reset()
    assert not tiny.moved(loaded.weights, before)


def test_methods_of_models_that_were_saved_before():
    methods = keras_s4t.methods
    base = methods.get(
        {
            "module": "keras_s4t.methods.controls",
            "class_name": "Base",
            "config": {"name": "base"},
            "registered_name": "keras_s4t>Base",
        }
    )
    assert isinstance(base, methods.SourceOnly)
    assert methods.ClusT3.from_config({"reference_kl": True}).legacy_kl
    method = methods.TTTPlusPlus.from_config({"reference_scale": True})
    assert method.legacy_scale
    # Its features were built together with the levels of the pyramid.
    method = methods.ActMAD(image_size=(4, 4))
    method.build({"P2": (None, 2, 2, 6), "norm_0": (None, 2, 2, 6)})
    assert set(method.statistics.means) == {"norm_0"}
