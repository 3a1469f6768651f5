import functools

from keras_s4t import metrics


def rmse_kwargs(name, alignment):
    """Arguments of a `Task` that is measured by an RMSE.

    Args:
        name: Name of the task.
        alignment: As of `RootMeanSquaredError`.

    Returns:
        dict with `metric`, `metric_key` and `metric_title` of a `Task`.
        Aligned errors have another key and title, since they compare with no
        others.

    Raises:
        ValueError: If `alignment` is unknown.
    """
    key, title = f"{name}_rmse", "RMSE"
    if alignment != "none":
        key = f"{name}_{alignment}_rmse"
        title = f"RMSE, {alignment.replace('_', ' ')}"
    metric = functools.partial(
        metrics.RootMeanSquaredError, alignment=alignment
    )
    # Raises an error for an unknown alignment.
    metric()
    return {"metric": metric, "metric_key": key, "metric_title": title}
