"""`train_step` on every backend, from one `step(data)`."""

import threading

import keras


class StatefulStep:
    """TensorFlow and PyTorch: `train_step(data)` mutates variables in place."""

    def train_step(self, data):
        """Runs `self.step(data)`."""
        return self.step(data)


class StatelessStep:
    """JAX: `train_step(state, data)` returns the new state."""

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
    """JAX: restores the variables after an error in a batch.

    Keras empties the variables before it reads a batch, and holds no other
    copy of the state if a callback evaluated just before.
    """

    def fit(self, *args, **kwargs):
        """As Keras's, and other threads are told what they cannot do."""
        self.network.fitting_thread = threading.get_ident()
        try:
            return super().fit(*args, **kwargs)
        finally:
            self.network.fitting_thread = None

    def make_train_function(self, force=False):
        """As Keras's, but an error puts the state back into the variables."""
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
                    # The step deletes the values that it was given.
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
