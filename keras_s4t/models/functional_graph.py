"""Cutting a functional model into an encoder and the rest."""

import dataclasses
import difflib

import keras

# Layers and operations that leave values as they are, or resize maps.
SAME_VALUES = (
    "Cast",
    "Cropping2D",
    "Dropout",
    "Identity",
    "Permute",
    "Reshape",
    "Resize",
    "Resizing",
    "SpatialDropout2D",
    "UpSampling2D",
)


@dataclasses.dataclass
class Call:
    """One call of a layer in a flat graph.

    Attributes:
        layer: The layer or operation.
        path: Names of the nested models around the layer, and its own, joined
            by slashes.
        inputs: list of the tensors that it reads.
        outputs: list of the tensors that it returns.
        is_model: bool. Whether this is a nested model, whose layers have calls
            of their own.
    """

    layer: object
    path: str
    inputs: list
    outputs: list
    is_model: bool = False

    @property
    def activation(self):
        """`"softmax"`, `"sigmoid"`, or the name of another activation."""
        function = getattr(self.layer, "activation", None)
        name = getattr(function, "__name__", type(self.layer).__name__)
        return name.lower()

    @property
    def has_same_values(self):
        """Whether outputs have the values of the input, at another size."""
        kind = type(self.layer).__name__
        is_linear = kind == "Activation" and self.activation == "linear"
        return len(self.inputs) == 1 and (kind in SAME_VALUES or is_linear)


@dataclasses.dataclass
class Graph:
    """A functional model without nested models.

    Attributes:
        input: The input tensor.
        output: The structure of output tensors.
        calls: list of `Call`, in an order in which they can be made.
        pinned: Paths of nested models that were called with `training=...`.
    """

    input: keras.KerasTensor
    output: object
    calls: list
    pinned: list

    def maker(self, tensor):
        """The call that returns a tensor; `None` for the input."""
        for call in self.calls:
            if not call.is_model and any(x is tensor for x in call.outputs):
                return call
        return None


class _End(keras.layers.Layer):
    """Marks an output of a nested model, so that it is found again."""

    def __init__(self, index, **kwargs):
        super().__init__(**kwargs)
        self.index = index

    def call(self, inputs):
        return inputs


def flatten(model):
    """The graph of a functional model, nested models replaced by their layers.

    A layer of a nested model has no tensor in the graph of the outer one; its
    `output` belongs to a graph of its own. All layers are shared.

    Args:
        model: A functional or sequential `keras.Model` with one input.

    Returns:
        A `Graph`.

    Raises:
        ValueError: If the model is of another kind.
    """
    if not _is_graph(model):
        raise ValueError(
            "`model` must be a functional or sequential Keras model that is "
            f"built. Received: a {type(model).__name__}"
        )
    inputs = model.inputs
    if len(inputs) != 1:
        raise ValueError(
            "`model` must have one input, the images. "
            f"Received: inputs {[x.name for x in inputs]}"
        )
    (tensor,) = inputs
    if len(tensor.shape) != 4 or tensor.shape[-1] is None:
        raise ValueError(
            "`model` must take images of shape (batch_size, height, width, "
            f"channels). Received: an input of shape {tuple(tensor.shape)}"
        )
    start = keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype)
    graph = Graph(start, None, [], [])
    graph.output = _inline(as_functional(model), [start], graph, "")
    return graph


def as_functional(model):
    """A model of a list of inputs, not compiled, that shares all layers."""
    if isinstance(model, keras.Sequential):
        (outputs,) = model.outputs
    else:
        outputs = model.output
    return keras.Model(model.inputs, outputs, name=model.name)


def _check_name(layer, path, graph):
    """Raises an error if another layer has the name, which Keras refuses."""
    for call in graph.calls:
        if call.layer is not layer and call.layer.name == layer.name:
            raise ValueError(
                "Layers of `model` and of its nested models must have "
                f"different names. Received: two layers {layer.name!r}, at "
                f"{call.path!r} and {path!r}"
            )


def _is_graph(layer):
    if isinstance(layer, keras.Sequential):
        return layer.built
    return isinstance(layer, _functional_class())


def _functional_class():
    inputs = keras.Input((1,))
    return type(keras.Model(inputs, inputs))


