"""Whether an exported file returns what the network predicts."""

import numpy as np

# Strides and "same" paddings treat even and odd sizes differently.
SIZES = ((64, 96), (65, 97), (96, 64), (33, 65))
BATCH_SIZES = (1, 2, 1, 2)
NUM_DRAWS = 4


def references(model, shape, dtype):
    """Batches of images, and the raw outputs of `predict` on them.

    Args:
        model: A network or adapter.
        shape: `(batch_size, height, width, channels)`, `None` where any
            number fits.
        dtype: `"uint8"` or `"float32"`.

    Returns:
        Pair of a list of arrays and a list of dicts from task name to arrays.

    Raises:
        ValueError: If the network takes none of the sizes, or an output is not
            finite.
    """
    rng = np.random.default_rng(0)
    batches, outputs, error = [], [], None
    for size, count in zip(_sizes(shape), BATCH_SIZES, strict=False):
        images = rng.integers(
            0, 256, (shape[0] or count, *size, shape[-1])
        ).astype(dtype)
        try:
            predictions = model.predict(images, verbose=0)
        # A network may want multiples of its stride: any library's error.
        except Exception as refusal:
            error = refusal
            continue
        batches.append(images)
        outputs.append(predictions)
    if not batches:
        raise ValueError(
            "The network must predict images of the sizes that exports are "
            f"checked at. Fix its size by `input_signature`. Received: {error}"
        ) from error
    for name in outputs[0]:
        if not all(np.isfinite(output[name]).all() for output in outputs):
            raise ValueError(
                "Predictions must be finite for an export to be checked. "
                f"Received: NaN or infinity in the outputs of task {name!r}"
            )
    return batches, outputs


def _sizes(shape):
    """The sizes to check, those that the shape fixes if it does."""
    sizes = [(shape[1] or height, shape[2] or width) for height, width in SIZES]
    return list(dict.fromkeys(sizes))


def check(images, outputs, references, values, tolerance):
    """Raises a `RuntimeError` unless a file agrees with the network.

    Raw outputs may differ by the tolerance, relative to their largest entry if
    that is above 1. Values may differ by what that makes of them: the class of
    a pixel only where two logits are that close.

    Args:
        images: Batch of images.
        outputs: dict from task name to what the file returned for them.
        references: dict from task name to the raw outputs of the network.
        values: Function from such raw outputs to what the file should return.
        tolerance: float.
    """
    expected = values(references)
    if set(outputs) != set(expected):
        raise RuntimeError(
            f"The exported file must return {sorted(expected)}. "
            f"Received: {sorted(outputs)}"
        )
    allowed = {
        name: np.full(value.shape, tolerance * _scale(value) / 2)
        for name, value in expected.items()
    }
    rng = np.random.default_rng(0)
    for _ in range(NUM_DRAWS):
        nearby = {
            name: raw
            + (rng.choice((-1, 1), raw.shape) * tolerance * _scale(raw) / 2)
            for name, raw in references.items()
        }
        nearby = {name: raw.astype("float32") for name, raw in nearby.items()}
        for name, value in values(nearby).items():
            change = _difference(value, expected[name])
            allowed[name] = np.maximum(
                allowed[name], change + tolerance * _scale(value) / 2
            )
    for name, value in expected.items():
        output = outputs[name]
        if (output.shape, output.dtype) != (value.shape, value.dtype):
            raise RuntimeError(
                f"The exported file must return {value.dtype} of shape "
                f"{value.shape} for task {name!r}. "
                f"Received: {output.dtype} of shape {output.shape}"
            )
        difference = _difference(output, value)
        if not (difference <= allowed[name]).all():
            raise RuntimeError(
                "The exported file must agree with `predict`. Nothing was "
                f"written. Received: a difference of {difference.max():.3g} "
                f"in the values of task {name!r} for images of shape "
                f"{images.shape}, tolerance={tolerance}"
            )


def _scale(values):
    return max(1.0, float(np.abs(values).max()))


def _difference(first, second):
    return np.abs(first.astype("float64") - second.astype("float64"))
