import keras
import numpy as np
import pytest
import tiny
from gradients import value_and_gradient
from keras import ops

import keras_s4t
from keras_s4t.methods.ttt_flow.ttt_flow import TTTFlow


def make_method(level="P2", **kwargs):
    options = {"hidden_dim": 4, "num_blocks": 1, "seed": 0, **kwargs}
    return TTTFlow(level, **options)


def make_trainer(method):
    network = tiny.make_network(tiny.make_tasks(2))
    tiny.fill(network)
    return keras_s4t.SourceTrainer(network, method, frozen_network=True)


def make_adapter(method, optimizer=None):
    network = tiny.make_network(tiny.make_tasks(2))
    adapter = keras_s4t.TargetAdapter(network, method)
    tiny.fill(adapter)
    method.mark_done("training")
    adapter.compile(optimizer or keras.optimizers.SGD(1e-2))
    return adapter


def make_features(channels=6, size=(4, 3)):
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, *size, channels)).astype("float32")


@pytest.mark.eager
def test_parameters_of_the_paper():
    method = TTTFlow()
    method.build({"P3": (None, None, None, 512)})
    variables = method.trainable_variables
    count = sum(np.prod(v.shape, dtype=int) for v in variables)
    assert 23_554_124 + count == 49_557_586


def test_the_flow_learns_on_a_frozen_network():
    method = make_method(num_couplings=2)
    trainer = make_trainer(method)
    network = trainer.network
    states = tiny.numpy_values(network.variables)
    weights = method.flow.trainable_variables
    before = tiny.numpy_values(weights)
    optimizer = keras.optimizers.Adam(1e-2, global_clipnorm=1.0)
    trainer.compile(optimizer, metrics=None)
    data = keras_s4t.data.ArrayBatches(tiny.make_arrays(8, count=2), 4)
    losses = trainer.fit(data, epochs=6, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    assert not tiny.moved(network.variables, states)
    # Before a batch norm, a bias has no gradient but rounding errors.
    assert len(tiny.moved(weights, before)) > len(weights) // 2
    assert all(int(norm.initialized.value) for norm in method.flow.steps[1::2])
    assert not method.missing


def test_source_loss_is_the_training_likelihood_without_a_gradient():
    method = make_method()
    method.build({"P2": (None, None, None, 6)})
    tiny.fill(method)
    x = make_features()

    def loss(x):
        with keras.StatelessScope():
            losses = method.source_loss(None, None, {"P2": x}, None)
        return losses["likelihood"]

    value, gradient = value_and_gradient(loss, x)
    assert not gradient.any()
    inference, training = (
        ops.convert_to_numpy(method.flow.negative_log_likelihood(x, mode))
        for mode in (False, True)
    )
    assert value == pytest.approx(training, rel=1e-5)
    assert abs(value - inference) > 1e-3


def test_target_loss_is_the_likelihood_in_inference():
    method = make_method()
    method.build({"P2": (None, None, None, 6)})
    tiny.fill(method)
    x = make_features()
    before = tiny.numpy_values(method.variables)
    value, gradient = value_and_gradient(
        lambda x: method.target_loss(None, None, {"P2": x}), x
    )
    z, log_determinant = map(ops.convert_to_numpy, method.flow(x))
    terms = 0.5 * z**2 + 0.5 * np.log(2 * np.pi) - log_determinant
    assert value == pytest.approx(terms.mean(), rel=1e-5)
    assert gradient.any()
    assert not tiny.moved(method.variables, before)


@pytest.mark.eager
def test_only_the_encoder_up_to_the_level_moves():
    # Weight decay changes all selected variables, also without a gradient.
    optimizer = keras.optimizers.SGD(1e-2, weight_decay=0.1)
    adapter = make_adapter(make_method("P2"), optimizer)
    network = adapter.network
    below, *_ = network.batch_norms
    convolution = next(x for x in network.encoder.layers if "conv" in x.name)
    expected = {id(v) for v in convolution.variables + below.variables}
    variables = network.variables + adapter.method.variables
    before = tiny.numpy_values(variables)
    images, *_ = tiny.make_arrays(4)
    adapter.fit(keras_s4t.data.online_stream(images, 2), verbose=0)
    assert tiny.moved(variables, before) == expected


def test_features_become_likelier():
    adapter = make_adapter(make_method("P3"), keras.optimizers.SGD(1e-2))
    images, *_ = tiny.make_arrays(4)
    losses = []
    curve = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: losses.append(logs["loss"])
    )
    stream = keras_s4t.data.online_stream(images, 10)
    adapter.fit(stream, callbacks=[curve], verbose=0)
    # Logs are running means. The first one is the first loss.
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


@pytest.mark.eager
def test_a_loaded_method_does_not_start_from_the_target(tmp_path):
    # The smallest flow with an `ActNorm`.
    method = make_method(num_couplings=2, num_blocks=0)
    trainer = make_trainer(method)
    trainer.compile(keras.optimizers.Adam(1e-3), metrics=None)
    images, labels, masks = tiny.make_arrays(4, count=2)
    data = keras_s4t.data.ArrayBatches((images, labels, masks), 4)
    trainer.fit(data, verbose=0)
    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.saving.load_model(tmp_path / "trainer.keras")
    method = loaded.method
    assert not method.missing
    for first, second in zip(
        tiny.numpy_values(trainer.method.variables),
        tiny.numpy_values(method.variables),
        strict=True,
    ):
        np.testing.assert_array_equal(first, second)
    kept = [
        variable
        for norm in method.flow.steps[1::2]
        for variable in norm.non_trainable_variables
    ]
    before = tiny.numpy_values(kept)
    data = keras_s4t.data.ArrayBatches((images / 4, labels, masks), 4)
    loaded.fit(data, verbose=0)
    assert not tiny.moved(kept, before)


@pytest.mark.eager
def test_seed_decides_the_kernels():
    flows = []
    for seed in (0, 0, 1):
        method = make_method(seed=seed)
        method.build({"P2": (None, None, None, 6)})
        flows.append(method.flow)
    first, again, other = (
        [ops.convert_to_numpy(c.network.stem.kernel) for c in flow.steps[::2]]
        for flow in flows
    )
    np.testing.assert_array_equal(first, again)
    assert (first[0] != other[0]).any()
    assert (first[0] != first[1]).any()


def test_optimizers():
    source = TTTFlow().source_optimizer().get_config()
    assert source["learning_rate"] == pytest.approx(1e-4)
    assert source["global_clipnorm"] == 1.0
    target = TTTFlow().default_optimizer().get_config()
    assert target["learning_rate"] == pytest.approx(1e-3)
    assert (target["momentum"], target["weight_decay"]) == (0.9, 5e-4)


@pytest.mark.parametrize("level", ["P5", "norm_0", "P*"])
def test_level_must_be_one_of_the_network(level):
    network = tiny.make_network()
    with pytest.raises(ValueError, match=r"\['P2', 'P3'\].*level="):
        keras_s4t.TargetAdapter(network, make_method(level))


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match="num_couplings=0"):
        make_method(num_couplings=0)
