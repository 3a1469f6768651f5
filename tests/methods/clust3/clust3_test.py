import keras
import numpy as np
import pytest
import tiny
from keras import ops

import keras_s4t
from keras_s4t.methods.clust3.clust3 import ClusT3

RESNET50 = {"P2": 256, "P3": 512, "P4": 1024, "P5": 2048}


def make_method(**kwargs):
    method = ClusT3(**{"num_clusters": 3, "num_projectors": 2, **kwargs})
    tiny.mark_done(method)
    return method


def make_adapter(**kwargs):
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), make_method(**kwargs)
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2))
    return adapter


def target_loss(adapter, images):
    features = adapter.encode(images)
    loss = adapter.method.target_loss(adapter, images, features)
    return float(ops.convert_to_numpy(loss))


def entropy(p):
    return -(p * np.log(p)).sum(-1)


@pytest.mark.eager
@pytest.mark.parametrize(
    "kwargs, total",
    [
        ({}, 23_592_624),
        ({"levels": tuple(RESNET50), "num_projectors": 1}, 23_592_564),
        ({"levels": ("P2",), "num_projectors": 15}, 23_592_674),
    ],
)
def test_parameters_of_the_paper(kwargs, total):
    method = ClusT3(**kwargs)
    method.build({k: (None, None, None, c) for k, c in RESNET50.items()})
    sizes = [int(np.prod(v.shape)) for v in method.trainable_variables]
    assert 23_554_124 + sum(sizes) == total


@pytest.mark.parametrize("legacy_kl", [False, True])
def test_loss_is_summed_over_levels_and_projectors(legacy_kl):
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(legacy_kl=legacy_kl)
    expected, terms = 0, []
    for level, features in adapter.encode(images).items():
        layer = adapter.method.projectors[level]
        x = ops.convert_to_numpy(features).astype("float64")
        kernel, bias = tiny.numpy_values(layer.trainable_variables)
        for i in range(2):
            own = slice(3 * i, 3 * i + 3)
            # The samples are all positions of all images.
            logits = x.reshape(-1, x.shape[-1]) @ kernel[:, own] + bias[own]
            p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
            if legacy_kl:
                q = np.exp(logits.mean(0)) / np.exp(logits.mean(0)).sum()
                balance = -(np.log(3) + np.log(q).mean()) / 3
            else:
                balance = -entropy(p.mean(0))
            terms.append(entropy(p).mean() + balance)
    expected = sum(terms)
    assert len(set(np.round(terms, 6))) == 4
    assert target_loss(adapter, images) == pytest.approx(expected, rel=1e-4)


def test_order_of_images_changes_nothing():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter()
    first = target_loss(adapter, images)
    assert target_loss(adapter, images[::-1].copy()) == pytest.approx(
        first, rel=1e-4
    )
    assert target_loss(adapter, images[:2]) != pytest.approx(first, rel=1e-4)


def test_adapts_up_to_the_last_level_but_all_statistics_follow():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(levels=["P2"])
    network, method = adapter.network, adapter.method
    expected = method.select(network)
    assert len(expected) == 3 and expected == network.variables_up_to("P2")
    expected = expected + network.moving_statistics
    variables = network.variables + method.variables
    before = tiny.numpy_values(variables)
    adapter.fit(keras_s4t.data.online_stream(images, 1, 4), verbose=0)
    assert tiny.moved(variables, before) == {id(v) for v in expected}
    both = make_adapter(levels=["P3", "P2"])
    assert len(both.method.select(both.network)) == 6


def test_steps_inform():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter()
    stream = keras_s4t.data.online_stream(images, 8, batch_size=4)
    before = target_loss(adapter, images)
    adapter.fit(stream, verbose=0)
    assert target_loss(adapter, images) < before


def test_weight_of_the_source_loss():
    images, labels, masks = tiny.make_arrays(4)
    totals = []
    for weight in (0.0, 1.0, 2.5):
        trainer = keras_s4t.SourceTrainer(
            tiny.make_network(), make_method(weight=weight)
        )
        tiny.fill(trainer)
        loss, _ = trainer.total_loss(images, labels, masks)
        totals.append(float(ops.convert_to_numpy(loss)))
        features = trainer.encode(images)
    clustering = trainer.method.clustering_loss(features)
    clustering = float(ops.convert_to_numpy(clustering))
    assert clustering < -1e-3
    for total, weight in zip(totals, (0.0, 1.0, 2.5), strict=True):
        assert total - totals[0] == pytest.approx(weight * clustering, abs=1e-4)


def test_default_optimizer():
    optimizer = ClusT3().default_optimizer()
    config = optimizer.get_config()
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert config["learning_rate"] == pytest.approx(1e-5)
    assert config["epsilon"] == pytest.approx(1e-8)


@pytest.mark.parametrize("levels", [("P2", "P4"), ()])
def test_levels_must_be_the_networks(levels):
    with pytest.raises(ValueError, match=r"`levels`.*'P2', 'P3'.*levels=\("):
        keras_s4t.TargetAdapter(tiny.make_network(), ClusT3(levels=levels))


@pytest.mark.parametrize("argument", [{"num_clusters": 1, "num_projectors": 0}])
def test_numbers_out_of_range(argument):
    for name, value in argument.items():
        with pytest.raises(ValueError, match=f"at least.*{name}={value}"):
            ClusT3(**{name: value})
