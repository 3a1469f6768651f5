"""`train_step` on every backend, from one `step(data)`."""

import keras

from keras_s4t.state.kept_state import state_groups


class StatefulStep:
    """TensorFlow and PyTorch: `train_step(data)` mutates variables in place."""

    def train_step(self, data):
        """Runs `self.step(data)`."""
        return self.step(data)


class StatelessStep:
    """JAX: `train_step(state, data)` returns the new state."""

    def train_step(self, state, data):
        """Runs `self.step(data)` on `state` and returns the new state."""
        groups = state_groups(self)
        variables, values = sum(groups, []), sum(map(list, state), [])
        with keras.StatelessScope(
            list(zip(variables, values, strict=True))
        ) as scope:
            logs = self.step(data)
        current = scope.get_current_value
        return logs, tuple([current(v) for v in group] for group in groups)


IS_JAX = keras.backend.backend() == "jax"
StepMixin = StatelessStep if IS_JAX else StatefulStep
