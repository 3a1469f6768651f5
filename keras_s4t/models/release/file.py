"""Reads the files of the S4T authors' release (PyTorch, `.pth.tar`)."""

import pickle
import re

# What the release calls a task on Taskonomy, unlike on the other datasets.
TASK_NAMES = {
    "segment_semantic": "semseg",
    "depth_zbuffer": "depth",
    "normal": "normals",
    "edge_occlusion": "edge",
}
HEAD = re.compile(r"((?:aux_)?heads\.)(\w+)(\..*)")


def task_name(name):
    """The name of a task in this package, from any in the release."""
    return TASK_NAMES.get(name, name)


def read_release_file(path):
    """The tensors of a checkpoint.

    Args:
        path: Path of the file, a dict with the tensors under `"model"`.

    Returns:
        dict from name, without the prefix of data-parallel training and with
        the names of tasks in this package, to a float32 NumPy array. Batch
        counters are left out.

    Raises:
        ValueError: If the file holds anything but tensors and plain values.
    """
    # Only here: nothing else in the package reads PyTorch's files.
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            "The checkpoint must hold nothing but tensors and plain values; "
            f"anything else could run code. Received: {path} ({error})"
        ) from error
    tensors = content.get("model") if isinstance(content, dict) else None
    if not isinstance(tensors, dict):
        received = list(content) if isinstance(content, dict) else type(content)
        raise ValueError(
            "The checkpoint must be a dict with the tensors under 'model'. "
            f"Received: {received}"
        )
    arrays = {}
    for key, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise ValueError(
                "'model' must hold nothing but tensors. "
                f"Received: {key!r} of type {type(tensor).__name__}"
            )
        if str(key).endswith(".num_batches_tracked"):
            continue
        name = _without_variants(str(key))
        if name in arrays:
            raise ValueError(
                "The checkpoint must hold every tensor once. "
                f"Received: {key!r}, also under another name"
            )
        arrays[name] = tensor.detach().to(torch.float32).numpy()
    return arrays


def _without_variants(key):
    name = key.removeprefix("module.")
    match = HEAD.fullmatch(name)
    if match is None:
        return name
    heads, task, rest = match.groups()
    return f"{heads}{task_name(task)}{rest}"
