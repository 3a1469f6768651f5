import contextlib
import fractions
import math
import numbers
import pathlib
import warnings

import numpy as np

from keras_s4t.files import atomic_path
from keras_s4t.files import check_folder
from keras_s4t.live.frames.colors import encoded_colors
from keras_s4t.live.frames.colors import from_rgb
from keras_s4t.live.frames.optional import required

# By preference, with the options of each for a quality without visible loss.
# For MPEG-4 this is quantizer 2, times FFmpeg's 118. H.264 gets no frames out
# of order, which would make the header's duration too short at variable frame
# rates, and the tag that chroma is at the centers of its pixels.
ENCODERS = {
    "libx264": {
        "preset": "veryfast",
        "crf": "18",
        "bf": "0",
        "x264-params": "chromaloc=1",
    },
    "mpeg4": {"flags": "+qscale", "global_quality": "236"},
}
# Fine enough for the usual frame rates. MPEG-4 has at most 65,535 ticks.
TICKS_PER_SECOND = 60_000
MIN_FRAME_RATE, MAX_FRAME_RATE = 0.0001, 1000
# Seconds from one frame to the next. A frame's duration in ticks has 31 bits in
# MP4; all timestamps after a longer one would be lost.
LONGEST_GAP = 30_000


class VideoWriter:
    """Writes frames to an MP4 file that players open.

    It is a context manager. The file appears when the body succeeds, and an old
    one stays until then. Needs `pip install 'keras-s4t[video]'`.

    The video is H.264, or MPEG-4 where FFmpeg has no encoder for H.264, in
    yuv420p. Images of odd sizes get a column or a row more, which repeats the
    last one.

    Args:
        path: string or path that ends in `.mp4`. Its folder is created if
            needed.
        frame_rate: float. Frames per second, for frames without a timestamp.

    Raises:
        ValueError: If `path` has another suffix or cannot be written, or
            `frame_rate` is not in [0.0001, 1000]; at the end, if no frame
            was written.
        ImportError: If PyAV is missing.

    Example:

    ```python
    with keras_s4t.live.VideoWriter("copy.mp4", frame_rate=25) as video:
        for frame in keras_s4t.live.read_frames("drive.mp4"):
            video.write(frame.image, frame.timestamp)
    ```
    """

    def __init__(self, path, frame_rate):
        self.path = pathlib.Path(path)
        if self.path.suffix.lower() != ".mp4":
            raise ValueError(
                f"`path` must end in '.mp4'. Received: path={str(path)!r}"
            )
        is_number = isinstance(frame_rate, numbers.Real)
        if not is_number or not MIN_FRAME_RATE <= frame_rate <= MAX_FRAME_RATE:
            raise ValueError(
                f"`frame_rate` must be in [{MIN_FRAME_RATE}, "
                f"{MAX_FRAME_RATE}]. Received: frame_rate={frame_rate!r}"
            )
        required("av", "video")
        if self.path.is_dir():
            raise ValueError(
                "`path` must be that of a file. "
                f"Received: path={str(path)!r}, which is a folder"
            )
        check_folder(self.path.parent, "path")
        self.frame_rate = float(frame_rate)
        self._stack = None

    def __enter__(self):
        import av

        self._stream = None
        self._shape = None
        self._clock = _Clock(self.frame_rate)
        with contextlib.ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.path))
            # With the index first, browsers play what they have.
            self._container = stack.enter_context(
                av.open(temporary, "w", options={"movflags": "faststart"})
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind, error, traceback):
        stack, self._stack = self._stack, None
        if kind is not None:
            stack.__exit__(kind, error, traceback)
            return
        with stack:
            if self._stream is None:
                raise ValueError(
                    "At least one frame must be written. "
                    f"Received: no frame for {self.path}"
                )
            self._container.mux(self._stream.encode(None))

    def write(self, image, timestamp=None):
        """Adds a frame.

        Args:
            image: uint8 array of shape `(height, width, 3)`, RGB. All frames
                of a file have the same shape.
            timestamp: Optional float, seconds on any clock. By default the
                frame comes `1 / frame_rate` seconds after the one before, and
                so does one whose timestamp does not increase, or does by more
                than 30,000 seconds, with a warning.

        Raises:
            ValueError: If the image is of another kind or size, the timestamp
                is not finite, or the file is not open.
        """
        image = np.asarray(image)
        self._check(image, timestamp)
        if self._stream is None:
            self._shape = image.shape
        sides = [(0, side % 2) for side in image.shape[:2]]
        image = np.pad(image, (*sides, (0, 0)), mode="edge")
        if self._stream is None:
            self._stream = self._add_stream(*image.shape[:2])
        frame = from_rgb(image)
        frame.time_base = fractions.Fraction(1, TICKS_PER_SECOND)
        frame.pts = self._clock.ticks_at(timestamp)
        frame.duration = round(TICKS_PER_SECOND / self.frame_rate)
        self._container.mux(self._stream.encode(frame))

    def _check(self, image, timestamp):
        if self._stack is None:
            raise ValueError(
                "Frames must be written within the `with` statement. "
                "Received: a file that is not open"
            )
        if image.dtype != "uint8" or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                "`image` must be uint8 of shape (height, width, 3). "
                f"Received: {image.dtype} of shape {image.shape}"
            )
        if not image.size or image.shape != (self._shape or image.shape):
            raise ValueError(
                "All images of a video must have the same shape, without a "
                f"zero. Received: shape {image.shape} after {self._shape}"
            )
        if timestamp is not None and not (
            isinstance(timestamp, numbers.Real) and math.isfinite(timestamp)
        ):
            raise ValueError(
                "`timestamp` must be a finite number. "
                f"Received: timestamp={timestamp!r}"
            )

    def _add_stream(self, height, width):
        import av

        for name in ENCODERS:
            with contextlib.suppress(av.codec.codec.UnknownCodecError):
                av.Codec(name, "w")
                break
        rate = fractions.Fraction(self.frame_rate).limit_denominator(1001)
        stream = self._container.add_stream(name, rate, options=ENCODERS[name])
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = fractions.Fraction(1, TICKS_PER_SECOND)
        for tag, value in encoded_colors(height, width).items():
            setattr(context, tag, value)
        return stream


