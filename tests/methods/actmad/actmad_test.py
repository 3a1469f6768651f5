import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t

TAPS = ("norm_0", "norm_1")


class WithoutNorms:
    """The attributes that `check` reads."""

    name = "plain"
    tapped_batch_norms = ()


def make_adapter(**kwargs):
    method = keras_s4t.methods.ActMAD(image_size=(16, 16), **kwargs)
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), method)
    tiny.fill(adapter.network)
    return adapter


def make_images(count=4, seed=0, size=(16, 16)):
    return tiny.make_arrays(count, seed, size)[0]


def maps(adapter, images):
    """Outputs of both batch norms in float64."""
    features = adapter.network.encode(images, taps=TAPS)
    return {k: np.float64(ops.convert_to_numpy(x)) for k, x in features.items()}


def numpy_moments(x, axis=0):
    return x.mean(axis), x.var(axis, ddof=1)


def target_loss(adapter, images):
    features = adapter.encode(images)
    loss = adapter.method.target_loss(adapter, images, features)
    return float(ops.convert_to_numpy(loss))


def resize(x, size):
    """Bilinear resize with half-pixel centers, one axis at a time."""
    for axis, new in enumerate(size):
        old = x.shape[axis]
        places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        below = np.minimum(np.floor(places).astype(int), old - 2)
        share = (places - below).reshape(
            [-1 if i == axis else 1 for i in (0, 1, 2)]
        )
        x = (1 - share) * x.take(below, axis) + share * x.take(below + 1, axis)
    return x


def test_nothing_to_do_where_the_target_is_what_was_collected():
    adapter = make_adapter()
    images = make_images()
    adapter.collect([images], verbose=0)
    assert target_loss(adapter, images) == pytest.approx(0, abs=1e-5)
    assert target_loss(adapter, make_images(seed=1)) > 0.01


def test_target_loss_by_hand():
    adapter = make_adapter()
    source = [make_images(4, 1), make_images(2, 2)]
    adapter.collect(source, verbose=0)
    target = make_images(3, 3)
    expected = 0
    for name, x in maps(adapter, target).items():
        batches = [numpy_moments(maps(adapter, s)[name]) for s in source]
        # The smaller batch has equal weight.
        for i, value in enumerate(numpy_moments(x)):
            stored = (batches[0][i] + batches[1][i]) / 2
            expected += np.abs(value - stored).mean()
    assert target_loss(adapter, target) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("size", [(16, 24), (8, 16)])
def test_statistics_are_resized_to_a_target_of_another_size(size):
    adapter = make_adapter()
    source, target = make_images(4, 1), make_images(4, 2, size)
    adapter.collect([source], verbose=0)
    expected, source_maps = 0, maps(adapter, source)
    for name, x in maps(adapter, target).items():
        moments = zip(
            numpy_moments(x), numpy_moments(source_maps[name]), strict=True
        )
        for value, stored in moments:
            stored = resize(stored, x.shape[1:3])
            expected += np.abs(value - stored).mean()
    assert target_loss(adapter, target) == pytest.approx(expected, rel=1e-4)


@pytest.mark.eager
def test_statistics_of_channels_fit_any_size_and_a_single_image():
    adapter = make_adapter(spatial=False)
    source, target = make_images(2, 1, (8, 24)), make_images(1, 2, (16, 8))
    adapter.collect([source], verbose=0)
    expected, source_maps = 0, maps(adapter, source)
    for name, x in maps(adapter, target).items():
        axis = (0, 1, 2)
        for value, stored in zip(
            numpy_moments(x, axis),
            numpy_moments(source_maps[name], axis),
            strict=True,
        ):
            expected += np.abs(value - stored).mean()
    assert target_loss(adapter, target) == pytest.approx(expected, rel=1e-4)


def test_deep_reads_and_stores_the_later_half_only():
    adapter = make_adapter(layers="deep")
    assert adapter.taps == ("norm_1",)
    shapes = [tuple(v.shape) for v in adapter.method.statistics.weights]
    assert sorted(shapes) == [(), (4, 4, 12), (4, 4, 12)]
    images = make_images()
    adapter.collect([images], verbose=0)
    assert target_loss(adapter, images) == pytest.approx(0, abs=1e-5)


@pytest.mark.eager
def test_sizes_of_the_statistics_for_resnet50():
    network = keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet50(preset=None), [keras_s4t.tasks.depth()]
    )
    for layers, expected in (("all", 14_516_224), ("deep", 3_309_568)):
        method = keras_s4t.methods.ActMAD(layers=layers)
        shapes = method.features_shape(network).values()
        assert sum(np.prod(shape[1:]) for shape in shapes) == expected


def test_steps_bring_the_moments_nearer():
    adapter = make_adapter()
    adapter.collect([make_images(8, 1)], verbose=0)
    adapter.compile(keras.optimizers.SGD(1e-2))
    images = 0.5 * make_images(8, 2)
    stream = keras_s4t.data.online_stream(images, steps=5, batch_size=8)
    before = target_loss(adapter, images)
    adapter.fit(stream, verbose=0)
    assert target_loss(adapter, images) < before


@pytest.mark.eager
def test_collecting_takes_two_images_of_the_right_size():
    adapter = make_adapter()
    with pytest.raises(ValueError, match="at least 2 images.*batch of 1"):
        adapter.collect([make_images(1)], verbose=0)
    with pytest.raises(ValueError, match=r"shape \(8, 8, 6\).*\(8, 4, 6\)"):
        adapter.collect([make_images(2, size=(16, 8))], verbose=0)
    assert adapter.method.missing == ("statistics",)


@pytest.mark.parametrize(
    "kwargs", [{"layers": "shallow"}, {"image_size": (0, 16)}]
)
def test_unknown_options(kwargs):
    ((name, value),) = kwargs.items()
    with pytest.raises(ValueError, match=f"`{name}` must be .*{name}="):
        keras_s4t.methods.ActMAD(**kwargs)


def test_an_encoder_without_batch_norm():
    method = keras_s4t.methods.ActMAD()
    with pytest.raises(ValueError, match="batch normalization.*'plain'"):
        method.check(WithoutNorms())
