"""What a test-time step would move, said before the first one."""

import math
import warnings


def describe_updates(adapter):
    """What a step of an adapter moves, in words.

    Args:
        adapter: A `TargetAdapter`.

    Returns:
        A string of a line each for variables, statistics and frozen layers.
    """
    variables = adapter.updated_variables
    norms = adapter.network.batch_norms
    values = sum(math.prod(variable.shape) for variable in variables)
    lines = [
        f"{type(adapter.method).__name__} updates {len(variables)} variables "
        f"({values:,} values)."
    ]
    following = [norm for norm in norms if norm.trainable]
    if adapter.method.bn_mode == "update":
        ids = set(map(id, adapter.following_statistics))
        following = [x for x in following if id(x.moving_mean) in ids]
    text = {
        "source": f"{len(norms)} batch norms keep their source statistics.",
        "batch": f"{len(following)} of {len(norms)} batch norms normalize with "
        "every batch's own statistics.",
        "update": f"The statistics of {len(following)} of {len(norms)} batch "
        "norms follow the target.",
    }
    lines.append(text[adapter.method.bn_mode])
    if adapter.method.prior:
        lines.append(
            f"In these, the source counts as {adapter.method.prior:g} images."
        )
    frozen = frozen_layers(adapter.network.encoder)
    if frozen:
        lines.append(f"{len(frozen)} layers of the encoder are frozen.")
    return "\n".join(lines)


def check_following(method):
    """Raises a `ValueError` if a method could not follow as it is asked to.

    Args:
        method: A `Method`.
    """
    name, mode = type(method).__name__, method.bn_mode
    if method.prior and mode == "source":
        raise ValueError(
            "`prior` must be 0 for a method that normalizes with the source's "
            f"statistics alone. Received: {name} with prior={method.prior}"
        )
    if method.momentum is not None and mode != "update":
        raise ValueError(
            "`momentum` must be None for a method whose moving statistics do "
            f"not follow the target. Received: {name} with "
            f"momentum={method.momentum}"
        )


def check_updates(adapter):
    """Raises a `ValueError` if an adapter would move nothing.

    Warns if layers of the encoder are frozen. A method that moves nothing by
    design is left alone.
    """
    method, network = adapter.method, adapter.network
    updates, follows = method.updates_variables, method.bn_mode != "source"
    following = [norm for norm in network.batch_norms if norm.trainable]
    name = type(method).__name__
    if updates and not adapter.updated_variables:
        raise ValueError(
            f"{name} must have variables to update: trainable ones of the "
            "kind that it selects. Received: a network with "
            f"{len(network.batch_norms)} batch norms, {len(following)} of them "
            f"trainable, and {len(network.encoder.trainable_variables)} "
            f"trainable variables in the encoder{_other_norms(network)}"
        )
    if follows and not updates and not following:
        raise ValueError(
            f"{name} must have trainable batch norms, whose statistics follow "
            f"the target. Received: a network with {len(network.batch_norms)} "
            f"batch norms, none of them trainable{_other_norms(network)}"
        )
    random = _random_layers(network)
    if random and follows and "random" not in adapter.warned:
        adapter.warned.add("random")
        also = " and predictions" if method.bn_mode == "batch" else ""
        warnings.warn(
            f"{len(random)} layers of the network are random in training, as "
            f"dropout is, and so in updates{also} of a method whose batch "
            "norms use the statistics of the target. The first is "
            f"{random[0].name!r}.",
            stacklevel=5,
        )
    frozen = frozen_layers(network.encoder)
    if frozen and (updates or follows) and "frozen" not in adapter.warned:
        adapter.warned.add("frozen")
        warnings.warn(
            f"{len(frozen)} layers of the encoder are frozen and stay as they "
            f"are, the first is {frozen[0].name!r}. "
            f"{describe_updates(adapter)}",
            stacklevel=5,
        )


def _other_norms(network):
    """What TENT and its kin could move instead."""
    count = len(network.norms()) - len(network.batch_norms)
    if not count:
        return ""
    return (
        f". Its {count} group, layer and RMS norms have no statistics that "
        "could follow; their scales and offsets are moved by methods with "
        '`update="norms"`'
    )


def _random_layers(network):
    """Layers that draw random numbers, such as dropout of a rate above 0."""
    return [
        layer
        for layer in network.leaves
        if getattr(layer, "seed_generator", None) is not None
        and getattr(layer, "rate", 1) != 0
    ]


def frozen_layers(encoder):
    """The layers with weights that are not trainable."""
    return [
        layer
        for layer in (getattr(x, "norm", x) for x in encoder.layers)
        if layer.weights and not layer.trainable
    ]
