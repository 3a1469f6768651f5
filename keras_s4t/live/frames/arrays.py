import numpy as np

from keras_s4t.live.frames.frame import Frame


def frames_of_arrays(arrays):
    """Yields a `Frame` for each array, without a timestamp.

    Values are not checked: a broken frame is for the receiver to judge, which
    knows what to do with it.

    Args:
        arrays: Iterable of arrays or of `Frame`s, which are passed on.

    Yields:
        `Frame`, named by its number.

    Raises:
        ValueError: If an item is no array of numbers with two or three axes.
    """
    for i, array in enumerate(arrays):
        if isinstance(array, Frame):
            yield array
            continue
        image = np.asarray(array)
        if image.dtype.kind not in "buif" or image.ndim not in (2, 3):
            raise ValueError(
                "`source` must yield images of shape (height, width, 3). "
                f"Received: frame {i} of type {type(array).__name__}, shape "
                f"{image.shape} and dtype {image.dtype}"
            )
        yield Frame(image, None, str(i))
