"""Networks that users bring, as a `MultiTaskModel`."""

import math
import warnings

import keras
import numpy as np
from keras import ops

from keras_s4t.layers.resizing import resize_each
from keras_s4t.models import functional_graph
from keras_s4t.models.decoders.decoder import Decoder
from keras_s4t.models.encoder import fuse_norms
from keras_s4t.models.multi_task_model import MultiTaskModel

# Pixels, for strides where a model takes images of any size.
PROBE_SIZE = 128


@keras.saving.register_keras_serializable("keras_s4t")
class FunctionalNetwork(MultiTaskModel):
    """A functional model, cut into an encoder and a decoder.

    Made by `MultiTaskModel.from_functional`, which has the arguments.
    """

    def __init__(
        self,
        model,
        tasks,
        features,
        image_range=(0, 255),
        fused_norms=True,
        remat=False,
        **kwargs,
    ):
        graph = functional_graph.flatten(model)
        if not _are_names(features):
            raise ValueError(
                "`features` must be a list of names of layers of the model. "
                f"Received: features={features!r}"
            )
        outputs = _by_task(graph.output, tasks)
        _check_channels(outputs, tasks)
        _check_logits(graph, outputs, tasks)
        maps = functional_graph.find(graph, list(features))
        functional_graph.check_cut(graph, maps)
        size = tuple(model.inputs[0].shape[1:3])
        if None in size:
            size = (PROBE_SIZE, PROBE_SIZE)
        channels = model.inputs[0].shape[-1]
        encoder = keras.Model(graph.input, maps)
        shapes = encoder.compute_output_shape((1, *size, channels))
        levels = name_levels(shapes, size)
        if graph.pinned:
            warnings.warn(
                "Whether batch norm follows the target is decided by the "
                "method: the `training=...` with which nested models were "
                f"called is not kept. Received: {graph.pinned}",
                stacklevel=3,
            )
        maps = {level: maps[name] for level, name in levels.items()}
        rest = keras.Model(list(maps.values()), outputs)
        super().__init__(
            keras.Model(graph.input, maps, name="backbone"),
            tasks,
            decoder=FunctionalDecoder(
                fuse_norms(rest, fused_norms),
                {task.name: task.num_outputs for task in tasks},
                name="decoder",
            ),
            fused_norms=fused_norms,
            remat=remat,
            **_normalization(image_range, channels),
            **kwargs,
        )
        self.feature_names = list(features)
        self.image_range = tuple(image_range)
        # Of no class of its own.
        self._whole = [functional_graph.as_functional(model)]

    def _parts(self):
        return {
            "model": keras.saving.serialize_keras_object(self._whole[0]),
            "features": self.feature_names,
            "image_range": self.image_range,
        }


@keras.saving.register_keras_serializable("keras_s4t")
class SubclassedNetwork(MultiTaskModel):
    """A model with methods `encode` and `decode`.

    Made by `MultiTaskModel.from_subclassed`, which states what these must do.
    """

    def __init__(
        self,
        model,
        tasks,
        image_range=(0, 255),
        num_channels=3,
        fused_norms=False,
        remat=False,
        **kwargs,
    ):
        features, outputs, read = _run_once(model, num_channels)
        outputs = _by_task(outputs, tasks)
        _check_channels(outputs, tasks)
        _check_no_probabilities(outputs, tasks)
        shapes = {name: tuple(x.shape) for name, x in features.items()}
        levels = name_levels(shapes, (PROBE_SIZE, PROBE_SIZE))
        inputs = keras.Input((None, None, num_channels))
        encode = EncodeLayer(model, levels, shapes, read, name="encode")
        super().__init__(
            keras.Model(inputs, encode(inputs), name="backbone"),
            tasks,
            decoder=SubclassedDecoder(
                model,
                levels,
                {task.name: task.num_outputs for task in tasks},
                name="decoder",
            ),
            fused_norms=fused_norms,
            remat=remat,
            **_normalization(image_range, num_channels),
            **kwargs,
        )
        self.image_range = tuple(image_range)
        self._whole = [model]

    def _parts(self):
        return {
            "model": keras.saving.serialize_keras_object(self._whole[0]),
            "image_range": self.image_range,
            "num_channels": self.num_channels,
        }


class FunctionalDecoder(Decoder):
    """The part of a functional model behind the features.

    Args:
        model: Functional model from the list of features, finest first, to a
            dict of raw outputs by task name.
        num_outputs: As `Decoder` takes it.
    """

    def __init__(self, model, num_outputs, **kwargs):
        super().__init__(num_outputs, **kwargs)
        self.model = model
        self.built = True

    def call(self, features, size, training=False):
        levels = [features[level] for level in sorted(features)]
        outputs = self.model(levels, training=training)
        return resize_each(_by_task(outputs, self.num_outputs), size)


