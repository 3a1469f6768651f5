"""Batch norms that mix the statistics of source and target."""

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.methods import BatchNormOnly

SIZE = 4


def make_adapter(method, **network_options):
    network = keras_s4t.models.MultiTaskModel(
        tiny.TinyBackbone(), tiny.make_tasks(2), **network_options
    )
    adapter = keras_s4t.TargetAdapter(network, method)
    # Not the adapter, which has more variables with a prior than without.
    tiny.fill(network)
    tiny.fill(adapter.method)
    tiny.mark_done(adapter.method)
    adapter.compile(keras.optimizers.SGD(1e-2))
    return adapter


def make_images(seed=0, count=SIZE):
    return tiny.make_arrays(count, seed, count=2)[0]


def s4t(**options):
    return tiny.make_s4t(tiny.make_tasks(2), mask_ratio=0.0, **options)


def to_numpy(x):
    return np.array(keras.ops.convert_to_numpy(x), "float64")


def expected_statistics(adapter, images, prior, momentum):
    """Moving statistics after one batch, layer by layer in NumPy."""
    network = adapter.network
    convolutions = [
        layer
        for layer in network.encoder.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    x = to_numpy(network.normalization(images))
    share = prior / (prior + len(images))
    moved = []
    for convolution, norm in zip(
        convolutions, network.batch_norms, strict=True
    ):
        x = to_numpy(convolution(x.astype("float32")))
        source = to_numpy(norm.moving_mean), to_numpy(norm.moving_variance)
        batch = x.mean((0, 1, 2)), x.var((0, 1, 2))
        mean, variance = (
            share * s + (1 - share) * b
            for s, b in zip(source, batch, strict=True)
        )
        moved += [
            momentum * s + (1 - momentum) * m
            for s, m in zip(source, (mean, variance), strict=True)
        ]
        x = (x - mean) / np.sqrt(variance + norm.epsilon)
        x = np.maximum(x * to_numpy(norm.gamma) + to_numpy(norm.beta), 0)
    return moved


@pytest.mark.parametrize(
    ("prior", "momentum"), [(0.0, None), (12.0, None), (1.0, 0.5), (0.0, 0.0)]
)
def test_formula(prior, momentum):
    adapter = make_adapter(BatchNormOnly(prior=prior, momentum=momentum))
    images = make_images()
    expected = expected_statistics(
        adapter, images, prior, 0.9 if momentum is None else momentum
    )
    adapter.train_on_batch(images)
    for found, value in zip(
        adapter.network.moving_statistics, expected, strict=True
    ):
        np.testing.assert_allclose(to_numpy(found), value, rtol=1e-3, atol=1e-4)


def test_the_source_stays_the_source_in_later_steps():
    adapter = make_adapter(BatchNormOnly(prior=4.0, momentum=0.0))
    norm = adapter.network.batch_norms[0]
    source = to_numpy(norm.moving_mean)
    images = make_images()
    found = []
    for _ in range(2):
        adapter.train_on_batch(images)
        found.append(to_numpy(norm.moving_mean))
    # Not half of what the first step left.
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    assert not np.allclose(found[0], source, rtol=1e-2)
    adapter.reset()
    np.testing.assert_array_equal(to_numpy(norm.moving_mean), source)


@pytest.mark.parametrize("name", ["Tent", "BatchNormOnly"])
def test_a_source_of_very_many_images_is_the_source(name):
    method = keras_s4t.methods.get(name, prior=1e9)
    if name == "BatchNormOnly":
        method = BatchNormOnly(bn_mode="batch", prior=1e9)
    adapter = make_adapter(method)
    images = make_images()
    found = adapter.predict(images, verbose=0)
    expected = adapter.network.predict(images, verbose=0)
    other = make_adapter(BatchNormOnly(bn_mode="batch"))
    batch = other.predict(images, verbose=0)
    for task, value in expected.items():
        np.testing.assert_allclose(found[task], value, atol=1e-4)
        assert np.abs(batch[task] - value).max() > 1e-2


def encoder_after_a_step(prior, remat=False):
    """Weights of the encoder after a step of S4T."""
    adapter = make_adapter(s4t(prior=prior), remat=remat)
    adapter.train_on_batch(make_images())
    return tiny.numpy_values(adapter.network.encoder.trainable_variables)


@pytest.mark.eager
def test_rematerialization_knows_the_prior():
    pairs = zip(
        encoder_after_a_step(4.0),
        encoder_after_a_step(4.0, remat=True),
        strict=True,
    )
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.eager
def test_gradients_flow_through_the_share_of_the_batch():
    moved = {prior: encoder_after_a_step(prior) for prior in (0.0, 4.0, 1e9)}
    for other in (0.0, 1e9):
        pairs = zip(moved[4.0], moved[other], strict=True)
        assert max(np.abs(a - b).max() for a, b in pairs) > 1e-6
    # With the source's statistics alone, this is the gradient of ActMAD's mode.
    source = make_adapter(s4t())
    source.method.bn_mode = "source"
    source.train_on_batch(make_images())
    variables = source.network.encoder.trainable_variables
    for a, b in zip(moved[1e9], tiny.numpy_values(variables), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.eager
def test_goes_on_after_saving(tmp_path):
    whole = make_adapter(s4t(prior=4.0))
    for seed in range(3):
        whole.train_on_batch(make_images(seed))
    adapter = make_adapter(s4t(prior=4.0))
    adapter.train_on_batch(make_images(0))
    adapter.save(tmp_path / "adapter.keras")
    adapter = keras.saving.load_model(tmp_path / "adapter.keras")
    assert adapter.method.prior == 4.0
    for seed in (1, 2):
        adapter.train_on_batch(make_images(seed))
    for a, b in zip(
        tiny.numpy_values(whole.network.variables),
        tiny.numpy_values(adapter.network.variables),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)
    adapter.reset()
    whole.reset()
    for a, b in zip(
        tiny.numpy_values(whole.network.variables),
        tiny.numpy_values(adapter.network.variables),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.eager
def test_it_is_told():
    text = make_adapter(BatchNormOnly(prior=16.0)).describe_updates()
    assert "the source counts as 16 images" in text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNormOnly(prior=-1.0), "prior=-1.0"),
        (lambda: BatchNormOnly(prior=np.nan), "prior=nan"),
        (lambda: BatchNormOnly(momentum=1.0), "momentum=1.0"),
        (
            lambda: make_adapter(keras_s4t.methods.get("ActMAD", prior=1.0)),
            "ActMAD with prior=1.0",
        ),
        (
            lambda: make_adapter(keras_s4t.methods.get("Tent", momentum=0.5)),
            "Tent with momentum=0.5",
        ),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_batch_norms_that_compute_on_their_own(tmp_path):
    inputs = keras.Input((16, 16, 3))
    block = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.BatchNormalization(),
        ]
    )
    x = keras.layers.TimeDistributed(block)(inputs[:, None])[:, 0]
    features = keras.layers.ReLU(name="features")(x)
    depth = keras.layers.Conv2D(1, 1, name="depth")(features)
    network = keras_s4t.models.MultiTaskModel.from_functional(
        keras.Model(inputs, {"depth": depth}),
        [keras_s4t.tasks.depth()],
        features=["features"],
    )
    keras_s4t.TargetAdapter(network, BatchNormOnly())
    with pytest.raises(ValueError, match="by their own layers.*1 such"):
        keras_s4t.TargetAdapter(network, BatchNormOnly(prior=1.0))


def test_an_export_would_not_mix(tmp_path):
    adapter = make_adapter(keras_s4t.methods.get("Tent", prior=1.0))
    with pytest.raises(ValueError, match="Tent with prior=1.0"):
        adapter.export(tmp_path / "adapter")
