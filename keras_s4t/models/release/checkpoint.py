"""Loads checkpoints of the S4T authors' release."""

import re

import numpy as np

from keras_s4t.models.release.file import read_release_file
from keras_s4t.models.release.file import task_name
from keras_s4t.models.release.layout import release_layout

ORDERS = ("named", "released")
POSITIONS = re.compile(r"joint_dec\.\w*pos_embed")
MAX_NAMES = 8


def load_release_checkpoint(path, model, tasks=None, order="named"):
    """Loads a checkpoint of the S4T authors' release into a model.

    No variable is assigned if a tensor does not fit. Reading the file requires
    PyTorch on any backend. Tasks may have the names of this package
    (`"semseg"`, `"depth"`, `"normals"`, `"edge"`) or those of Taskonomy
    (`"segment_semantic"`, `"depth_zbuffer"`, `"normal"`, `"edge_occlusion"`).

    Args:
        path: Path of the file, a dict with the tensors under `"model"`.
        model: A `SourceTrainer` or `TargetAdapter` that is not compiled, with
            the method `S4T` and a `MultiTaskModel` on a keras-hub ResNet.
        tasks: Optional list of the names of the method's tasks in the order in
            which the checkpoint was trained. This is the order of the channels
            in tensors that several tasks share. Defaults to the order of the
            method.
        order: `"named"` or `"released"`. `"named"` assigns to every task its
            own channels of the shared tensors. `"released"` assigns them in the
            order of the method's tasks, as the release does at test time. If
            that differs from the order in training, tasks are compared with
            channels of other tasks.

    Raises:
        ValueError: If the file contains anything but tensors, if a tensor is
            missing, unexpected or of another shape, or if an argument does not
            match the model.

    Example:

    ```python
    task_list = [tasks.semseg(7), tasks.depth(), tasks.normals(), tasks.edge()]
    network = models.MultiTaskModel(models.resnet50(preset=None), task_list)
    adapter = keras_s4t.TargetAdapter(network, methods.S4T(task_list))
    models.load_release_checkpoint(
        "checkpoint.pth.tar",
        adapter,
        tasks=["depth_zbuffer", "edge_occlusion", "normal", "segment_semantic"],
    )
    adapter.compile()
    ```
    """
    if order not in ORDERS:
        raise ValueError(
            f"`order` must be one of {ORDERS}. Received: order={order!r}"
        )
    _check_model(model)
    own = [task.name for task in model.method.tasks]
    given = own if tasks is None else [task_name(name) for name in tasks]
    if sorted(given) != sorted(own):
        raise ValueError(
            f"`tasks` must be the method's tasks {own} in the order of the "
            f"checkpoint. Received: tasks={list(tasks)}"
        )
    stack = given if order == "named" else own
    layout = release_layout(model.network, model.method, stack)
    arrays = read_release_file(path)
    _check_positions(arrays, model.method.synchronizer)
    _check_arrays(arrays, layout)
    for name, tensor in layout.items():
        for variable, values in tensor.split(arrays[name]):
            variable.assign(values)
    model.method.mark_done("training")


def _check_model(model):
    method = model.method
    if not all(hasattr(method, x) for x in ("projections", "synchronizer")):
        raise ValueError(
            "`model.method` must be S4T, the only method of the release. "
            f"Received: {type(method).__name__}"
        )
    if model.compiled:
        raise ValueError(
            "`model` must be compiled after loading, since `compile` stores "
            "the state that `reset` restores. Received: a compiled "
            f"{type(model).__name__}"
        )


def _check_positions(arrays, synchronizer):
    """Removes the position embeddings, which are fixed, and checks them."""
    expected = synchronizer.positions
    for name in [n for n in arrays if POSITIONS.fullmatch(n)]:
        received = arrays.pop(name)
        if received.shape != expected.shape:
            raise ValueError(
                f"{name!r} must have shape {expected.shape}, one token per "
                f"patch of {synchronizer.patch_size} pixels of the image size "
                f"{synchronizer.image_size}. Received: shape {received.shape}"
            )
        difference = np.abs(received - expected).max()
        if not difference < 1e-2:
            raise ValueError(
                f"{name!r} must be the fixed sine-cosine embedding. "
                f"Received: values that differ by up to {difference:.3g}"
            )


def _check_arrays(arrays, layout):
    missing = [name for name in layout if name not in arrays]
    unexpected = [name for name in arrays if name not in layout]
    if missing or unexpected:
        raise ValueError(
            "The checkpoint must contain exactly the tensors of the model. "
            f"Received: missing {_names(missing)}, "
            f"unexpected {_names(unexpected)}"
        )
    wrong = [
        f"{name} {arrays[name].shape} instead of {tensor.shape}"
        for name, tensor in layout.items()
        if arrays[name].shape != tensor.shape
    ]
    if wrong:
        raise ValueError(
            "The tensors of the checkpoint must have the model's shapes. "
            f"Received: {_names(wrong)}"
        )


def _names(names):
    more = f" and {len(names) - MAX_NAMES} more"
    return f"{names[:MAX_NAMES]}{more if len(names) > MAX_NAMES else ''}"
