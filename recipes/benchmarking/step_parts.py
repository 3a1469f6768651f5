"""The parts of an adaptation step, each of which can run alone.

All have the shapes that they have in the step. Layers of one shape are run
once and counted. A part alone may be faster than in the step, where its inputs
are no longer in the cache, or slower, where a compiler joins it with others.
"""

import collections
import dataclasses
import math

import keras
import numpy as np
from keras import ops

from benchmarking import compiled
from benchmarking.arithmetic import encoder_calls
from keras_s4t.backend import batch_norm_with_batch_statistics
from keras_s4t.losses import absolute_error
from keras_s4t.models.product_convolution import ProductConvolution
from keras_s4t.models.product_convolution import multiply_patches
from keras_s4t.state.minimize import all_finite
from keras_s4t.state.pure_call import run_on


@dataclasses.dataclass
class Part:
    """A part of a step.

    Attributes:
        name: What the table calls it; parts of one name are added up.
        count: int. How often it runs in a step.
        forward: Function without arguments that runs it.
        backward: Likewise, with gradients, or `None` where a step has none.
        flops: int. Floating point operations of the products in `forward`.
    """

    name: str
    count: int
    forward: object
    backward: object = None
    flops: int = 0


def make_parts(adapter, size, batch_size):
    """The parts of a step of S4T.

    Args:
        adapter: A compiled `TargetAdapter` of `S4T`.
        size: Pair of ints, `(height, width)` of the images.
        batch_size: int.

    Returns:
        list of `Part`.
    """
    rng = np.random.default_rng(0)
    dtype = adapter.network.compute_dtype

    def draw(shape):
        values = rng.normal(size=shape).astype("float32")
        return ops.cast(ops.convert_to_tensor(values), dtype)

    parts, shapes = encoder_parts(
        adapter.network.encoder, size, batch_size, draw
    )
    features = {
        name: draw((batch_size, *shape[1:])) for name, shape in shapes.items()
    }
    return [*parts, *_head_parts(adapter, features, size, draw)]


def encoder_parts(encoder, size, batch_size, draw):
    """Convolutions by kernel size, and batch norms."""
    layers, shapes = encoder_layers(encoder, size)
    parts = []
    for (kind, shape, kernel, options), count in layers.items():
        inputs = draw((batch_size, *shape))
        if kind == "norm":
            scale_and_offset = [ops.ones(shape[-1:]), ops.zeros(shape[-1:])]
            tensors = [inputs, *scale_and_offset]
            parts.append(
                _make_part("batch norms", _normalize, tensors, draw, count)
            )
            continue
        convolve = _convolution(kind, **dict(options))
        # Nobody asks for the gradient of the images.
        is_first = shape[-1] == 3
        tensors = [inputs, draw(kernel)]
        parts.append(
            _make_part(
                f"convolutions {kernel[0]}x{kernel[1]}",
                (lambda k, x, f=convolve: f(x, k)) if is_first else convolve,
                tensors[::-1] if is_first else tensors,
                draw,
                count,
                num_moving=1 if is_first else 2,
                products=math.prod(kernel),
            )
        )
    return parts, shapes


def encoder_layers(encoder, size):
    """Layers with kernels and batch norms of an encoder.

    Args:
        encoder: Functional `keras.Model` with channels last.
        size: Pair of ints, `(height, width)` of the images.

    Returns:
        Pair of a dict from `(kind, input shape, kernel shape, options)`, with
        `kind` `"convolution"`, `"product"` for what `ProductConvolution`
        computes, or `"norm"`, to how often it occurs, and the shapes of the
        outputs. Shapes of inputs are those of one image.
    """
    found = collections.Counter()
    calls, shapes = encoder_calls(encoder, size)
    for layer, inputs, _ in calls:
        norm = getattr(layer, "norm", layer)
        if isinstance(norm, keras.layers.BatchNormalization):
            found["norm", inputs.shape[1:], None, ()] += 1
        multiplies = isinstance(layer, ProductConvolution)
        convolution = layer.convolution if multiplies else layer
        if isinstance(convolution, keras.layers.Conv2D):
            kind = "product" if multiplies else "convolution"
            options = (
                ("strides", tuple(convolution.strides)),
                ("padding", convolution.padding),
            )
            kernel = tuple(convolution.kernel.shape)
            found[kind, inputs.shape[1:], kernel, options] += 1
    return found, shapes


