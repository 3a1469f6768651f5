"""RGB of video frames, as a photograph of the same picture has it.

The default conversion of FFmpeg, which is that of PyAV and OpenCV, repeats
chroma and rounds down: its RGB is 1.0 to 1.5 levels too dark in every channel.
It also reads high definition that is not tagged as BT.601. Batch norm
statistics see both.
"""

import numpy as np

# From this size on, a video that is not tagged is taken as BT.709, as players
# take it.
HD_WIDTH, HD_HEIGHT = 1280, 577
# Numbers of matrices, primaries and transfers in ITU-T H.273.
BT709, UNSPECIFIED, BT601 = 1, 2, 6
# FFmpeg's number of the limited range.
LIMITED = 1


def is_high_definition(height, width):
    """Whether BT.709 is the convention for a size, and not BT.601."""
    return width >= HD_WIDTH or height >= HD_HEIGHT


def exact_conversion():
    """Flags for `reformat`: chroma interpolated, and values rounded."""
    from av.video.reformatter import Interpolation

    return (
        Interpolation.BILINEAR
        | Interpolation.ACCURATE_RND
        | Interpolation.FULL_CHR_H_INT
        | Interpolation.FULL_CHR_H_INP
    )


class ColorConverter:
    """Converts frames of PyAV to RGB.

    It keeps tables for frames of one size, so take one for each file.
    """

    def __init__(self):
        from av.video.reformatter import VideoReformatter

        self.reformatter = VideoReformatter()

    def to_rgb(self, frame):
        """The pixels of a frame.

        Args:
            frame: `av.VideoFrame` of any format. Its tags decide on matrix and
                range. Without tags the matrix is BT.709 for high definition,
                else BT.601, and the range is limited, full for gray.
                Full range of more than 8 bits gets 0.4 levels too bright,
                since FFmpeg takes 1020 of 1023 levels as white.

        Returns:
            uint8 array of shape `(height, width, 3)`.
        """
        height, width = frame.height, frame.width
        matrix = None
        if frame.colorspace == UNSPECIFIED:
            matrix = _conventional_matrix(height, width)
        color_range = frame.color_range
        image = self.reformatter.reformat(
            _with_even_sides(frame),
            format="rgb24",
            src_colorspace=matrix,
            src_color_range=color_range,
            interpolation=exact_conversion(),
        ).to_ndarray()[:height, :width]
        if frame.format.name.startswith("gray") and color_range == LIMITED:
            # FFmpeg takes gray as full range, whatever the tag.
            image = (image.astype("float32") - 16) * (255 / 219)
            image = np.clip(np.rint(image), 0, 255).astype("uint8")
        return image


def encoded_colors(height, width):
    """The tags of what `from_rgb` makes, as attributes of a codec's context."""
    matrix = BT709 if is_high_definition(height, width) else BT601
    tags = ("colorspace", "color_primaries", "color_trc")
    return {**dict.fromkeys(tags, matrix), "color_range": LIMITED}


def from_rgb(image):
    """A frame to encode.

    Args:
        image: uint8 array of shape `(height, width, 3)`, of even sides.

    Returns:
        `av.VideoFrame` in yuv420p and limited range, in BT.709 for high
        definition, else in BT.601: players err least where tags are lost.
    """
    import av

    frame = av.VideoFrame.from_ndarray(image, "rgb24")
    return frame.reformat(
        format="yuv420p",
        dst_colorspace=_conventional_matrix(*image.shape[:2]),
        dst_color_range=LIMITED,
        interpolation=exact_conversion(),
    )


def _conventional_matrix(height, width):
    from av.video.reformatter import Colorspace

    is_hd = is_high_definition(height, width)
    return Colorspace.ITU709 if is_hd else Colorspace.ITU601


def _with_even_sides(frame):
    """The frame, with a column and a row more where a side is odd.

    FFmpeg would stretch the chroma of odd sizes to the size of the luma, off by
    up to one pixel. What is added is not seen: it is cut off after the
    conversion, and luma is not interpolated.
    """
    import av

    width, height = frame.width + frame.width % 2, frame.height
    height += height % 2
    if (width, height) == (frame.width, frame.height):
        return frame
    even = av.VideoFrame(width, height, frame.format.name)
    for plane, old in zip(even.planes, frame.planes, strict=True):
        rows = np.frombuffer(old, "uint8").reshape(-1, old.line_size)
        new = np.zeros((plane.buffer_size // plane.line_size, plane.line_size))
        new = new.astype("uint8")
        count = min(len(rows), len(new))
        length = min(old.line_size, plane.line_size)
        new[:count, :length] = rows[:count, :length]
        plane.update(new)
    even.colorspace = frame.colorspace
    even.color_range = frame.color_range
    return even
