import keras
import numpy as np
import pytest
from keras import ops

import keras_s4t
from keras_s4t import backend


@pytest.mark.parametrize("multiplies", [False, True])
def test_the_parts_have_the_arithmetic_of_the_encoder(
    load_recipe, monkeypatch, multiplies
):
    step_parts = load_recipe("benchmarking.step_parts")
    arithmetic = load_recipe("benchmarking.arithmetic")
    monkeypatch.setattr(backend, "multiplies_faster", lambda *shape: multiplies)
    network = keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet_tiny(), [keras_s4t.tasks.depth()]
    )
    size, batch_size = (32, 64), 2
    layers, shapes = step_parts.encoder_layers(network.encoder, size)
    kinds = {kind for kind, *_ in layers}
    assert kinds == {"norm", "product" if multiplies else "convolution"}
    norms = sum(n for (kind, *_), n in layers.items() if kind == "norm")
    assert norms == len(network.batch_norms)
    products, expected = arithmetic.encoder_products(network.encoder, size)
    assert shapes == expected
    parts, _ = step_parts.encoder_parts(
        network.encoder, size, batch_size, lambda shape: ops.ones(shape)
    )
    flops = sum(part.count * part.flops for part in parts)
    assert flops == 2 * batch_size * sum(products)


def test_gradients_are_those_of_the_outputs(load_recipe):
    compiled = load_recipe("benchmarking.compiled")
    x, y = np.float32([1, 2]), np.float32([3, 5])
    tensors = [keras.ops.convert_to_tensor(a) for a in (x, y)]

    def function(a, b):
        return [a * b, ops.sum(a)]

    outputs = compiled.forward(function)(*tensors)
    np.testing.assert_allclose(ops.convert_to_numpy(outputs[0]), x * y)
    both = compiled.forward_and_backward(function, 1)
    cotangents = [
        ops.convert_to_tensor(np.float32([1, 10])),
        ops.convert_to_tensor(np.float32(100)),
    ]
    (gradient,) = both(cotangents, *tensors)
    np.testing.assert_allclose(
        ops.convert_to_numpy(gradient), [1 * 3 + 100, 10 * 5 + 100]
    )
