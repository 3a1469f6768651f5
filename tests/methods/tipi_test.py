import keras
import numpy as np
import pytest
import tiny
from gradients import value_and_gradient
from keras import ops

import keras_s4t
from keras_s4t import tasks
from keras_s4t.methods.tipi import TIPI


class LinearModel:
    """Predicts multiples of the first channel of the images."""

    tasks = [tasks.depth(), tasks.edge()]
    gains = {"depth": 3.0, "edge": -1.0}
    perturbed = None

    def encode(self, images, keep_state=False):
        assert not keep_state
        self.perturbed = images
        return {"P2": images}

    def decode(self, features, size, keep_state=False):
        # The clean images, and no others.
        assert keep_state is (features["P2"] is not self.perturbed)
        return {k: v * features["P2"][..., :1] for k, v in self.gains.items()}

    def input_gradient(self, fn, images):
        images = ops.convert_to_numpy(images)
        return ops.convert_to_tensor(value_and_gradient(fn, images)[1])


def linear_loss(model, method, images):
    images = ops.convert_to_tensor(images)
    return per_image(method.target_loss(model, images, {"P2": images}), images)


def per_image(loss, images):
    """The mean over images; the loss is their sum over 64."""
    return float(ops.convert_to_numpy(loss)) * 64 / len(images)


def make_adapter(task_list=None, **kwargs):
    network = tiny.make_network(task_list)
    adapter = keras_s4t.TargetAdapter(network, TIPI(seed=0, **kwargs))
    tiny.fill(adapter)
    adapter.compile(keras.optimizers.SGD(1e-2))
    return adapter


def target_loss(adapter, images, features=None):
    features = features or adapter.encode(images)
    loss = adapter.method.target_loss(adapter, images, features)
    return per_image(loss, images)


def outputs_in_numpy(adapter, images):
    outputs = adapter.decode(adapter.encode(images), images.shape[1:3])
    return {
        name: ops.convert_to_numpy(x).astype("float64")
        for name, x in outputs.items()
    }


def spy(adapter, name):
    """Records the arguments and results of a method of the adapter."""
    method, calls = getattr(adapter, name), []

    def recorded(*args, **kwargs):
        calls.append((args, method(*args, **kwargs)))
        return calls[-1][1]

    setattr(adapter, name, recorded)
    return calls


@pytest.mark.parametrize(
    "sigma, expected",
    [
        # ((3 * 2)^2 / 2 + 2^2 / 2) / 2: uphill is away from 0, up to epsilon.
        ({}, 10.0),
        ({"depth": 3.0}, 2.0),
        ({"depth": 3.0, "edge": 0.5}, 5.0),
    ],
)
def test_golden_linear_model(sigma, expected):
    images, *_ = tiny.make_arrays(2)
    model, method = LinearModel(), TIPI(epsilon=2.0, sigma=sigma, seed=0)
    assert linear_loss(model, method, images) == (
        pytest.approx(expected, rel=1e-4)
    )
    delta = ops.convert_to_numpy(model.perturbed) - images
    np.testing.assert_allclose(np.abs(delta[..., 0]), 2, rtol=1e-4)
    # The other channels have no gradient and keep their initial values.
    assert np.abs(delta[..., 1:]).max() < 2
    assert np.abs(delta[..., 1:]).mean() == pytest.approx(1, abs=0.1)


def test_nothing_to_gain_at_zero():
    images, *_ = tiny.make_arrays(2)
    model, method = LinearModel(), TIPI(random_start=False)
    assert linear_loss(model, method, images) == 0
    np.testing.assert_array_equal(ops.convert_to_numpy(model.perturbed), images)


@pytest.mark.parametrize("edge_loss", ["mse", "balanced_bce"])
def test_mean_divergence_from_the_clean_predictions(edge_loss):
    images, *_ = tiny.make_arrays(2)
    task_list = [*tiny.make_tasks(3), tasks.edge(edge_loss)]
    adapter = make_adapter(task_list, epsilon=8.0, sigma={"depth": 0.5})
    encoded = spy(adapter, "encode")
    loss = target_loss(adapter, images, adapter.network.encode(images, True))
    perturbed = ops.convert_to_numpy(encoded[-1][0][0])
    assert 7.9 < np.abs(perturbed - images).max() < 8 + 1e-4

    y, r = (outputs_in_numpy(adapter, x) for x in (perturbed, images))
    log_p, log_q = (
        x["semseg"] - np.log(np.exp(x["semseg"]).sum(-1, keepdims=True))
        for x in (y, r)
    )
    unit_y, unit_r = (
        x["normals"] / np.linalg.norm(x["normals"], axis=-1, keepdims=True)
        for x in (y, r)
    )
    p, q = (1 / (1 + np.exp(-x["edge"])) for x in (y, r))
    bernoulli = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    gaussian = (y["edge"] - r["edge"]) ** 2 / 2
    divergences = [
        (np.exp(log_p) * (log_p - log_q)).sum(-1),
        (y["depth"] - r["depth"]) ** 2 / (2 * 0.5**2),
        1 - (unit_y * unit_r).sum(-1),
        gaussian if edge_loss == "mse" else bernoulli,
    ]
    expected = np.mean([x.mean() for x in divergences])
    assert loss == pytest.approx(expected, rel=1e-3)


