import keras

from keras_s4t import backend
from keras_s4t.models.following import current_following
from keras_s4t.models.following import follow
from keras_s4t.state.pure_call import run_on
from keras_s4t.state.pure_call import written_variables

MIN_LAYERS = 8


class RematerializedModel:
    """Runs a functional model in segments that the backward pass recomputes.

    Only the input of a segment is kept for the backward pass. This needs less
    memory and about a third more arithmetic. The graph is cut where a single
    tensor connects both parts, as between the blocks of a ResNet. Layers and
    outputs are those of the model, and moving statistics are updated once.

    Args:
        model: A functional `keras.Model` with one input and a dict of outputs.
        min_layers: Optional int. Minimum number of layers per segment. Defaults
            to `MIN_LAYERS`.
    """

    def __init__(self, model, min_layers=None):
        if min_layers is None:
            min_layers = MIN_LAYERS
        self.names = list(model.output)
        self.segments = [
            (keras.Model(start, ends), link)
            for start, ends, link in _cut(model, min_layers)
        ]

    def __call__(self, inputs, training=False):
        """The outputs of the model, a dict of tensors."""
        outputs = {}
        for segment, link in self.segments:
            outputs.update(_run_twice(segment, inputs, training))
            inputs = outputs[link]
        return {name: outputs[name] for name in self.names}


def _run_twice(segment, inputs, training):
    variables, names = segment.variables, list(segment.output)
    # The second run is part of the backward pass.
    following, shares = current_following(), backend.is_shared()
    written = []

    def call(inputs):
        with follow(following), backend.shared_batch(shares):
            return segment(inputs, training=training)

    def run(inputs, *values):
        outputs, scope = run_on(lambda: call(inputs), variables, values)
        written[:] = written_variables(variables, values, scope)
        writes = map(scope.get_current_value, written)
        return (*(outputs[name] for name in names), *writes)

    # Copies of the statistics: on PyTorch, `assign` changes tensors in place,
    # and the backward pass needs the values of the forward pass.
    values = [
        keras.ops.convert_to_tensor(v) if v.trainable else keras.ops.copy(v)
        for v in variables
    ]
    results = backend.checkpoint(run, inputs, *values)
    for variable, value in zip(written, results[len(names) :], strict=True):
        variable.assign(value)
    return dict(zip(names, results, strict=False))


def _cut(model, min_layers):
    """Yields `(start, ends, link)` of every segment.

    `ends` are tensors by name; the one called `link` is the next `start`.
    """
    calls = []

    def record(layer, *inputs, **kwargs):
        output = layer(*inputs, **kwargs)
        calls.append((keras.tree.flatten(inputs), output))
        return output

    model = keras.models.clone_model(
        model, clone_function=lambda layer: layer, call_function=record
    )
    last_use = {
        id(tensor): i for i, (used, _) in enumerate(calls) for tensor in used
    }
    names = {id(tensor): name for name, tensor in model.output.items()}
    start, ends, live, length = model.input, {}, set(), 0
    for i, (_, output) in enumerate(calls):
        length += 1
        live = {key for key in live | {id(output)} if last_use.get(key, 0) > i}
        name = names.get(id(output), "link")
        is_cut = live == {id(output)} and length >= min_layers
        is_last = i == len(calls) - 1
        if id(output) in names or is_cut:
            ends[name] = output
        if is_cut or is_last:
            yield start, ends, name
            start, ends, length = output, {}, 0
