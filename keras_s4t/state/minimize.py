import keras
from keras import ops

from keras_s4t.backend import apply_scaled
from keras_s4t.backend import is_shared
from keras_s4t.backend import no_gradients
from keras_s4t.backend import optimizer_sums
from keras_s4t.backend import shared_batch
from keras_s4t.backend import sum_over_batch
from keras_s4t.backend import value_and_grad
from keras_s4t.backend import write_if
from keras_s4t.state.pure_call import run_on
from keras_s4t.state.pure_call import written_variables


def minimize(loss_fn, updated, state, optimizer, dropped=(), batch_size=None):
    """One optimizer step on a loss, run as a pure function.

    Variables are read from given values and writes are collected. A method can
    then choose which variables are updated and which writes are kept. A step
    whose loss, gradients, writes or learning rate are not finite changes no
    variable.

    Replicas, each of which calls this with its share of a batch, make the step
    of the whole batch. That is exact where a loss is a mean over images, over
    valid pixels by `masked_mean`, or a sum of such, and where batch norms are
    those of this package. Float variables that are written otherwise become
    the mean over replicas.

    Args:
        loss_fn: Function without arguments that returns a scalar, and a
            structure of other tensors that it computed.
        updated: list of variables that the optimizer updates.
        state: list of all variables that `loss_fn` reads or writes. What it
            writes to `updated` is kept, too, before the optimizer's step.
        optimizer: Keras optimizer, built for `updated`.
        dropped: Variables whose writes are discarded.
        batch_size: Optional float32 scalar. Images in the share of this
            replica. Needed if there are several.

    Returns:
        Tuple of the loss before the step, float32; the other tensors, through
        which no gradient flows; and whether the step was made, a bool scalar.
    """
    updated_ids = {id(variable) for variable in updated}
    held = [v for v in state if id(v) not in updated_ids]
    held_values = [ops.convert_to_tensor(v.value) for v in held]
    written = []
    weight = None
    with shared_batch():
        shares = is_shared()
        if shares:
            weight = batch_size / sum_over_batch(batch_size)[0]

    def loss_of(values):
        with shared_batch():
            (loss, others), scope = run_on(
                loss_fn, updated + held, [*values, *held_values]
            )
        written[:] = written_variables(
            updated + held, [*values, *held_values], scope
        )
        writes = [scope.get_current_value(variable) for variable in written]
        loss = ops.cast(loss, "float32")
        # Gradients are summed over replicas.
        own = loss * weight if shares else loss
        scaled = optimizer.scale_loss(own)
        return scaled, (loss, writes, others)

    gradients = []
    if updated:
        values = [variable.value for variable in updated]
        _, (loss, writes, others), gradients = value_and_grad(loss_of, values)
    else:
        with no_gradients():
            _, (loss, writes, others) = loss_of([])
    if shares:
        with shared_batch(), no_gradients():
            loss, *writes = _weighted_sums([loss, *writes], weight)
            if updated and not optimizer_sums:
                gradients = sum_over_batch(*gradients)
    dropped_ids = {id(variable) for variable in dropped}
    kept = [
        (variable, value)
        for variable, value in zip(written, writes, strict=True)
        if id(variable) not in dropped_ids
    ]

    def write():
        # The optimizer may move these, too.
        for variable, value in kept:
            variable.assign(value)
        if updated and _scales_its_loss(optimizer):
            apply_scaled(optimizer, gradients, updated)
        elif updated:
            optimizer.apply(gradients, updated)

    checked = [loss, *(value for _, value in kept)]
    if updated:
        # A schedule or a callback may have made it NaN.
        checked.append(ops.convert_to_tensor(optimizer.learning_rate))
    if not _scales_its_loss(optimizer):
        checked += gradients
    is_finite = all_finite(checked)
    if shares:
        # TensorFlow's optimizers have yet to sum the gradients.
        with shared_batch(), no_gradients():
            bad = sum_over_batch(1 - ops.cast(is_finite, "float32"))[0]
            is_finite = bad == 0
    touched = updated + optimizer.variables + [v for v, _ in kept]
    write_if(is_finite, write, touched)
    return loss, others, is_finite


def _is_float(tensor):
    return "float" in keras.backend.standardize_dtype(tensor.dtype)


def _weighted_sums(tensors, weight):
    """Weighted sums over replicas of float tensors; others as they are."""
    weighted = [
        weight * ops.cast(x, "float32") for x in tensors if _is_float(x)
    ]
    sums = iter(sum_over_batch(*weighted))
    return [
        ops.cast(next(sums), x.dtype) if _is_float(x) else x for x in tensors
    ]


def all_finite(tensors):
    """Whether all values of float tensors are finite, a bool scalar.

    A sum and not a maximum, which may lose NaN on JAX. It reads every value
    once.
    """
    sums = [
        ops.sum(ops.cast(tensor, "float32"))
        for tensor in tensors
        if _is_float(tensor)
    ]
    return ops.isfinite(ops.sum(ops.stack(sums)))


def _scales_its_loss(optimizer):
    """Whether an optimizer itself skips gradients that are not finite."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def gradient_of(fn, inputs):
    """Gradient of the scalar `fn(inputs)`, without a gradient of its own."""
    _, _, gradients = value_and_grad(
        lambda tensors: (ops.cast(fn(tensors[0]), "float32"), ()), [inputs]
    )
    return ops.stop_gradient(gradients[0])
