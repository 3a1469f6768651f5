"""PyTorch implementations of the functions in `__init__.py`."""

import contextlib

import keras
import torch
import torch.distributed as dist
from torch.utils import checkpoint as torch_checkpoint

from keras_s4t.backend.selection import apply_statelessly
from keras_s4t.backend.selection import write_selected

apply_scaled = apply_statelessly
has_exact_moments = False
exports_itself = False
optimizer_sums = False
no_gradients = torch.no_grad


def default_jit_compile():
    """Leaves the choice to Keras."""
    return "auto"


def value_and_grad(fn, inputs):
    """Value, auxiliary output and gradients of `fn(inputs)`."""
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


def write_if(condition, write, variables):
    """A branch where the host has the condition, else a selection."""
    if condition.device.type == "cpu":
        if condition:
            write()
        return
    with torch.no_grad():
        write_selected(condition, write, variables)


def replicated(loss):
    """Processes have numbers of their own."""
    return loss


def num_replicas():
    """The processes of the default group."""
    if not dist.is_available() or not dist.is_initialized():
        return 1
    return dist.get_world_size()


num_processes = num_replicas


def all_reduce(tensors):
    """One message for all tensors."""
    flat = [tensor.to(torch.float32).reshape(-1) for tensor in tensors]
    total = _SumOverProcesses.apply(torch.cat(flat))
    parts = total.split([part.numel() for part in flat])
    return [
        part.reshape(tensor.shape).to(tensor.dtype)
        for part, tensor in zip(parts, tensors, strict=True)
    ]


class _SumOverProcesses(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient):
        total = gradient.clone()
        dist.all_reduce(total)
        return total


def gather(value):
    """By the default group."""
    values = [value] * num_replicas()
    if num_replicas() > 1:
        dist.all_gather_object(values, value)
    return values


def any_batch_size(sizes):
    """Nothing to do: shares may differ here."""
    return contextlib.nullcontext(True)


def copy_from_first(variables):
    """By the default group."""
    if num_replicas() == 1:
        return
    with torch.no_grad():
        for variable in variables:
            value = variable.value.detach().clone()
            dist.broadcast(value, 0)
            variable.assign(value)


def checkpoint(fn, *inputs):
    """`fn(*inputs)` with intermediate values recomputed for the gradient."""
    return torch_checkpoint.checkpoint(fn, *inputs, use_reentrant=False)


def batch_norm_with_batch_statistics(x, gamma, beta, epsilon):
    """One fused operation, forward and backward."""
    # `permute` returns a view: memory stays channels last.
    outputs, mean, inverse = torch.native_batch_norm(
        x.permute(0, 3, 1, 2), gamma, beta, None, None, True, 0.0, epsilon
    )
    variance = inverse.detach() ** -2 - epsilon
    return outputs.permute(0, 2, 3, 1), mean.detach(), variance


def batch_norm_with_given_statistics(x, mean, variance, gamma, beta, epsilon):
    """One fused operation."""
    outputs = torch.nn.functional.batch_norm(
        x.permute(0, 3, 1, 2), mean, variance, gamma, beta, eps=epsilon
    )
    return outputs.permute(0, 2, 3, 1)


@contextlib.contextmanager
def full_precision():
    """Within it, float32 products are not rounded to TF32."""
    switches = [torch.backends.cuda.matmul, torch.backends.cudnn]
    name, full = "allow_tf32", False
    if hasattr(torch.backends.cudnn, "conv"):
        # Since PyTorch 2.9, which refuses to mix both ways.
        switches[1] = torch.backends.cudnn.conv
        name, full = "fp32_precision", "ieee"
    before = [getattr(switch, name) for switch in switches]
    for switch in switches:
        setattr(switch, name, full)
    try:
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            setattr(switch, name, value)


def multiplies_faster(kernel_size, channels):
    """Its convolutions are as fast."""
    return False


def argmax(x):
    """PyTorch's own."""
    return torch.argmax(x, dim=-1).to(torch.int32)


def count_ids(ids, num_ids):
    """Exact; `keras.ops.segment_sum` sums integers in float32 here."""
    is_counted = torch.logical_and(ids >= 0, ids < num_ids)
    ids = torch.where(is_counted, ids, num_ids).long()
    # `torch.bincount` would wait for the device.
    counts = torch.zeros(num_ids + 1, dtype=torch.int32, device=ids.device)
    ones = torch.ones_like(ids, dtype=torch.int32)
    return counts.scatter_add(0, ids, ones)[:-1]


@contextlib.contextmanager
def fewer_threads():
    """Operations of the calling thread leave one core to other threads."""
    count = torch.get_num_threads()
    torch.set_num_threads(max(1, count - 1))
    try:
        yield
    finally:
        torch.set_num_threads(count)