class EncodeLayer(keras.layers.Layer):
    """`encode` of a model, as a layer.

    Args:
        model: A model with a method `encode`.
        levels: dict from level to the name of the feature.
        shapes: dict from name to the shape of a feature.
        read: list of the variables that `encode` reads.
    """

    def __init__(self, model, levels, shapes, read, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self._read = frozenset(map(id, read))
        self.levels = dict(levels)
        self.num_channels = {
            level: shapes[name][-1] for level, name in levels.items()
        }
        self.built = True

    @property
    def variables(self):
        """The variables that `encode` reads."""
        return [
            variable
            for variable in self.model.variables
            if id(variable) in self._read
        ]

    def call(self, images, training=False):
        features = self.model.encode(images, training=bool(training))
        return {level: features[name] for level, name in self.levels.items()}

    def compute_output_spec(self, images, training=False):
        return {
            level: keras.KerasTensor(
                (None, None, None, channels), self.compute_dtype
            )
            for level, channels in self.num_channels.items()
        }


class SubclassedDecoder(Decoder):
    """`decode` of a model, as a decoder.

    Args:
        model: A model with a method `decode`.
        levels: dict from level to the name of the feature.
        num_outputs: As `Decoder` takes it.
    """

    def __init__(self, model, levels, num_outputs, **kwargs):
        super().__init__(num_outputs, **kwargs)
        self.model = model
        self.levels = dict(levels)
        self.built = True

    def call(self, features, size, training=False):
        features = {name: features[x] for x, name in self.levels.items()}
        outputs = self.model.decode(features, training=bool(training))
        return resize_each(_by_task(outputs, self.num_outputs), size)


def name_levels(shapes, size):
    """Names of pyramid levels of features, by their strides.

    Args:
        shapes: dict from name to `(batch_size, height, width, channels)`, for
            an image of `size`.
        size: Pair of ints, `(height, width)`.

    Returns:
        dict from level, `"P2"` for stride 4, to the name of the feature, in
        the order of the levels.

    Raises:
        ValueError: If two have the same stride.
    """
    levels = {}
    for name, (_, height, _, _) in shapes.items():
        level = f"P{max(round(math.log2(size[0] / height)), 0)}"
        if level in levels:
            raise ValueError(
                "`features` must have different strides, a map for each level "
                f"of a pyramid. Received: {levels[level]!r} and {name!r}, both "
                f"with maps of {height} rows for {size[0]} rows of an image"
            )
        levels[level] = name
    return dict(sorted(levels.items()))


def _are_names(features):
    return (
        isinstance(features, (list, tuple))
        and len(features) > 0
        and all(isinstance(name, str) for name in features)
    )


def _normalization(image_range, channels):
    pair = np.asarray(image_range)
    is_pair = pair.shape == (2,) and pair.dtype.kind in "iuf"
    if not (is_pair and -math.inf < pair[0] < pair[1] < math.inf):
        raise ValueError(
            "`image_range` must be a pair of finite numbers, the smaller one "
            f"first. Received: image_range={image_range}"
        )
    low, high = map(float, pair)
    span = high - low
    return {"mean": (-low / span,) * channels, "std": (1 / span,) * channels}


def _by_task(outputs, tasks):
    """Outputs of a model as a dict by task name."""
    names = [getattr(task, "name", task) for task in tasks]
    if not isinstance(outputs, dict):
        flat = keras.tree.flatten(outputs)
        if len(flat) == len(names) == 1:
            return {names[0]: flat[0]}
        raise ValueError(
            f"Outputs must be a dict with the keys {names}. "
            f"Received: {len(flat)} outputs in a {type(outputs).__name__}"
        )
    if set(outputs) != set(names):
        raise ValueError(
            f"Outputs must be a dict with the keys {names}. "
            f"Received: {sorted(outputs)}"
        )
    return {name: outputs[name] for name in names}


def _check_channels(outputs, tasks):
    for task in tasks:
        shape = tuple(outputs[task.name].shape)
        if len(shape) != 4 or shape[-1] != task.num_outputs:
            raise ValueError(
                f"The output of task {task.name!r} must have shape "
                f"(batch_size, height, width, {task.num_outputs}). "
                f"Received: shape {shape}"
            )


def _check_logits(graph, outputs, tasks):
    """Raises an error where logits are turned into probabilities."""
    for task in tasks:
        tensor = outputs[task.name]
        call = graph.maker(tensor)
        while call and call.has_same_values:
            call = graph.maker(call.inputs[0])
        if call and task.activation and task.activation == call.activation:
            raise ValueError(
                f"The output of task {task.name!r} must be logits. "
                f"Received: a {task.activation} in the layer {call.path!r}"
            )


def _check_no_probabilities(outputs, tasks):
    """Raises an error where the outputs of classes are probabilities."""
    for task in tasks:
        if task.activation != "softmax" or task.num_outputs < 2:
            continue
        values = ops.convert_to_numpy(outputs[task.name]).astype("float64")
        if (values >= 0).all() and np.allclose(values.sum(-1), 1, atol=1e-2):
            raise ValueError(
                f"The output of task {task.name!r} must be logits. "
                "Received: probabilities, which sum to 1"
            )


class _Reads(keras.StatelessScope):
    """Remembers which variables are read."""

    def __init__(self):
        super().__init__()
        self.variables = []

    def get_current_value(self, variable):
        self.variables.append(variable)
        return super().get_current_value(variable)


def _run_once(model, num_channels):
    """Features, outputs and what `encode` reads; builds the model."""
    for name in ("encode", "decode"):
        if not callable(getattr(model, name, None)):
            raise ValueError(
                "`model` must have methods `encode(images, training)` and "
                "`decode(features, training)`. "
                f"Received: a {type(model).__name__} without `{name}`"
            )
    shape = (1, PROBE_SIZE, PROBE_SIZE, num_channels)
    images = ops.convert_to_tensor(np.zeros(shape, "float32"))
    features = model.encode(images, training=False)
    if not isinstance(features, dict) or not all(
        len(getattr(x, "shape", ())) == 4 for x in features.values()
    ):
        raise ValueError(
            "`encode` must return a dict of features of shape (batch_size, "
            "height, width, channels). Received: "
            f"{keras.tree.map_structure(_shape, features)}"
        )
    outputs = model.decode(features, training=False)
    with _Reads() as scope:
        model.encode(images, training=False)
    return features, outputs, scope.variables


def _shape(x):
    return tuple(getattr(x, "shape", ()))
