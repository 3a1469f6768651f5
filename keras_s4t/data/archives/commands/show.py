"""Draw images of a dataset with all their labels."""

import importlib

import keras
import numpy as np

import keras_s4t.plots
from keras_s4t import tasks
from keras_s4t.data import label_spaces
from keras_s4t.data.archives.commands.arguments import positive
from keras_s4t.data.loading import load
from keras_s4t.data.readers.by_name import SYNTH_ROOMS
from keras_s4t.data.synth_rooms import SynthRooms


def add_arguments(parser):
    """Adds the arguments of the command."""
    parser.add_argument("dataset", help="as `keras_s4t.data.load` takes it")
    parser.add_argument("--data-dir", help="where it was built")
    parser.add_argument("--split", default="train")
    parser.add_argument("--num", type=positive, default=4, help="images")
    parser.add_argument(
        "--size",
        type=positive,
        nargs="+",
        help="in pixels: a side, or the height and the width",
    )
    parser.add_argument("--label-space", choices=label_spaces.LABEL_SPACES)
    parser.add_argument("--output", default="sheet.png", help=".png or .pdf")


def run(arguments):
    """Draws the images and labels."""
    size = arguments.size
    if size and len(size) > 2:
        raise ValueError(
            "`--size` must be a side, or a height and a width. "
            f"Received: {size}"
        )
    task_list = _tasks(arguments.dataset, arguments.label_space)
    dataset = load(
        arguments.dataset,
        arguments.split,
        task_list,
        batch_size=1,
        num_examples=arguments.num,
        size=size[0] if size and len(size) == 1 else size,
        data_dir=arguments.data_dir,
        label_space=arguments.label_space,
    )
    batches = [
        (images, labels) for images, labels, _ in dataset.as_numpy_iterator()
    ]
    shapes = {images.shape for images, _ in batches}
    if len(shapes) > 1:
        raise ValueError(
            "Images of one sheet must have one size: give `--size`. "
            f"Received: {sorted(shapes)}"
        )
    images, labels = keras.tree.map_structure(
        lambda *arrays: np.concatenate(arrays), *batches
    )
    keras_s4t.plots.prediction_grid(
        images,
        {"labels": labels},
        task_list,
        path=arguments.output,
        max_images=arguments.num,
    )
    print(f"See {arguments.output}")
    return 0


def _tasks(dataset, label_space):
    """Tasks for which a dataset has labels."""
    known = list(tasks.TASKS)
    if dataset.partition("/")[0] == SYNTH_ROOMS:
        classes = SynthRooms.class_names
    else:
        name = dataset.split("/")[0].replace("_folder", "_mt")
        datasets = list(label_spaces.NATIVE_CLASSES)
        if name not in datasets:
            raise ValueError(
                f"The dataset must be one of {datasets} or begin with "
                f"'{SYNTH_ROOMS}/'. Received: {dataset}"
            )
        classes = label_spaces.NATIVE_CLASSES[name]
        builder = f"keras_s4t.data.builders.{name}.{name}_dataset_builder"
        known = importlib.import_module(builder).TASKS
    if label_space is not None:
        classes = label_spaces.get(label_space).class_names
    options = {"semseg": dict(num_classes=len(classes), class_names=classes)}
    return [tasks.get(name, **options.get(name, {})) for name in known]
