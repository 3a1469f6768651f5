import warnings

from keras_s4t.data import images
from keras_s4t.live.frames.frame import Frame


def frames_of_folder(folder):
    """Yields the photographs under a folder, in the order of their names.

    A file that is no photograph is skipped with a warning.

    Args:
        folder: `pathlib.Path`.

    Yields:
        `Frame` without a timestamp, named by the path within the folder.

    Raises:
        ValueError: If there is no image file under the folder.
    """
    paths = images.image_paths(folder)
    if not paths:
        raise ValueError(
            "`source` must be a folder with at least one image file. "
            f"Received: source={str(folder)!r}"
        )
    for path in paths:
        try:
            image = images.read_photograph(path)
        except ValueError as error:
            warnings.warn(f"A frame is skipped: {error}", stacklevel=3)
            continue
        yield Frame(image, None, path.relative_to(folder).as_posix())