def _normalize(x, gamma, beta):
    return list(batch_norm_with_batch_statistics(x, gamma, beta, 1e-5)[:1])


def _convolution(kind, strides, padding):
    if kind == "product":
        return lambda x, kernel: [multiply_patches(x, kernel, strides, padding)]
    return lambda x, kernel: [
        ops.conv(x, kernel, strides, padding, data_format="channels_last")
    ]


def _make_part(
    name, function, tensors, draw, count=1, num_moving=None, products=0
):
    """A part that computes `function(*tensors)`.

    Args:
        name: See `Part`.
        function: Function of tensors that returns a list of tensors.
        tensors: list of tensors, those with a gradient first.
        draw: Function from a shape to a tensor.
        count: See `Part`.
        num_moving: int. How many of the tensors have a gradient; by default
            all.
        products: int. Multiply-adds for one position of the first output.
    """
    num_moving = len(tensors) if num_moving is None else num_moving
    forward = compiled.forward(function)
    outputs = forward(*tensors)
    part = Part(name, count, lambda: forward(*tensors))
    part.flops = 2 * products * math.prod(outputs[0].shape[:-1])
    if num_moving:
        backward = compiled.forward_and_backward(function, num_moving)
        gradients = [ops.cast(draw(tuple(x.shape)), x.dtype) for x in outputs]
        part.backward = lambda: backward(gradients, *tensors)
    return part


def _head_parts(adapter, features, size, draw):
    """Decoders, projections, synchronizer, distances, check and optimizer.

    A step on JAX takes the values of variables away, so that these are copies.
    """
    network, method = adapter.network, adapter.method
    levels, maps = list(features), list(features.values())

    def on(layers, function):
        """A part that reads variables: these and its tensors have gradients."""
        variables = [v for x in layers for v in x.trainable_variables]
        others = [v for x in layers for v in x.non_trainable_variables]
        held = [ops.copy(v.value) for v in others]

        def run(*tensors):
            number = len(tensors) - len(variables)
            result, _ = run_on(
                lambda: function(*tensors[:number]),
                [*variables, *others],
                [*tensors[number:], *held],
            )
            return list(result.values())

        return run, [ops.copy(v.value) for v in variables]

    def named(*tensors):
        return dict(zip(levels, tensors, strict=True))

    decode, weights = on(
        [network.decoder], lambda *x: network.decode(named(*x), size)
    )
    parts = [
        _make_part("decoders", decode, [*maps, *weights], draw, num_moving=0)
    ]
    projections = [p.projection for p in method.projections.values()]
    project, weights = on(projections, lambda *x: method.project(named(*x)))
    tensors = [*maps, *weights]
    parts.append(_make_part("projections", project, tensors, draw))
    latents = compiled.forward(project)(*tensors)
    names = list(method.projections)
    synchronize, weights = on(
        [method.synchronizer],
        lambda *x: method.predict_jointly(
            dict(zip(names, x, strict=True)), size
        ),
    )
    tensors = [*latents, *weights]
    parts.append(_make_part("synchronizer", synchronize, tensors, draw))
    joint = compiled.forward(synchronize)(*tensors)
    main = [draw(tuple(x.shape)) for x in joint]

    def distances(*tensors):
        pairs = zip(tensors[: len(names)], tensors[len(names) :], strict=True)
        return [absolute_error(target, output) for output, target in pairs]

    parts.append(
        _make_part(
            "distances", distances, [*joint, *main], draw, num_moving=len(names)
        )
    )
    return [*parts, *_update_parts(adapter)]


def _update_parts(adapter):
    """The check of a step, and the optimizer."""
    optimizer, updated = adapter.optimizer, adapter.updated_variables
    gradients = [ops.zeros_like(v.value) for v in updated]
    slots = [ops.copy(v.value) for v in optimizer.variables]
    values = [ops.copy(v.value) for v in updated]

    def update(*gradients):
        if keras.backend.backend() == "tensorflow":
            # It has no other way. Gradients are 0.
            optimizer.apply(list(gradients), updated)
            return [ops.copy(v.value) for v in updated[:1]]
        # PyTorch's optimizers change tensors in place.
        return optimizer.stateless_apply(
            list(map(ops.copy, slots)),
            list(gradients),
            list(map(ops.copy, values)),
        )[0]

    return [
        _make_part(name, function, gradients, None, num_moving=0)
        for name, function in (
            ("check that all is finite", lambda *x: [all_finite(x)]),
            ("optimizer", update),
        )
    ]
