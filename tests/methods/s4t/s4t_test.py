import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t import tasks


def make_adapter(**kwargs):
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(), tiny.make_s4t(**kwargs)
    )
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2))
    return adapter


def target_loss(adapter, images):
    features = adapter.network.encode(images, training=True)
    loss = adapter.method.target_loss(adapter, images, features)
    return float(keras.ops.convert_to_numpy(loss))


@pytest.mark.eager
@pytest.mark.parametrize(
    "task_list, expected",
    [
        (
            [tasks.semseg(7), tasks.depth(), tasks.normals(), tasks.edge()],
            29_236_632,
        ),
        ([tasks.semseg(6), tasks.normals(), tasks.edge()], 27_901_140),
    ],
)
def test_parameters_of_the_paper(task_list, expected):
    backbone = keras_s4t.models.resnet50(preset=None)
    network = keras_s4t.models.MultiTaskModel(backbone, task_list)
    method = keras_s4t.methods.S4T(task_list)
    method.build(network.features_shape)
    variables = network.trainable_variables + method.trainable_variables
    assert sum(np.prod(v.shape, dtype=int) for v in variables) == expected
    assert len(network.batch_norms) == 53
    encoder = network.encoder.trainable_variables
    assert sum(np.prod(v.shape, dtype=int) for v in encoder) == 23_508_032


def test_target_loss_is_the_channel_summed_distance():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter(mask_ratio=0, target_weight=0.01)
    network, method = adapter.network, adapter.method
    features = network.encode(images, training=False)
    predictions = network.decode(features, (16, 16))
    joint = method.predict_jointly(method.project(features), (16, 16))
    distances = {
        name: np.abs(
            keras.ops.convert_to_numpy(joint[name])
            - keras.ops.convert_to_numpy(predictions[name])
        )
        .sum(-1)
        .mean()
        for name in joint
    }
    loss = method.target_loss(adapter, images, features)
    expected = 0.01 * sum(distances.values())
    assert float(keras.ops.convert_to_numpy(loss)) == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.parametrize(
    "balance, expected",
    [
        ("sum", 0.01 * 1.2),
        ("fixed", 2.808),
        ("awl", 0.5 * 0.01 * 1.2 + 4 * np.log(2)),
    ],
)
def test_released_weights(balance, expected):
    task_list = [
        tasks.semseg(7),
        tasks.depth(),
        tasks.normals(weight=10.0),
        tasks.edge(weight=50.0),
    ]
    method = keras_s4t.methods.S4T(task_list, target_balance=balance)
    differences = {"semseg": 0.7, "depth": 0.1, "normals": 0.3, "edge": 0.1}
    method.distances = lambda *_: {
        name: np.float32(value) for name, value in differences.items()
    }
    loss = method.target_loss(None, None, None)
    assert float(keras.ops.convert_to_numpy(loss)) == pytest.approx(
        expected, rel=1e-5
    )
    assert len(method.balance.trainable_variables) == 4 * (balance == "awl")


def test_decoders_are_targets_only():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter(mask_ratio=0)
    heads = [
        variable
        for decoder in adapter.network.decoders.values()
        for variable in decoder.trainable_variables
    ]
    selected = {id(v) for v in adapter.method.select(adapter.network)}
    assert not selected & {id(v) for v in heads}
    before = target_loss(adapter, images)
    heads[0].assign(heads[0] + 1.0)
    assert target_loss(adapter, images) != pytest.approx(before)


def test_learning_rate_zero_is_batch_norm_only():
    images, *_ = tiny.make_arrays(8)
    outcomes = []
    for method in (tiny.make_s4t(), keras_s4t.methods.BatchNormOnly()):
        network = tiny.make_network()
        tiny.fill(network)
        adapter = keras_s4t.TargetAdapter(network, method)
        adapter.compile(keras.optimizers.SGD(0.0))
        adapter.fit(
            keras_s4t.data.online_stream(images, 3, batch_size=4), verbose=0
        )
        outcomes.append(tiny.numpy_values(network.variables))
    for first, second in zip(*outcomes, strict=True):
        # XLA may fuse the sums of the two programs differently.
        np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-7)


def test_order_of_tasks_changes_nothing():
    images, *_ = tiny.make_arrays(4)
    task_list = tiny.make_tasks()
    losses = []
    for order in (task_list, task_list[::-1]):
        network = tiny.make_network(order)
        method = tiny.make_s4t(order)
        adapter = keras_s4t.TargetAdapter(network, method)
        for task in task_list:
            tiny.fill(network.decoders[task.name], seed=1)
            tiny.fill(method.projections[task.name], seed=2)
        tiny.fill(method.synchronizer, seed=3)
        tiny.fill(network.encoder, seed=4)
        losses.append(target_loss(adapter, images))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_source_weights():
    images, labels, masks = tiny.make_arrays(4)
    totals = []
    for weights in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.5, 2.0)):
        trainer = keras_s4t.SourceTrainer(
            tiny.make_network(),
            tiny.make_s4t(mask_ratio=0, source_weights=weights),
        )
        tiny.fill(trainer)
        loss, _ = trainer.total_loss(images, labels, masks)
        totals.append(float(keras.ops.convert_to_numpy(loss)))
    main, projected, joint, mixed = totals
    expected = main + 0.5 * (projected - main) + 2 * (joint - main)
    assert mixed == pytest.approx(expected, rel=1e-4)
    assert projected > main and joint > main


def test_errors():
    for kwargs in ({"update": "heads"}, {"target_balance": "mean"}):
        (value,) = kwargs.values()
        with pytest.raises(ValueError, match=f"must be one of .*{value!r}"):
            tiny.make_s4t(**kwargs)
    with pytest.raises(ValueError, match="mask_ratio=1"):
        tiny.make_s4t(mask_ratio=1.0)


@pytest.mark.eager
def test_some_of_the_tasks_of_the_network(tmp_path):
    network = tiny.make_network()
    method = tiny.make_s4t([tiny.make_tasks()[1]], mask_ratio=0)
    trainer = keras_s4t.SourceTrainer(network, method)
    tiny.fill(trainer)
    images, labels, masks = tiny.make_arrays(4)
    features = network.encode(images, training=False)

    def supervise(predictions):
        return trainer.task_losses(labels, predictions, masks)

    added = method.source_loss(trainer, images, features, supervise)
    assert list(added) == ["depth"]
    predictions = network.decode(features, (16, 16))
    assert list(supervise(predictions)) == [t.name for t in network.tasks]
    trainer.compile(keras.optimizers.SGD(1e-2))
    trainer.train_on_batch(images, labels, masks)
    adapter = keras_s4t.TargetAdapter(network, method)
    distances = method.distances(
        adapter, images, network.encode(images, training=False)
    )
    assert list(distances) == ["depth"]
    adapter.compile(keras.optimizers.SGD(1e-2))
    before = tiny.numpy_values(network.encoder.weights)
    adapter.train_on_batch(images)
    assert tiny.moved(network.encoder.weights, before)
    adapter.save(tmp_path / "adapter.keras")
    loaded = keras.saving.load_model(tmp_path / "adapter.keras")
    assert [task.name for task in loaded.method.tasks] == ["depth"]
    np.testing.assert_allclose(
        loaded.predict(images, verbose=0)["depth"],
        adapter.predict(images, verbose=0)["depth"],
        rtol=1e-5,
    )
