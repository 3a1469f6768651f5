"""Measures one operation in one form; `benchmark.py` starts this, nobody else.

A worker builds its model, warms up and then obeys lines of JSON:

    worker  {"ready": true, "flops": ..., "parameters": ..., "device": ...,
             "first_seconds": ..., "warm_up_seconds": ..., "loader_rate": ...}
    caller  {"measure": 3}      three steps in one go
    worker  {"seconds": ..., "rate": ...}       seconds per step
    caller  {"stop": true}
    worker  {"peak_memory": ...}        bytes

`first_seconds` are those of the first step, most of them compilation, and
`loader_rate` the images per second that `ArrayBatches` gives. `rate` is the
speed of a large matrix product at that very moment, in floating
point operations per second. Predictions are counted until they are NumPy
arrays, other steps until the device has finished them. Everything else that is
printed goes to stderr.
"""

import argparse
import inspect
import json
import os
import sys
import time

import keras
import numpy as np

import keras_s4t
from benchmarking import arithmetic
from benchmarking import hardware
from benchmarking import literal_composition
from benchmarking import unguarded_step
from benchmarking.points import CONVOLVED
from benchmarking.points import UNGUARDED
from benchmarking.points import VARIANTS
from keras_s4t import backend
from keras_s4t import tasks

FORMS = ("literal", "literal_heads", *VARIANTS, "fast")
WARM_UP_STEPS = 2
# What the loader is read of, and for how long.
LOADER_BATCHES = 4
LOADER_SECONDS = 0.2


def parse_arguments():
    """The command line, written by `benchmark.py`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operation", choices=arithmetic.OPERATIONS)
    parser.add_argument("--form", choices=FORMS)
    parser.add_argument("--method", choices=keras_s4t.methods.METHODS)
    parser.add_argument("--size", type=int, nargs=2)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--num-tasks", type=int, choices=range(1, 5))
    parser.add_argument("--dtype")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def make_model(arguments, task_list):
    """A compiled trainer or adapter of random weights."""
    is_literal = arguments.form.startswith("literal")
    network_class = keras_s4t.models.MultiTaskModel
    method_class = keras_s4t.methods.METHODS[arguments.method]
    model_class = keras_s4t.TargetAdapter
    if is_literal:
        network_class = literal_composition.LiteralNetwork
        method_class = literal_composition.LiteralS4T
    if arguments.operation == "source":
        model_class = keras_s4t.SourceTrainer
    elif arguments.operation == "predict" and arguments.form == "literal":
        model_class = literal_composition.LiteralPredictor
    if arguments.quick:
        backbone = keras_s4t.models.resnet_tiny()
    else:
        backbone = keras_s4t.models.resnet50(preset=None)
    options = {}
    parameters = inspect.signature(method_class).parameters
    if "image_size" in parameters:
        options["image_size"] = tuple(arguments.size)
    if "tasks" in parameters:
        options["tasks"] = task_list
    if arguments.quick and "synchronizer" in dir(method_class(**options)):
        options["synchronizer"] = {"image_size": 64}
    model = model_class(
        network_class(backbone, task_list), method_class(**options)
    )
    model.compile(metrics=None)
    return model


def make_labels(task_list, shape, rng):
    """Random labels."""
    labels = {}
    for task in task_list:
        label_shape = (shape[0], *task.label_shape(shape[1:]))
        values = rng.uniform(0.5, 1, label_shape)
        labels[task.name] = values.astype(task.label.dtype)
    return labels


def make_step(operation, model, images, labels):
    """A function of a number of steps that returns when they are done."""
    if operation == "predict":

        def predict(steps):
            for _ in range(steps):
                model.predict_on_batch(images)

        return predict
    data = (images, labels) if operation == "source" else images

    def fit(steps):
        stream = keras_s4t.data.online_stream(data, steps, len(images))
        history = model.fit(stream, verbose=0).history
        hardware.wait_for(model.variables)
        if not np.isfinite(history["loss"]).all():
            raise ValueError("The loss is not finite.")

    return fit


def loader_rate(images, labels):
    """Images per second of an array loader that nothing waits for.

    Args:
        images: Array, a batch.
        labels: dict of arrays.

    Returns:
        float.
    """
    batch_size = len(images)
    repeated = keras.tree.map_structure(
        lambda x: np.concatenate([x] * LOADER_BATCHES), (images, labels)
    )
    batches = keras_s4t.data.ArrayBatches(repeated, batch_size)
    count, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < LOADER_SECONDS:
        for index in range(len(batches)):
            count += len(batches[index][0])
    return count / seconds


def seconds_of(step, steps):
    """Seconds per step."""
    start = time.perf_counter()
    step(steps)
    return (time.perf_counter() - start) / steps


def serve(commands, answer, step, dtype):
    """Obeys until it is told to stop."""
    for line in commands:
        command = json.loads(line)
        if command.get("stop"):
            answer({"peak_memory": hardware.peak_memory()})
            return
        seconds = seconds_of(step, command["measure"])
        answer({"seconds": seconds, "rate": hardware.product_rate(dtype)})


def main():
    """Runs the worker."""
    # The protocol keeps stdout; what libraries print there goes to stderr.
    protocol = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(message):
        print(json.dumps(message), file=protocol, flush=True)

    arguments = parse_arguments()
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(arguments.dtype)
    if arguments.form == UNGUARDED:
        unguarded_step.install()
    elif arguments.form == CONVOLVED:
        backend.multiplies_faster = lambda kernel_size, channels: False
    task_list = [
        tasks.semseg(num_classes=7),
        tasks.depth(),
        tasks.normals(),
        tasks.edge(),
    ][: arguments.num_tasks]
    model = make_model(arguments, task_list)
    rng = np.random.default_rng(0)
    shape = (arguments.batch_size, *arguments.size)
    images = rng.uniform(0, 255, (*shape, 3)).astype("float32")
    labels = make_labels(task_list, shape, rng)
    if "statistics" in model.method.needs_source:
        model.collect([images], verbose=0)
    # Its weights are random, which costs the same.
    model.method.mark_done("training")
    flops = None
    if isinstance(model.method, keras_s4t.methods.S4T):
        flops = arithmetic.count_flops(
            arguments.operation,
            model.network,
            model.method,
            arguments.size,
            arguments.batch_size,
        )
    step = make_step(arguments.operation, model, images, labels)
    warm_up = [seconds_of(step, 1) for _ in range(WARM_UP_STEPS)]
    compute_dtype = model.network.compute_dtype
    hardware.product_rate(compute_dtype)
    answer(
        {
            "ready": True,
            "flops": flops,
            "parameters": model.network.count_params()
            + model.method.count_params(),
            "device": hardware.device_name(),
            "first_seconds": warm_up[0],
            "warm_up_seconds": warm_up[-1],
            "loader_rate": loader_rate(images, labels),
        }
    )
    serve(sys.stdin, answer, step, compute_dtype)


if __name__ == "__main__":
    main()
