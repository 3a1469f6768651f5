"""Functions of tensors, compiled as the backend compiles a step."""

import keras

from benchmarking import hardware
from keras_s4t.backend import default_jit_compile
from keras_s4t.backend import no_gradients


def forward(function):
    """A compiled function that returns when the device has finished.

    Args:
        function: Function of tensors that returns a list of tensors.

    Returns:
        Function of the same tensors, which returns what `function` does.
    """
    run = _compiled(function)

    def call(*tensors):
        with no_gradients():
            outputs = run(*tensors)
        hardware.wait_for(outputs)
        return outputs

    return call


def forward_and_backward(function, num_moving):
    """The same with gradients.

    Args:
        function: As above.
        num_moving: int. The first tensors, so many, have gradients.

    Returns:
        Function of a list of tensors, the gradients of the outputs, and of the
        tensors that `function` takes. It returns the gradients of the moving
        ones.
    """

    def split(tensors):
        moving, others = tensors[:num_moving], tensors[num_moving:]
        return list(moving), lambda x: function(*x, *others)

    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        def both(cotangents, *tensors):
            moving, run = split(tensors)
            outputs, backward = jax.vjp(run, moving)
            return outputs, backward(cotangents)[0]

    elif backend == "torch":
        import torch

        def both(cotangents, *tensors):
            moving, run = split(tensors)
            moving = [x.detach().requires_grad_() for x in moving]
            outputs = run(moving)
            return outputs, torch.autograd.grad(outputs, moving, cotangents)

    else:
        import tensorflow as tf

        def both(cotangents, *tensors):
            moving, run = split(tensors)
            with tf.GradientTape() as tape:
                tape.watch(moving)
                outputs = run(moving)
            return outputs, tape.gradient(outputs, moving, cotangents)

    run = _compiled(both)

    def call(cotangents, *tensors):
        outputs, gradients = run(cotangents, *tensors)
        hardware.wait_for([*outputs, *gradients])
        return list(gradients)

    return call


def _compiled(function):
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=default_jit_compile())
    return function
