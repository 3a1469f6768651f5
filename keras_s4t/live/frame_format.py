"""Frames of a camera as images of a network."""

import warnings

import numpy as np
from keras import ops
from PIL import Image

SIZE_CHANGES = ("refuse", "rescale")


class FrameFormat:
    """Makes every frame an image of the size of the first one.

    Args:
        channels: int. Channels of the images of the network.
        multiple: int. Height and width of images are padded to a multiple of
            it, by the nearest pixel.
        size: Optional pair of ints, height and width that all frames are
            rescaled to; by default those of the first frame.
        size_change: `"refuse"` or `"rescale"`, what is done with a frame of
            another size than the first.
    """

    def __init__(self, channels, multiple, size, size_change):
        if size_change not in SIZE_CHANGES:
            raise ValueError(
                f"`size_change` must be one of {SIZE_CHANGES}. "
                f"Received: size_change={size_change!r}"
            )
        self.channels = channels
        self.multiple = multiple
        self.rescales = size is not None or size_change == "rescale"
        self.size = size
        self._warned = False

    def images(self, frames):
        """Frames as they are, or rescaled.

        Args:
            frames: Array of shape `(height, width, channels)`, or a batch of
                them, uint8 or float in 0 ... 255. Gray frames, of shape
                `(height, width)` or with one channel, are repeated for
                networks of color images, with a warning, once.

        Returns:
            Array of shape `(batch_size, height, width, channels)`.

        Raises:
            ValueError: If it is no such array, or of another size.
        """
        frames = _as_array(frames)
        shape, dtype = frames.shape, frames.dtype
        if frames.ndim == 2:
            frames = frames[..., None]
        if frames.ndim == 3:
            frames = frames[None]
        is_gray = frames.ndim == 4 and frames.shape[-1] == 1
        is_number = dtype == "uint8" or dtype.kind == "f"
        if dtype.kind == "f":
            frames = frames.astype("float32")
        if not (
            frames.ndim == 4
            and frames.size
            and is_number
            and (is_gray or frames.shape[-1] == self.channels)
        ):
            raise ValueError(
                "A frame must be a uint8 or float array of shape (height, "
                f"width, {self.channels}) with values in 0 ... 255, or a batch "
                f"of them. Received: shape {shape}, dtype {dtype}"
            )
        if self.size is None:
            self.size = frames.shape[1:3]
        if frames.shape[1:3] != self.size:
            if not self.rescales:
                raise ValueError(
                    f"Frames must keep their size, {self.size}, unless "
                    "`size_change='rescale'`. Received: a frame of size "
                    f"{frames.shape[1:3]}"
                )
            frames = np.stack([_rescaled(f, self.size) for f in frames])
        if is_gray and self.channels != 1:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    "Frames are gray. Their one channel is repeated for the "
                    f"{self.channels} channels of the network.",
                    stacklevel=4,
                )
            frames = np.repeat(frames, self.channels, axis=-1)
        return frames

    def padded(self, images):
        """Images whose height and width are multiples."""
        pad = [(0, -length % self.multiple) for length in images.shape[1:3]]
        if not any(after for _, after in pad):
            return images
        return np.pad(images, [(0, 0), *pad, (0, 0)], mode="edge")

    def cropped(self, predictions):
        """Predictions without the padding, a dict of arrays."""
        height, width = self.size
        return {k: v[:, :height, :width] for k, v in predictions.items()}


def _as_array(frames):
    """An array of its own: cameras write the next frame into their buffer."""
    if isinstance(frames, Image.Image):
        is_gray = frames.mode in ("1", "L", "I", "F")
        frames = frames if is_gray else frames.convert("RGB")
    if ops.is_tensor(frames):
        frames = ops.convert_to_numpy(ops.stop_gradient(frames))
    try:
        return np.array(frames)
    # Other objects, and frames of several sizes.
    except (TypeError, ValueError) as error:
        raise ValueError(
            "A frame must be an array, or a batch of frames of one size. "
            f"Received: a {type(frames).__name__} ({error})"
        ) from error


def _rescaled(image, size):
    # Channel by channel: Pillow takes a fourth one for opacity.
    resized = [
        Image.fromarray(np.ascontiguousarray(channel)).resize(
            size[::-1], Image.Resampling.BILINEAR
        )
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(channel) for channel in resized], axis=-1)
