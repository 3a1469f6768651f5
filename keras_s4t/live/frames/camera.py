import time
import warnings

import numpy as np

from keras_s4t.live.frames.frame import Frame
from keras_s4t.live.frames.optional import required


def frames_of_camera(index):
    """Yields frames of a camera, until it gives no more.

    OpenCV and not PyAV, whose wheels have no driver of cameras.

    Args:
        index: int, as OpenCV counts cameras.

    Yields:
        `Frame`, named by its number. The timestamp is the time since the first
        frame at which the frame arrived here.

    Raises:
        ValueError: If the camera does not open, or gives no frame at all.
    """
    cv2 = required("cv2", "camera")
    capture = cv2.VideoCapture(index)
    count, start = 0, None
    try:
        while True:
            error = ""
            try:
                is_there, image = capture.read()
            except cv2.error as failure:
                is_there, error = False, f" ({failure})"
            now = time.monotonic()
            if not is_there:
                break
            start = now if start is None else start
            # OpenCV has BGR.
            rgb = np.ascontiguousarray(image[..., ::-1])
            yield Frame(rgb, now - start, str(count))
            count += 1
    finally:
        capture.release()
    if not count:
        raise ValueError(
            "`source` must be the index of a camera that opens and gives "
            f"frames. Received: source={index}{error}"
        )
    warnings.warn(
        f"Camera {index} gave no further frame after {count} frames{error}.",
        stacklevel=3,
    )
