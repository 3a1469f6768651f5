"""`train_step` on every backend, from one `step(data)`."""

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


def _state_groups(model):
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


IS_JAX = keras.backend.backend() == "jax"
StepMixin = StatelessStep if IS_JAX else StatefulStep
