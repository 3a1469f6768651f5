import functools

from keras_s4t import metrics


def rmse_kwargs(name, alignment):
    """What the table of tasks says of an RMSE.

    Args:
        name: Name of the task.
        alignment: As of `RootMeanSquaredError`.

    Returns:
        dict with `make_metric`, `metric_key` and `metric_title` of a `Task`.
        Aligned errors have another key and title, so that nobody compares
        them with others.

    Raises:
        ValueError: If `alignment` is unknown.
    """
    key, title = f"{name}_rmse", "RMSE"
    if alignment != "none":
        key = f"{name}_{alignment}_rmse"
        title = f"RMSE, {alignment.replace('_', ' ')}"
    make = functools.partial(
        metrics.RootMeanSquaredError, alignment=alignment, name=key
    )
    # Whoever asks for an unknown alignment hears of it now.
    make()
    return {"make_metric": make, "metric_key": key, "metric_title": title}