def _inline(model, inputs, graph, prefix):
    """The outputs of a model for tensors of the outer graph."""

    def call(layer, *args, **kwargs):
        path = prefix + layer.name
        is_model = _is_graph(layer)
        if is_model:
            if kwargs.get("training") is not None:
                graph.pinned.append(path)
            outputs = _inline(layer, args[0], graph, f"{path}/")
        else:
            _check_name(layer, path, graph)
            outputs = layer(*args, **kwargs)
        read = [
            x
            for x in keras.tree.flatten((args, kwargs))
            if isinstance(x, keras.KerasTensor)
        ]
        written = keras.tree.flatten(outputs)
        graph.calls.append(Call(layer, path, read, written, is_model))
        return outputs

    if isinstance(model, keras.Sequential):
        outputs = keras.tree.flatten(inputs)[0]
        for layer in model.layers:
            outputs = call(layer, outputs)
        return outputs

    ends = {}

    def call_or_end(layer, *args, **kwargs):
        if isinstance(layer, _End):
            ends[layer.index] = args[0]
            return args[0]
        return call(layer, *args, **kwargs)

    # Without what it was compiled with, which Keras would compile again.
    marked = keras.Model(
        model.input,
        [_End(i)(x) for i, x in enumerate(keras.tree.flatten(model.output))],
    )
    keras.models.clone_model(
        marked,
        input_tensors=inputs,
        clone_function=lambda layer: layer,
        call_function=call_or_end,
    )
    found = [ends[i] for i in range(len(ends))]
    return keras.tree.pack_sequence_as(model.output, found)


def find(graph, names):
    """The outputs of layers.

    Args:
        graph: A `Graph`.
        names: list of names or paths of layers.

    Returns:
        dict from name to a tensor.

    Raises:
        ValueError: If there is no such layer, there are several, or one does
            not return one map `(batch_size, height, width, channels)`.
    """
    maps = [call for call in graph.calls if _is_map(call)]
    found = {}
    for name in names:
        calls = [
            call
            for call in graph.calls
            if name in (call.path, call.path.rpartition("/")[-1])
        ]
        if not calls:
            known = [call.path for call in maps]
            close = difflib.get_close_matches(name, known, n=5, cutoff=0.4)
            raise ValueError(
                "`features` must be names of layers of the model. "
                f"Received: {name!r}. Near it are {close or known[-5:]}"
            )
        if len(calls) > 1:
            raise ValueError(
                "`features` must be names of layers that are called once; "
                "the layers of nested models have paths. "
                f"Received: {name!r}, called {len(calls)} times: "
                f"{sorted({call.path for call in calls})}"
            )
        if not _is_map(calls[0]):
            shapes = [tuple(x.shape) for x in calls[0].outputs]
            raise ValueError(
                "`features` must be layers that return one map of shape "
                "(batch_size, height, width, channels). "
                f"Received: {name!r}, which returns {shapes}"
            )
        (found[name],) = calls[0].outputs
    return found


def _is_map(call):
    shapes = [tuple(x.shape) for x in call.outputs]
    layout = getattr(call.layer, "data_format", None)
    return (
        len(shapes) == 1
        and len(shapes[0]) == 4
        # Where channels are first, the last axis is the width.
        and shapes[0][-1] is not None
        and layout != "channels_first"
    )


def check_cut(graph, features):
    """Raises an error if outputs do not depend on features alone.

    Args:
        graph: A `Graph`.
        features: dict from name to a tensor.

    Raises:
        ValueError: If a skip connection leads around the features, with the
            names of its layers.
    """
    makers = {
        id(x): call
        for call in graph.calls
        if not call.is_model
        for x in call.outputs
    }
    before = _ancestors(features.values(), makers)
    seen = {id(x) for x in features.values()}
    waiting = [(x, "output") for x in keras.tree.flatten(graph.output)]
    while waiting:
        tensor, reader = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        maker = makers.get(id(tensor))
        if id(tensor) in before or maker is None:
            start = f"the layer {maker.path!r}" if maker else "the images"
            raise ValueError(
                "The outputs must depend on `features` alone. Received: "
                f"features {list(features)}, and a skip connection around them "
                f"from {start} to the layer {reader!r}. The layer that it "
                "starts from can be one of `features`, too"
            )
        waiting += [(x, maker.path) for x in maker.inputs]


def _ancestors(tensors, makers):
    found, waiting = set(), list(tensors)
    while waiting:
        maker = makers.get(id(waiting.pop()))
        for x in maker.inputs if maker else ():
            if id(x) not in found:
                found.add(id(x))
                waiting.append(x)
    return found
