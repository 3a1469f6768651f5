import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t.methods.tent import Tent


def make_adapter(learning_rate=1e-2, method=None):
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), method or Tent())
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(learning_rate, momentum=0.9))
    return adapter


def target_loss(adapter, images):
    features = adapter.encode(images)
    loss = adapter.method.target_loss(adapter, images, features)
    return float(keras.ops.convert_to_numpy(loss))


def test_entropy_of_the_predictions_of_batch_mode():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter()
    logits = adapter.predict(images, verbose=0)["semseg"].astype("float64")
    assert logits.shape == (2, 16, 16, tiny.NUM_CLASSES)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = -(p * np.log(p)).sum(-1).mean()
    assert target_loss(adapter, images) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "bias, expected",
    [([0, 0, 0, 0], np.log(4)), ([0, 500, 0, 0], 0)],
    ids=["uniform", "saturated"],
)
def test_golden_entropies(bias, expected):
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter()
    decoder = adapter.network.decoders["semseg"]
    decoder.kernel.assign(np.zeros(decoder.kernel.shape))
    decoder.bias.assign(np.array(bias, "float32"))
    assert target_loss(adapter, images) == pytest.approx(expected, rel=1e-5)


def test_other_decoders_have_no_part():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter()
    before = target_loss(adapter, images)
    for name, decoder in adapter.network.decoders.items():
        decoder.kernel.assign(2.0 * decoder.kernel)
        unchanged = target_loss(adapter, images) == pytest.approx(before)
        assert unchanged is (name != "semseg")
        decoder.kernel.assign(0.5 * decoder.kernel)


@pytest.mark.eager
def test_affine_variables_of_the_paper():
    backbone = keras_s4t.models.resnet50(preset=None)
    network = keras_s4t.models.MultiTaskModel(backbone, tiny.make_tasks())
    variables = Tent().select(network)
    assert len(variables) == 106
    assert sum(np.prod(v.shape, dtype=int) for v in variables) == 53_120


def test_entropy_falls_by_affine_variables_alone():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter(learning_rate=0.1)
    network = adapter.network
    before = tiny.numpy_values(network.variables)
    first = target_loss(adapter, images)
    stream = keras_s4t.data.online_stream(images, steps=5, batch_size=2)
    adapter.fit(stream, verbose=0)
    moved = tiny.moved(network.variables, before)
    assert moved == {id(v) for v in network.affine_variables}
    assert target_loss(adapter, images) < first - 1e-2


def test_learning_rate_zero_is_batch_norm_only():
    images, *_ = tiny.make_arrays(4)
    outcomes = []
    for method in (Tent(), keras_s4t.methods.BatchNormOnly("batch")):
        adapter = make_adapter(0.0, method)
        stream = keras_s4t.data.online_stream(images, 2, batch_size=2)
        adapter.fit(stream, verbose=0)
        predictions = adapter.predict(images, batch_size=2, verbose=0)
        variables = tiny.numpy_values(adapter.network.variables)
        outcomes.append([*predictions.values(), *variables])
    for tent, control in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(tent, control)


def test_the_authors_optimizer():
    optimizer = Tent().default_optimizer()
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert float(optimizer.learning_rate) == pytest.approx(2.5e-4)
    assert optimizer.momentum == 0.9
    assert not optimizer.weight_decay and not optimizer.nesterov


@pytest.mark.parametrize(
    "task, tasks, classes",
    [
        ("semseg", slice(1, 4), r"\[\]"),
        ("depth", slice(0, 4), r"\['semseg'\]"),
        ("segmentation", slice(0, 4), r"\['semseg'\]"),
    ],
)
def test_needs_a_task_of_classes(task, tasks, classes):
    network = tiny.make_network(tiny.make_tasks()[tasks])
    message = f"`task` must be .*{classes}. Received: task='{task}'"
    with pytest.raises(ValueError, match=message):
        keras_s4t.TargetAdapter(network, Tent(task))
