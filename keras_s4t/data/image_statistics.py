"""What adaptation reacts to, measured: colors and fine detail of images."""

import numpy as np

from keras_s4t.imagenet import BRIGHTEST_NORMALIZED

# A filter of the binomial weights 1, 2, 1 along both axes.
BLUR = np.array([1.0, 2.0, 1.0]) / 4
# Channel statistics differ by so many levels before they are worth a word.
NOTICED_LEVELS = 5.0
# Detail that differs by such a factor comes from another decoder, resizer or
# lens, not from other scenes.
NOTICED_DETAIL = 1.5


def image_statistics(images):
    """Colors and fine detail of images.

    Test-time training follows the statistics of the features, so it reacts to
    the means of colors and to fine detail. Both change with the decoder, the
    resizer, the order of the channels and the range of the values, which no
    method should have to mend.

    Args:
        images: Iterable of arrays of shape `(height, width, 3)`, of any sizes,
            RGB in 0 ... 255, without padding. At least 3 pixels a side.

    Returns:
        dict with `"mean"` and `"deviation"`, lists of three floats, in levels,
        pooled over all pixels; `"detail"`, the root mean square of what a 3x3
        binomial blur removes, in levels; `"low"` and `"high"`, the smallest
        and the largest value; and `"num_images"`.

    Raises:
        ValueError: If there is no image, or one has another shape or values
            that are not finite.

    Example:

    ```python
    images, _, _ = next(iter(keras_s4t.data.load("synth_rooms/source", ...)))
    keras_s4t.data.image_statistics(images)["mean"]  # [131.0, 118.2, 104.9]
    ```
    """
    sums, squares, detail = np.zeros(3), np.zeros(3), 0.0
    num_pixels = num_details = num_images = 0
    low, high = np.inf, -np.inf
    for image in images:
        image = np.asarray(image, "float64")
        shape = image.shape
        if len(shape) != 3 or shape[-1] != 3 or min(shape[:2]) < 3:
            raise ValueError(
                "Every image must have shape `(height, width, 3)` and at least "
                f"3 pixels a side. Received: an image of shape {shape}"
            )
        if not np.isfinite(image).all():
            raise ValueError(
                "Images must be finite. "
                f"Received: image {num_images} with NaN or infinity"
            )
        sums += image.sum((0, 1))
        squares += np.square(image).sum((0, 1))
        num_pixels += shape[0] * shape[1]
        removed = image[1:-1, 1:-1] - _blurred(image)
        detail += np.square(removed).sum()
        num_details += removed.size
        low, high = min(low, image.min()), max(high, image.max())
        num_images += 1
    if not num_images:
        raise ValueError("There must be images. Received: none")
    mean = sums / num_pixels
    variance = np.maximum(squares / num_pixels - mean**2, 0)
    return {
        "mean": mean.tolist(),
        "deviation": np.sqrt(variance).tolist(),
        "detail": float(np.sqrt(detail / num_details)),
        "low": float(low),
        "high": float(high),
        "num_images": num_images,
    }


def domain_differences(source, target):
    """Differences of a target that the data path should mend, not a method.

    Args:
        source: What `image_statistics` returned for source images.
        target: The same for target images.

    Returns:
        list of sentences with the numbers, empty if nothing is suspicious.
    """
    if target["high"] < BRIGHTEST_NORMALIZED:
        # Everything else differs for this reason alone.
        return [
            "Values must be in 0 ... 255, not scaled or normalized. Received: "
            f"{target['low']:.3g} ... {target['high']:.3g}"
        ]
    found = []
    colors = [source["mean"] + source["deviation"]]
    colors += [target[key] for key in ("mean", "deviation")]
    given = _distance(colors[0], colors[1] + colors[2])
    swapped = _distance(colors[0], colors[1][::-1] + colors[2][::-1])
    if given - swapped > NOTICED_LEVELS and swapped < given / 2:
        found.append(
            "Red and blue look exchanged: the colors of target and source "
            f"differ by {given:.1f} levels, with BGR read as RGB by "
            f"{swapped:.1f}"
        )
    ratio = _share_of_detail(target) / max(_share_of_detail(source), 1e-9)
    if not 1 / NOTICED_DETAIL < ratio < NOTICED_DETAIL:
        found.append(
            f"Fine detail beside contrast is {ratio:.2f} times that of the "
            f"source ({_share_of_detail(target):.3f} and "
            f"{_share_of_detail(source):.3f}): another resizer, sharpening, "
            "noise or blur"
        )
    return found


def _share_of_detail(statistics):
    """Fine detail over contrast, which a darker scene has less of."""
    contrast = np.sqrt(np.mean(np.square(statistics["deviation"])))
    return statistics["detail"] / max(contrast, 1e-9)


def _distance(first, second):
    """Root mean square of the differences, in levels."""
    return float(np.sqrt(np.mean(np.square(np.subtract(first, second)))))


def _blurred(image):
    rows = sum(
        weight * image[i : i + image.shape[0] - 2]
        for i, weight in enumerate(BLUR)
    )
    return sum(
        weight * rows[:, i : i + image.shape[1] - 2]
        for i, weight in enumerate(BLUR)
    )
