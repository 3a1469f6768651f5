"""The only module that names a backend: gradients and `train_step`."""

import contextlib

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    def value_and_grad(fn, inputs):
        """Gradient of `fn(inputs) -> (value, aux)`; see `functional.py`."""
        inputs = [tf.convert_to_tensor(x) for x in inputs]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            value, aux = fn(inputs)
        # JAX returns zeros for an unconnected input; so do we everywhere.
        gradients = tape.gradient(value, inputs, unconnected_gradients="zero")
        return value, aux, gradients

elif keras.backend.backend() == "jax":
    import jax

    def value_and_grad(fn, inputs):
        """Gradient of `fn(inputs) -> (value, aux)`; see `functional.py`."""
        inputs = list(inputs)
        (value, aux), gradients = jax.value_and_grad(fn, has_aux=True)(inputs)
        return value, aux, gradients

elif keras.backend.backend() == "torch":
    import torch

    def value_and_grad(fn, inputs):
        """Gradient of `fn(inputs) -> (value, aux)`; see `functional.py`."""
        inputs = [x.detach().requires_grad_() for x in inputs]
        with torch.enable_grad():
            value, aux = fn(inputs)
            gradients = torch.autograd.grad(
                value, inputs, allow_unused=True, materialize_grads=True
            )
        aux = keras.tree.map_structure(
            lambda x: x.detach() if torch.is_tensor(x) else x, aux
        )
        return value.detach(), aux, list(gradients)

else:
    raise ImportError(
        "keras_s4t runs on the TensorFlow, JAX and PyTorch backends of Keras. "
        f"Received: keras.backend.backend()={keras.backend.backend()}"
    )


def no_gradients():
    """A context in which PyTorch records nothing for a backward pass."""
    if keras.backend.backend() == "torch":
        return torch.no_grad()
    return contextlib.nullcontext()


def default_jit_compile():
    """Whether models are compiled with XLA, as `Model.compile` takes it."""
    if keras.backend.backend() == "tensorflow":
        # On CPUs, XLA's convolutions are slower than TensorFlow's own.
        return "auto" if tf.config.list_physical_devices("GPU") else False
    return "auto"


class StatefulStep:
    """TensorFlow and PyTorch: `train_step(data)` mutates variables in place."""

    def train_step(self, data):
        """Runs `self.step(data)`."""
        return self.step(data)


class StatelessStep:
    """JAX: `train_step(state, data)` returns what it would have mutated."""

    def train_step(self, state, data):
        """Runs `self.step(data)` on `state` and returns the new state."""
        groups = _state_groups(self)
        variables, values = sum(groups, []), sum(map(list, state), [])
        with keras.StatelessScope(
            list(zip(variables, values, strict=True))
        ) as scope:
            logs = self.step(data)
        current = scope.get_current_value
        return logs, tuple([current(v) for v in group] for group in groups)


class KeptState:
    """JAX: a batch that cannot be read or traced costs no weights.

    Keras empties the variables before it asks for a batch, and has no other
    copy of the state when a callback evaluated just before.
    """

    def make_train_function(self, force=False):
        """As Keras's; the state goes back into the variables on an error."""
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        train_function = self.train_function

        def guarded(state, iterator):
            try:
                return train_function(state, iterator)
            except BaseException:
                variables = sum(_state_groups(self), [])
                values = sum(map(list, state), [])
                for variable, value in zip(variables, values, strict=True):
                    # The step itself consumes what it was given.
                    if not value.is_deleted():
                        variable.assign(value)
                raise

        self.train_function = guarded


def _state_groups(model):
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


IS_JAX = keras.backend.backend() == "jax"
StepMixin = StatelessStep if IS_JAX else StatefulStep
StateMixins = (KeptState,) if IS_JAX else ()