class _Clock:
    """Positions of frames in a video, from their timestamps.

    Args:
        frame_rate: float. Frames per second without timestamps.
    """

    def __init__(self, frame_rate):
        self.interval = 1 / frame_rate
        self.position = None
        self.start = None
        self.has_warned = False

    def ticks_at(self, timestamp):
        """The position of the next frame, in ticks.

        Args:
            timestamp: Optional float, in seconds.

        Returns:
            int, greater than the last one.
        """
        after = 0.0 if self.position is None else self.position + self.interval
        position = after
        if timestamp is not None:
            if self.start is None:
                self.start = timestamp - after
            position = timestamp - self.start
        if timestamp is not None and not self._may_follow(position):
            self._warn(timestamp)
            # The clock may have been set: go on from here.
            position, self.start = after, timestamp - after
        self.position = position
        return _ticks(position)

    def _may_follow(self, position):
        if self.position is None:
            return True
        gap = position - self.position
        is_later = 0 < gap <= LONGEST_GAP
        return is_later and _ticks(position) > _ticks(self.position)

    def _warn(self, timestamp):
        if not self.has_warned:
            self.has_warned = True
            warnings.warn(
                "Timestamps must increase, by at most "
                f"{LONGEST_GAP:,} s. Frames for which they do not are shown "
                f"{self.interval:.3g} s after the one before. "
                f"Received: timestamp={timestamp}",
                stacklevel=4,
            )


def _ticks(position):
    return round(position * TICKS_PER_SECOND)
