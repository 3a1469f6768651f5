from keras import ops

from keras_s4t.backend import no_gradients
from keras_s4t.backend import value_and_grad
from keras_s4t.state.pure_call import run_on
from keras_s4t.state.pure_call import written_variables


def minimize(loss_fn, updated, state, optimizer, dropped=()):
    """One optimizer step on a loss, run as a pure function.

    Variables are read from given values and writes are collected. A method can
    then choose which variables are updated and which writes are kept.

    Args:
        loss_fn: Function without arguments that returns a scalar, and a
            structure of other tensors that it computed.
        updated: list of variables that the optimizer updates.
        state: list of all variables that `loss_fn` reads or writes.
        optimizer: Keras optimizer, built for `updated`.
        dropped: Variables whose writes are discarded.

    Returns:
        Pair of the loss before the step, float32, and the other tensors,
        through which no gradient flows.
    """
    updated_ids = {id(variable) for variable in updated}
    held = [v for v in state if id(v) not in updated_ids]
    held_values = [ops.convert_to_tensor(v.value) for v in held]
    written = []

    def loss_of(values):
        (loss, others), scope = run_on(
            loss_fn, updated + held, [*values, *held_values]
        )
        written[:] = written_variables(held, held_values, scope)
        writes = [scope.get_current_value(variable) for variable in written]
        return ops.cast(loss, "float32"), (writes, others)

    if updated:
        values = [variable.value for variable in updated]
        loss, (writes, others), gradients = value_and_grad(loss_of, values)
        optimizer.apply(gradients, updated)
    else:
        with no_gradients():
            loss, (writes, others) = loss_of([])
    dropped_ids = {id(variable) for variable in dropped}
    for variable, value in zip(written, writes, strict=True):
        if id(variable) not in dropped_ids:
            variable.assign(value)
    return loss, others


def gradient_of(fn, inputs):
    """Gradient of the scalar `fn(inputs)`, without a gradient of its own."""
    _, _, gradients = value_and_grad(
        lambda tensors: (ops.cast(fn(tensors[0]), "float32"), ()), [inputs]
    )
    return ops.stop_gradient(gradients[0])
