"""JAX: variables keep their values, however a loop over batches ends."""

import contextlib
import threading

import keras

from keras_s4t.state.interrupts import interrupts_later


class KeptState:
    """Puts values back into the variables after an error or Ctrl-C.

    Before a loop over batches, Keras empties the variables and passes their
    values from step to step. Compiled steps delete the values that they are
    given. An error in a batch, a callback or between two steps would leave a
    model without weights. Ctrl-C waits for the step, whose new values would be
    lost with it.

    Attributes:
        looping_thread: Of a network, where it has one: the thread in which a
            loop over batches has emptied the variables, or `None`.
    """

    def fit(self, *args, **kwargs):
        """As Keras's."""
        with self._written_back():
            return super().fit(*args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """As Keras's."""
        with self._written_back():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args, **kwargs):
        """As Keras's."""
        with self._written_back():
            return super().predict(*args, **kwargs)

    def make_train_function(self, force=False):
        """As Keras's, and guarded."""
        if self.train_function is None or force:
            super().make_train_function(force)
            self.train_function = self._guarded(self.train_function)

    def make_test_function(self, force=False):
        """As Keras's, and guarded."""
        if self.test_function is None or force:
            super().make_test_function(force)
            self.test_function = self._guarded(self.test_function)

    def make_predict_function(self, force=False):
        """As Keras's, and guarded."""
        if self.predict_function is None or force:
            super().make_predict_function(force)
            self.predict_function = self._guarded(self.predict_function)
        return self.predict_function

    @contextlib.contextmanager
    def _written_back(self):
        network = getattr(self, "network", self)
        before = network.looping_thread
        network.looping_thread = threading.get_ident()
        try:
            yield
        except BaseException:
            # Those of the last step, unless they are written already.
            self.jax_state_sync()
            raise
        finally:
            network.looping_thread = before

    def _guarded(self, function):
        def guarded(state, iterator):
            outcome = None
            try:
                with interrupts_later():
                    outcome = function(state, iterator)
                return outcome
            except BaseException:
                self._write(state if outcome is None else outcome[1])
                raise

        return guarded

    def _write(self, state):
        """Writes what was given to a step, or what it returned."""
        for variables, values in zip(
            state_groups(self, len(state)), state, strict=True
        ):
            for variable, value in zip(variables, values, strict=True):
                # The step deletes the values that it was given.
                if not value.is_deleted():
                    variable.assign(value)
        self._jax_state_synced = True


def state_groups(model, count=4):
    """The variables of a state: of 2 groups to predict, 3 to evaluate."""
    groups = [model.trainable_variables, model.non_trainable_variables]
    if count == 4:
        groups.append(model.optimizer.variables)
    if count > 2:
        groups.append(model.metrics_variables)
    return groups


StateMixins = (KeptState,) if keras.backend.backend() == "jax" else ()
