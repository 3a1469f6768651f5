"""Video files whose planes are known, by the formulas of ITU-R."""

import fractions

import numpy as np
from photographs import photograph
from PIL import Image

# Weights of red and blue in luma: BT.601, BT.709 and BT.2020.
WEIGHTS = {
    "601": (0.299, 0.114),
    "709": (0.2126, 0.0722),
    "2020": (0.2627, 0.0593),
}
# Their numbers in ITU-T H.273.
TAGS = {"601": 6, "709": 1, "2020": 9}


def planes(image, matrix="601", is_full=False, shares=(2, 2), bits=8):
    """Luma and chroma of an image, as a list of three arrays.

    `shares` are the rows and columns of luma to one of chroma, whose values are
    the means of theirs.
    """
    red, blue = WEIGHTS[matrix]
    r, g, b = np.moveaxis(image / 255, -1, 0)
    luma = red * r + (1 - red - blue) * g + blue * b
    chroma = ((b - luma) / 2 / (1 - blue), (r - luma) / 2 / (1 - red))
    step = 2 ** (bits - 8)
    if is_full:
        top = 2**bits - 1
        values = [top * luma] + [top * x + 128 * step for x in chroma]
    else:
        values = [(219 * luma + 16) * step]
        values += [(224 * x + 128) * step for x in chroma]
    values[1:] = [_means(x, shares) for x in values[1:]]
    dtype = "uint8" if bits == 8 else "<u2"
    return [np.clip(np.rint(x), 0, 2**bits - 1).astype(dtype) for x in values]


def image_of(arrays, matrix="601", is_full=False, shares=(2, 2), bits=8):
    """The image of such planes, float64. Chroma is interpolated by Pillow."""
    height, width = arrays[0].shape
    red, blue = WEIGHTS[matrix]
    luma, *chroma = (x / 2 ** (bits - 8) for x in arrays)
    chroma = [
        np.asarray(
            Image.fromarray(x.astype("float32")).resize(
                (x.shape[1] * shares[1], x.shape[0] * shares[0]),
                Image.Resampling.BILINEAR,
            )
        )[:height, :width]
        - 128.0
        for x in chroma
    ]
    if is_full:
        y, cb, cr = luma / 255, chroma[0] / 255, chroma[1] / 255
    else:
        y, cb, cr = (luma - 16) / 219, chroma[0] / 224, chroma[1] / 224
    r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
    g = (y - red * r - blue * b) / (1 - red - blue)
    return 255 * np.clip(np.stack([r, g, b], axis=-1), 0, 1)


def _means(values, shares):
    height, width = values.shape
    values = np.pad(
        values,
        ((0, -height % shares[0]), (0, -width % shares[1])),
        mode="edge",
    )
    height, width = values.shape
    return values.reshape(
        height // shares[0], shares[0], width // shares[1], shares[1]
    ).mean((1, 3))


def frame_of(arrays, pixels):
    """A frame of PyAV with given planes, in a pixel format."""
    import av

    height, width = arrays[0].shape
    frame = av.VideoFrame(width, height, pixels)
    for plane, array in zip(frame.planes, arrays, strict=True):
        rows = array.view("uint8").reshape(len(array), -1)
        padded = np.zeros((len(array), plane.line_size), "uint8")
        padded[:, : rows.shape[1]] = rows
        plane.update(padded.tobytes())
    return frame


def write(
    path,
    frames,
    codec="ffv1",
    ticks=None,
    ticks_per_second=30,
    options=None,
    **tags,
):
    """Encodes frames of PyAV, `ffv1` without loss.

    `tags` are attributes of the codec's context.
    """
    import av

    with av.open(path, "w") as container:
        stream = container.add_stream(codec, 30, options=options or {})
        stream.width, stream.height = frames[0].width, frames[0].height
        stream.pix_fmt = frames[0].format.name
        base = fractions.Fraction(1, ticks_per_second)
        stream.codec_context.time_base = base
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for i, frame in enumerate(frames):
            frame.time_base, frame.pts = base, ticks[i] if ticks else i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_photographs(path, count, pixels="yuv420p", **kwargs):
    """A video of different pictures, which are returned."""
    images = [photograph(seed=i) for i in range(count)]
    arrays = [planes(image, is_full=pixels == "yuvj420p") for image in images]
    write(path, [frame_of(x, pixels) for x in arrays], **kwargs)
    return images
