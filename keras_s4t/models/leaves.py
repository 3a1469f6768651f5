import keras

BATCH_NORMS = (keras.layers.BatchNormalization,)
#: Layers with scales and offsets that TENT and its kin can move.
NORMS = (
    *BATCH_NORMS,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
)


def leaves(layer):
    """The innermost layers of a layer, those of nested models too.

    Args:
        layer: A Keras layer or model.

    Returns:
        list of layers, once each; the layer itself if it has no others.
    """
    return list(dict.fromkeys(_leaves(layer)))


def norms(layer, kinds=NORMS):
    """The normalization layers of a layer or model.

    Args:
        layer: A Keras layer or model.
        kinds: Tuple of classes.

    Returns:
        list of layers whose variables belong to the layer.
    """
    own = set(map(id, layer.variables))
    return [
        leaf
        for leaf in leaves(layer)
        if isinstance(leaf, kinds) and own.issuperset(map(id, leaf.variables))
    ]


def wrapped(layer, kind):
    """The layers of a class within a layer, those of nested models too.

    Args:
        layer: A Keras layer or model.
        kind: A class of layers.

    Returns:
        list of layers.
    """
    if isinstance(layer, kind):
        return [layer]
    return [x for child in _children(layer) for x in wrapped(child, kind)]


def _leaves(layer):
    children = _children(layer)
    if not children:
        return [layer]
    return [leaf for child in children for leaf in _leaves(child)]


def _children(layer):
    # In the order of the graph where there is one.
    is_model = isinstance(layer, keras.Model)
    return layer.layers if is_model else layer._layers
