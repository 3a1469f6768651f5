import functools

from keras_s4t import metrics


def rmse_kwargs(name, alignment):
    """The metric of a `Task` that is measured by an RMSE, with key and title.

    Aligned errors have another key and title, since they compare with no
    others. An unknown alignment is a `ValueError`.
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
