import keras
import numpy as np
import pytest

from keras_s4t.methods.s4t import TaskBehaviorSynchronizer

NUM_OUTPUTS = {"semseg": 5, "depth": 1, "normals": 3}


def make_latents(tasks=NUM_OUTPUTS, size=(8, 8), channels=4):
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=(2, *size, channels)).astype("float32")
        for name in sorted(tasks)
    }


def synchronizer(num_outputs=NUM_OUTPUTS, **kwargs):
    options = dict(image_size=16, patch_size=4, hidden_dim=8, num_heads=2)
    return TaskBehaviorSynchronizer(num_outputs, **{**options, **kwargs})


def call(layer, latents):
    return {
        name: keras.ops.convert_to_numpy(output)
        for name, output in layer(latents).items()
    }


@pytest.mark.eager
@pytest.mark.parametrize(
    "mask_strategy", ["shared", "random", "disjoint", "hide_tasks"]
)
def test_shapes_and_channels_by_name(mask_strategy):
    layer = synchronizer(mask_strategy=mask_strategy, mask_ratio=0.5)
    outputs = call(layer, make_latents())
    assert {name: x.shape for name, x in outputs.items()} == {
        name: (2, 16, 16, channels) for name, channels in NUM_OUTPUTS.items()
    }
    assert all(np.isfinite(x).all() for x in outputs.values())


@pytest.mark.eager
def test_image_size_may_be_a_rectangle():
    layer = synchronizer(image_size=(8, 16))
    outputs = call(layer, make_latents(size=(6, 12)))
    assert outputs["depth"].shape == (2, 8, 16, 1)


def test_nothing_masked_means_nothing_random():
    layer = synchronizer(mask_ratio=0)
    first, second = (call(layer, make_latents()) for _ in range(2))
    for name in first:
        np.testing.assert_allclose(first[name], second[name], atol=1e-5)


def test_masks_are_drawn_anew_in_inference_too():
    layer = synchronizer(mask_ratio=0.75)
    first, second = (call(layer, make_latents()) for _ in range(2))
    assert np.abs(first["depth"] - second["depth"]).max() > 1e-3


def test_dropping_hidden_tokens_hides_them():
    class FixedMasking(keras.layers.Layer):
        num_tokens, num_visible = 16, 4

        def visible_tokens(self, batch_size):
            order = np.tile(np.arange(16), (2, 1))
            return order[:, :4], order

    layer = synchronizer(mask_ratio=0.75)
    layer.masking = FixedMasking()
    latents = make_latents()
    outputs = call(layer, latents)
    # The last row of tokens embeds the last rows of the latents. It is hidden.
    hidden = {name: x.copy() for name, x in latents.items()}
    hidden["depth"][:, 6:] += 1
    np.testing.assert_array_equal(
        call(layer, hidden)["semseg"], outputs["semseg"]
    )
    visible = {name: x.copy() for name, x in latents.items()}
    visible["depth"][:, :1] += 1
    assert np.abs(call(layer, visible)["semseg"] - outputs["semseg"]).max() > 0


def test_order_of_tasks_does_not_matter():
    layers = [
        synchronizer(dict(items), mask_ratio=0.5, seed=3)
        for items in (
            list(NUM_OUTPUTS.items()),
            list(NUM_OUTPUTS.items())[::-1],
        )
    ]
    latents = make_latents()
    for layer in layers:
        layer.build({name: x.shape for name, x in latents.items()})
    layers[1].set_weights(layers[0].get_weights())
    first, second = (call(layer, latents) for layer in layers)
    for name in NUM_OUTPUTS:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.eager
def test_parameters_of_the_paper():
    tasks = {"semseg": 7, "depth": 1, "normals": 3, "edge": 1}
    layer = TaskBehaviorSynchronizer(tasks)
    layer.build({name: (None, 64, 64, 64) for name in tasks})
    blocks = 199_936 + 128 + 4_160 + 64 + 99_968 + 128
    assert layer.count_params() == 4_194_368 + blocks + 199_680


def test_errors():
    with pytest.raises(ValueError, match="image_size=.*patch_size=16"):
        TaskBehaviorSynchronizer(NUM_OUTPUTS, image_size=250)
    with pytest.raises(ValueError, match="drop_tokens.*'random'"):
        synchronizer(mask_strategy="random", drop_tokens=True)


def test_serializes():
    layer = synchronizer(mask_ratio=0.5, seed=1)
    clone = TaskBehaviorSynchronizer.from_config(layer.get_config())
    assert clone.get_config() == layer.get_config()
