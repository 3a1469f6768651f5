import keras
import numpy as np
import pytest
import tiny
from gradients import value_and_gradient
from keras import layers
from keras import ops

import keras_s4t
from keras_s4t import backend
from keras_s4t.models.product_convolution import ProductConvolution

SHAPES = [
    # kernel_size, strides, padding, use_bias
    (1, 1, "valid", False),
    (1, 2, "valid", True),
    (1, 2, "same", False),
    (3, 1, "same", True),
    (3, 2, "valid", False),
    ((2, 3), (1, 1), "same", False),
]
every_shape = pytest.mark.parametrize(
    ("kernel_size", "strides", "padding", "use_bias"), SHAPES
)


def make_convolution(*options, **kwargs):
    kernel_size, strides, padding, use_bias = options
    layer = layers.Conv2D(
        5, kernel_size, strides, padding, use_bias=use_bias, **kwargs
    )
    layer.build((None, None, None, 4))
    rng = np.random.default_rng(1)
    for variable in layer.variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer


def make_images():
    return np.random.default_rng(0).normal(size=(2, 6, 7, 4)).astype("float32")


def by_hand(x, layer):
    """Every output is a sum over a window."""
    kernel, *bias = map(ops.convert_to_numpy, layer.variables)
    rows, columns = kernel.shape[:2]
    if layer.padding == "same":
        pads = [((n - 1) // 2, n // 2) for n in (rows, columns)]
        x = np.pad(x, [(0, 0), *pads, (0, 0)])
    down, right = layer.strides
    outputs = [
        [
            np.einsum(
                "bijc,ijcf->bf", x[:, i : i + rows, j : j + columns], kernel
            )
            for j in range(0, x.shape[2] - columns + 1, right)
        ]
        for i in range(0, x.shape[1] - rows + 1, down)
    ]
    outputs = np.array(outputs).transpose(2, 0, 1, 3)
    return outputs + bias[0] if bias else outputs


@every_shape
def test_outputs_follow_the_formula(kernel_size, strides, padding, use_bias):
    layer = make_convolution(kernel_size, strides, padding, use_bias)
    x = make_images()
    outputs = ops.convert_to_numpy(ProductConvolution(layer)(x))
    np.testing.assert_allclose(outputs, by_hand(x, layer), atol=1e-4)
    assert outputs.shape == ProductConvolution(layer).compute_output_shape(
        x.shape
    )


@every_shape
@pytest.mark.parametrize("wanted", ["inputs", "kernel"])
def test_gradients_are_those_of_keras(
    kernel_size, strides, padding, use_bias, wanted
):
    layer = make_convolution(kernel_size, strides, padding, use_bias)
    images = make_images()
    kernel = ops.convert_to_numpy(layer.kernel)

    def loss_with(layer_or_product):
        def loss(x):
            replaced = [(layer.kernel, x)] if wanted == "kernel" else []
            with keras.StatelessScope(replaced):
                outputs = layer_or_product(images if replaced else x)
            return ops.sum(ops.sin(outputs))

        return value_and_gradient(
            loss, kernel if wanted == "kernel" else images
        )

    received = loss_with(ProductConvolution(layer))
    for value, expected in zip(received, loss_with(layer), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 2, "filters": 4},
        {"dilation_rate": 2},
        {"activation": "relu"},
        {"strides": 2, "padding": "same"},
    ],
)
def test_another_convolution_is_refused(options):
    options = {"filters": 4, "kernel_size": 3, **options}
    layer = layers.Conv2D(**options)
    layer.build((None, None, None, 4))
    assert not ProductConvolution.is_better_for(layer)
    with pytest.raises(ValueError, match="`convolution` must be.*Received"):
        ProductConvolution(layer)


def make_network(task_list, fused_norms):
    return keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet_tiny(), task_list, fused_norms=fused_norms
    )


def test_the_network_computes_the_same_and_saves_the_same(
    tmp_path, monkeypatch
):
    # As if this backend were faster with products.
    monkeypatch.setattr(backend, "multiplies_faster", lambda *shape: True)
    task_list = tiny.make_tasks(2)
    plain, network = (make_network(task_list, x) for x in (False, True))
    found = [
        x for x in network.encoder.layers if isinstance(x, ProductConvolution)
    ]
    assert len(found) > 2
    assert [v.shape for v in network.variables] == [
        v.shape for v in plain.variables
    ]
    network.save_weights(tmp_path / "network.weights.h5")
    plain.load_weights(tmp_path / "network.weights.h5")
    images, *_ = tiny.make_arrays(2)
    outputs, expected = (x.predict(images, verbose=0) for x in (network, plain))
    for name in expected:
        scale = np.abs(expected[name]).max()
        np.testing.assert_allclose(
            outputs[name], expected[name], atol=1e-5 * scale
        )
    layer = found[0]
    clone = ProductConvolution.from_config(layer.get_config())
    assert clone.convolution.get_config() == layer.convolution.get_config()


@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="others convolve as fast"
)
@pytest.mark.parametrize(
    ("kernel_size", "channels", "expected"),
    [((1, 1), 8, True), ((3, 3), 64, False), ((3, 3), 256, True)],
)
def test_the_rule_on_jax(monkeypatch, kernel_size, channels, expected):
    import jax

    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert backend.multiplies_faster(kernel_size, channels) is expected
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert not backend.multiplies_faster(kernel_size, channels)