def test_noise_gives_the_gradient_that_zero_does_not_have():
    images, *_ = tiny.make_arrays(2)
    sizes, losses = {}, {}
    for random_start in (False, True):
        adapter = make_adapter(random_start=random_start)
        calls = spy(adapter, "input_gradient")
        losses[random_start] = target_loss(adapter, images)
        ((change, start), gradient) = calls[0]
        sizes[random_start] = np.abs(ops.convert_to_numpy(gradient)).max()
        started = np.abs(ops.convert_to_numpy(start) - images).max()
        assert 0 < started < 2 + 1e-4 if random_start else started == 0
        # One step uphill from there.
        at_start = float(ops.convert_to_numpy(change(start)))
        assert at_start == pytest.approx(0, abs=1e-9) or random_start
        assert losses[random_start] >= at_start
    assert sizes[False] < 1e-3 * sizes[True]


def test_no_change_no_loss():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter()
    assert target_loss(adapter, images) > 1e-6
    adapter.method.perturbation = lambda *_: 0.0
    assert target_loss(adapter, images) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("entropy_weight", [0.0, 5.0])
def test_clean_predictions_are_a_fixed_target(entropy_weight):
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter(entropy_weight=entropy_weight)
    features = {
        name: ops.convert_to_numpy(x)
        for name, x in adapter.encode(images).items()
    }

    def loss(x):
        return adapter.method.target_loss(
            adapter, images, {**features, "P3": x}
        )

    _, gradient = value_and_gradient(loss, features["P3"])
    assert gradient.any() == bool(entropy_weight)


def test_entropy_of_the_clean_predictions():
    images, *_ = tiny.make_arrays(2)
    without, with_entropy = (make_adapter(entropy_weight=w) for w in (0, 5))
    logits = outputs_in_numpy(without, images)["semseg"]
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    entropy = -(p * np.log(p)).sum(-1).mean()
    added = target_loss(with_entropy, images) - target_loss(without, images)
    assert added == pytest.approx(5 * entropy, rel=1e-4)


def test_one_step_moves_affine_variables_and_follows_the_clean_images_once():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter(epsilon=20.0)
    network = adapter.network
    trainable = tiny.numpy_values(network.trainable_variables)
    source = tiny.numpy_values(network.moving_statistics)
    convolution = next(x for x in network.encoder.layers if "conv" in x.name)
    x = ops.convert_to_numpy(convolution(network.normalization(images)))
    batch = [x.mean((0, 1, 2)), x.var((0, 1, 2))]

    adapter.fit(keras_s4t.data.online_stream(images), verbose=0)
    moved = tiny.moved(network.trainable_variables, trainable)
    assert moved == {id(v) for v in network.affine_variables}
    target = tiny.numpy_values(network.moving_statistics)
    for before, of_batch, after in zip(source, batch, target, strict=False):
        expected = 0.9 * before + 0.1 * of_batch
        np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-5)

    control = keras_s4t.TargetAdapter(
        tiny.make_network(), keras_s4t.methods.BatchNormOnly()
    )
    tiny.fill(control)
    control.compile()
    control.fit(keras_s4t.data.online_stream(images), verbose=0)
    expected = tiny.numpy_values(control.network.moving_statistics)
    for a, b in zip(target, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.eager
def test_adaptation_makes_predictions_more_invariant():
    images, *_ = tiny.make_arrays(2)
    adapter = make_adapter(tiny.make_tasks(2), epsilon=8.0)
    adapter.optimizer.learning_rate = 320.0
    stream = keras_s4t.data.online_stream(images, steps=10, batch_size=2)
    first = target_loss(adapter, images)
    adapter.fit(stream, verbose=0)
    assert target_loss(adapter, images) < 0.8 * first


@pytest.mark.eager
def test_images_of_integers():
    images = np.round(tiny.make_arrays(2)[0])
    values = [
        target_loss(make_adapter(), images.astype(dtype))
        for dtype in ("uint8", "float32")
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-4)


@pytest.mark.eager
def test_the_authors_optimizer_for_any_batch():
    optimizer = TIPI().default_optimizer()
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert float(optimizer.learning_rate) == pytest.approx(2.5e-4)
    # The authors' rate is 2.5e-4 for 64 images, scaled with the batch size.
    images = tiny.make_arrays(4)[0]
    images, method = ops.convert_to_tensor(images), TIPI(epsilon=2.0, seed=0)
    losses = [
        method.target_loss(LinearModel(), x, {"P2": x})
        for x in (images, ops.concatenate([images, images]))
    ]
    expected = [10.0 * 4 / 64, 10.0 * 8 / 64]
    values = [float(ops.convert_to_numpy(loss)) for loss in losses]
    np.testing.assert_allclose(values, expected, rtol=1e-4)
    assert optimizer.momentum == 0.9
    assert not optimizer.weight_decay and not optimizer.nesterov


@pytest.mark.parametrize(
    "kwargs, received",
    [
        ({"epsilon": 0}, "epsilon=0"),
        ({"epsilon": -2.0}, "epsilon=-2.0"),
        ({"sigma": {"depth": 0.0}}, r"sigma=\{'depth': 0.0\}"),
        ({"entropy_weight": -1.0}, "entropy_weight=-1.0"),
    ],
)
def test_numbers_out_of_range(kwargs, received):
    with pytest.raises(ValueError, match=f"must be positive.*{received}"):
        TIPI(**kwargs)


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"sigma": {"semseg": 1.0}}, r"\['depth', 'normals'\].*'semseg'"),
        ({"entropy_weight": 1.0}, r"`entropy_task` must.*\[\].*='semseg'"),
        (
            {"entropy_weight": 1.0, "entropy_task": "depth"},
            r"`entropy_task` must.*\[\].*='depth'",
        ),
    ],
)
def test_tasks_the_network_lacks(kwargs, message):
    task_list = tiny.make_tasks(4)[1:3]
    make_adapter(task_list)
    with pytest.raises(ValueError, match=message):
        make_adapter(task_list, **kwargs)
