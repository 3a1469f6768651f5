import warnings

import numpy as np

from keras_s4t.live.frames.colors import ColorConverter
from keras_s4t.live.frames.frame import Frame
from keras_s4t.live.frames.optional import required

# FFmpeg draws the characters of a text file.
NO_VIDEO = ("tty",)
# Transfer characteristics by their numbers in ITU-T H.273.
HDR = {16: "PQ", 18: "HLG"}


def frames_of_video(path):
    """Yields the frames of a video file with PyAV.

    Frames that the file or the decoder calls corrupt are left out, and those
    that follow up to the next key frame, which are made from them. Where no
    more can be decoded, the frames end. Either is a warning at the end. That a
    file holds fewer frames than its header says is none: trimmed files do.

    Args:
        path: `pathlib.Path`.

    Yields:
        `Frame`, named by its number. The timestamp is that of the file.

    Raises:
        ValueError: If the file has no video stream, or nothing of it can be
            decoded.
    """
    av = required("av", "video")
    count, num_corrupt, failure = 0, 0, None
    try:
        with av.open(path) as container:
            converter = ColorConverter()
            stream = _video_stream(container, path)
            for frame, is_corrupt in _decoded(container, stream):
                if is_corrupt:
                    num_corrupt += 1
                    continue
                if not count and frame.color_trc in HDR:
                    warnings.warn(
                        f"{path} is a video of high dynamic range "
                        f"({HDR[frame.color_trc]}). Its values are taken as "
                        "they are, so that colors look pale.",
                        stacklevel=3,
                    )
                image = _turned(converter.to_rgb(frame), frame.rotation)
                yield Frame(image, frame.time, str(count))
                count += 1
    except av.error.FFmpegError as error:
        if not count:
            raise ValueError(
                f"{path} cannot be read: {error.strerror}"
            ) from error
        failure = error.strerror
    if failure or num_corrupt:
        text = f"{path} is damaged: {count} frames came."
        if num_corrupt:
            text += f" {num_corrupt} corrupt ones were left out."
        if failure:
            text += f" The rest cannot be decoded: {failure}."
        warnings.warn(text, stacklevel=3)


def _video_stream(container, path):
    import av

    pictures = av.stream.Disposition.attached_pic
    stream = container.streams.best("video")
    if (
        stream is None
        or stream.disposition & pictures
        or container.format.name in NO_VIDEO
    ):
        raise ValueError(
            f"{path} must have a video stream. "
            f"Received: a file of format {container.format.name!r}"
        )
    # Threads that share a frame, the default, leave corrupt ones unmarked.
    stream.thread_type = "FRAME"
    return stream


def _decoded(container, stream):
    """Yields pairs of a frame and whether it is corrupt."""
    corrupt, is_lost = set(), False
    for packet in container.demux(stream):
        if packet.is_corrupt and packet.pts is not None:
            # Not every decoder marks the frame, which may come later.
            corrupt.add(packet.pts)
        for frame in packet.decode():
            if frame.is_corrupt or frame.pts in corrupt:
                is_lost = True
            elif frame.key_frame:
                is_lost = False
            yield frame, is_lost


def _turned(image, rotation):
    """Applies the rotation of the file, which PyAV only tells.

    Args:
        image: Array of shape `(height, width, 3)`.
        rotation: int, degrees counterclockwise.
    """
    return np.ascontiguousarray(np.rot90(image, round(rotation / 90)))
