"""Reads checkpoint files of the S4T authors' release (`.pth.tar`)."""

import pickle
import re

# Names of the tasks on Taskonomy. On other datasets, the release uses the names
# of this package.
TASK_NAMES = {
    "segment_semantic": "semseg",
    "depth_zbuffer": "depth",
    "normal": "normals",
    "edge_occlusion": "edge",
}
HEAD = re.compile(r"((?:aux_)?heads\.)(\w+)(\..*)")


def task_name(name):
    """Name in this package of a task of the release."""
    return TASK_NAMES.get(name, name)


def read_release_file(path):
    """Reads the tensors of a checkpoint.

    Args:
        path: Path of the file, a dict with the tensors under `"model"`.

    Returns:
        dict from name to a float32 NumPy array. Names have no prefix of
        data-parallel training and the task names of this package. Batch
        counters are left out.

    Raises:
        ValueError: If the file contains anything but tensors and plain values.
    """
    # Imported here, since only this function needs PyTorch on every backend.
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except (EOFError, RuntimeError, OSError) as error:
        raise ValueError(
            "The checkpoint must be a complete file of PyTorch. "
            f"Received: {path} ({error or type(error).__name__})"
        ) from error
    except pickle.UnpicklingError as error:
        raise ValueError(
            "The checkpoint must contain only tensors and plain values, since "
            f"other objects can run code. Received: {path} ({error})"
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
                "'model' must contain only tensors. "
                f"Received: {key!r} of type {type(tensor).__name__}"
            )
        if str(key).endswith(".num_batches_tracked"):
            continue
        name = _without_variants(str(key))
        if name in arrays:
            raise ValueError(
                "The checkpoint must contain every tensor once. "
                f"Received: {key!r}, which is also present under another name"
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
