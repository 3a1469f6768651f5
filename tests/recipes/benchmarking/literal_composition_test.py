"""The fast form equals the composition of the paper's authors."""

import keras
import numpy as np
import pytest
import tiny
from benchmarking import literal_composition as literal

import keras_s4t
from keras_s4t.backend import value_and_grad
from keras_s4t.models import MultiTaskModel
from keras_s4t.state.pure_call import run_on

PARTS = ("decoders", "latents", "synchronizer", "gradients")
OPTIONS = dict(
    latent_dim=4,
    mask_ratio=0.5,
    target_weight=1.0,
    seed=0,
    name="method",
)


def make_pair(literal, image_size):
    """Adapters in the fast and in the literal form, with equal weights."""
    backbone, tasks = tiny.TinyBackbone(), tiny.make_tasks()
    options = OPTIONS | dict(
        synchronizer=dict(
            image_size=image_size,
            patch_size=4,
            hidden_dim=8,
            num_heads=2,
            num_layers=1,
            num_decoder_layers=1,
        )
    )
    adapters = [
        adapter(
            network(backbone, tasks, name="network"), method(tasks, **options)
        )
        for adapter, network, method in (
            (keras_s4t.TargetAdapter, MultiTaskModel, keras_s4t.methods.S4T),
            (
                literal.LiteralPredictor,
                literal.LiteralNetwork,
                literal.LiteralS4T,
            ),
        )
    ]
    tiny.fill(adapters[0])
    values = {v.path: v for v in variables(adapters[0])}
    for variable in variables(adapters[1]):
        variable.assign(values[variable.path])
    return adapters


def variables(adapter):
    state = adapter.trainable_variables + adapter.non_trainable_variables
    return [v for v in state if "seed" not in v.path]


def to_numpy(outputs):
    return {k: keras.ops.convert_to_numpy(x) for k, x in outputs.items()}


def assert_close(received, expected, part="decoders"):
    assert received and set(received) == set(expected), part
    for name, value in expected.items():
        scale = max(1.0, np.abs(value).max())
        np.testing.assert_allclose(
            received[name] / scale, value / scale, atol=1e-4, err_msg=name
        )


def compiled(fn):
    """As one on JAX, where compiling every operation alone takes long."""
    if keras.backend.backend() != "jax":
        return fn
    import jax

    # To compile takes longer than to run, however slowly.
    options = {"xla_backend_optimization_level": 0}
    return jax.jit(fn, compiler_options=options)


def results_of(adapter, images):
    """All outputs on the way, and the gradients of the target loss."""
    updated = adapter.updated_variables
    moving = {id(v) for v in updated}
    state = adapter.trainable_variables + adapter.non_trainable_variables
    held = [v for v in state if id(v) not in moving]
    method, size = adapter.method, images.shape[1:3]

    def run():
        features = adapter.network.encode(images, training=True)
        loss = method.target_loss(adapter, images, features)
        latents = method.project(features)
        return loss, (
            adapter.network.decode(features, size),
            latents,
            method.predict_jointly(latents, size),
        )

    def value_and_gradients(values, held_values):
        return value_and_grad(
            lambda values: run_on(run, updated + held, [*values, *held_values])[
                0
            ],
            values,
        )

    loss, outputs, gradients = compiled(value_and_gradients)(
        [keras.ops.convert_to_tensor(v) for v in updated],
        [keras.ops.convert_to_tensor(v) for v in held],
    )
    paths = [v.path for v in updated]
    gradients = {"loss": loss, **dict(zip(paths, gradients, strict=True))}
    return *map(to_numpy, outputs), to_numpy(gradients)


@pytest.mark.parametrize(
    ("size", "image_size"),
    # With the resize of the latents folded into the patches, and without.
    [
        ((16, 16), (16, 16)),
        pytest.param((16, 24), (16, 16), marks=pytest.mark.eager),
    ],
)
def test_fast_equals_literal(size, image_size):
    fast, slow = make_pair(literal, image_size)
    images, _, _ = tiny.make_arrays(2, size=size)
    images = keras.ops.convert_to_tensor(images)
    received, expected = results_of(fast, images), results_of(slow, images)
    for name, ours, theirs in zip(PARTS, received, expected, strict=True):
        assert_close(ours, theirs, name)
    values = received[-1].values()
    moved = [x for x in values if np.abs(x).max() > 1e-6]
    assert len(moved) > 0.8 * len(values)


def test_prediction_runs_the_synchronizer():
    fast, slow = make_pair(literal, (16, 16))
    images = keras.ops.convert_to_tensor(tiny.make_arrays(2)[0])
    expected = predictions_of(fast, images)
    predictions = predictions_of(slow, images)
    means = predictions.pop("synchronizer")
    assert means.shape == (2, tiny.NUM_TASKS) and np.abs(means).max() > 0
    assert_close(predictions, expected)


def predictions_of(adapter, images):
    state = adapter.trainable_variables + adapter.non_trainable_variables
    predict = compiled(
        lambda values: run_on(lambda: adapter(images), state, values)[0]
    )
    values = [keras.ops.convert_to_tensor(v) for v in state]
    return to_numpy(predict(values))


def test_hidden_tasks_are_refused():
    layer = literal.LiteralPatchEmbedding(["depth"], 4, (4, 4), 2)
    x = np.ones((1, 4, 4, 2), "float32")
    with pytest.raises(ValueError, match="mask_strategy='shared'"):
        layer({"depth": x}, visible={"depth": np.ones((1, 4))})
