"""Checkpoints of the S4T authors' release."""

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

    Everything fits or nothing is loaded. Reading the file needs PyTorch, on
    any backend. A task may go by the name it has on Taskonomy
    (`"segment_semantic"`, `"depth_zbuffer"`, `"normal"`, `"edge_occlusion"`)
    or by its own (`"semseg"`, `"depth"`, `"normals"`, `"edge"`).

    Args:
        path: Path of the file, a dict with the tensors under `"model"`.
        model: A `SourceTrainer` or `TargetAdapter` of a `MultiTaskModel` with
            a keras-hub ResNet and of the method `S4T`, not compiled yet.
        tasks: Optional list of the names of the method's tasks, in the order
            in which the checkpoint was trained: that of the channels in the
            tensors that several tasks share. By default, the method's order.
        order: `"named"` gives every task its own channels. `"released"` does
            as the release at test time, which finds heads by name but cuts the
            shared tensors in the order of the target's tasks, here the
            method's: where that is not the order in training, tasks are
            compared with the channels of other tasks.

    Raises:
        ValueError: If the file holds anything but tensors, tensors are
            missing, surplus or of the wrong shape, or an argument does not
            fit.

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
            f"`tasks` must hold the method's tasks {own} in the checkpoint's "
            f"order. Received: tasks={list(tasks)}"
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
            "`model.method` must be S4T, the only one of the release. "
            f"Received: {type(method).__name__}"
        )
    if model.compiled:
        raise ValueError(
            "`model` must be compiled after loading, since `compile` takes "
            "the state that `reset` returns to. Received: a compiled "
            f"{type(model).__name__}"
        )


def _check_positions(arrays, synchronizer):
    """Takes the position embeddings away; they are fixed, and must be ours."""
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
    surplus = [name for name in arrays if name not in layout]
    if missing or surplus:
        raise ValueError(
            "The checkpoint must hold the tensors of the model and no others. "
            f"Received: missing {_names(missing)}, surplus {_names(surplus)}"
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
