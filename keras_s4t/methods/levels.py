def check_levels(network, **argument):
    """Raises an error unless a network has the levels that a method reads.

    Args:
        network: The `MultiTaskModel`.
        **argument: Tuple of pyramid levels, by the name of the argument that
            they were given as.

    Raises:
        ValueError: If there are none, or the network lacks one.
    """
    ((key, levels),) = argument.items()
    known = sorted(network.encoder.output)
    if not levels or not set(levels) <= set(known):
        raise ValueError(
            f"`{key}` must name pyramid levels of the network, out of {known}. "
            f"Received: {key}={levels}"
        )
