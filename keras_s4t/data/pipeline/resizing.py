"""Resizing and padding of an image together with its labels and masks.

An example is a tuple `(image, labels, masks)` of tensors without a batch axis,
see `records.py`.
"""

from keras_s4t import imagenet
from keras_s4t.data.images import resize_tensor

# ImageNet's mean color: 0 once the network has normalized the image, as the
# padding of convolutions is.
PADDING_COLOR = tuple(255 * mean for mean in imagenet.MEAN)


def resize_example(example, kinds, size):
    """Resizes an example to `(height, width)`.

    Images are averaged, antialiased, and so are edges, over their valid
    pixels. Everything else takes the nearest pixel: averages of class ids, of
    depths across an occlusion or of normals across a corner mean nothing.
    Depth stays as it is, since the camera does.
    """
    import tensorflow as tf

    image, labels, masks = example

    def nearest(x):
        if x.shape.rank == 2:
            return nearest(x[..., None])[..., 0]
        return tf.image.resize(x, size, "nearest")

    def resized(name, label):
        if not kinds[name].is_averaged:
            return nearest(label)
        mask = resize_tensor(masks[name], size)
        # Not a product: a missing label may be NaN.
        known = tf.where(masks[name] > 0, label * masks[name], 0.0)
        return resize_tensor(known, size) / tf.maximum(mask, 1e-6)

    return (
        tf.clip_by_value(resize_tensor(image, size), 0.0, 255.0),
        {name: resized(name, label) for name, label in labels.items()},
        {name: nearest(mask) for name, mask in masks.items()},
    )


def fit_example(example, kinds, size):
    """Scales an example to the largest size within a canvas.

    The aspect ratio stays what it is, up to half a pixel.
    """
    import tensorflow as tf

    canvas = tf.constant(size)
    shape = tf.shape(example[0])[:2]
    scale = tf.reduce_min(canvas / shape)
    scaled = tf.cast(tf.round(tf.cast(shape, scale.dtype) * scale), tf.int32)
    scaled = tf.clip_by_value(scaled, 1, canvas)
    return tf.cond(
        tf.reduce_all(scaled == shape),
        lambda: example,
        lambda: resize_example(example, kinds, scaled),
    )


def pad_example(example, kinds, size):
    """Pads an example to a canvas, at the bottom and at the right.

    Masks are 0 there, so that no loss and no metric sees the padding, and the
    label of classes is the ignored one. TensorFlow's `InvalidArgumentError` is
    raised if the example is larger. The result has a static shape.
    """
    import keras
    import tensorflow as tf

    image, labels, masks = example
    shape = tf.shape(image)[:2]
    check = tf.debugging.assert_less_equal(
        shape, size, "Images must not be larger than the canvas."
    )
    with tf.control_dependencies([check]):
        missing = tf.maximum(tf.constant(size) - shape, 0)

    def padded(x, value):
        widths = [[0, missing[0]], [0, missing[1]]]
        widths += [[0, 0]] * (x.shape.rank - 2)
        x = tf.pad(x, widths, constant_values=tf.cast(value, x.dtype))
        return tf.ensure_shape(x, (*size, *x.shape[2:]))

    color = tf.constant(PADDING_COLOR)
    return (
        padded(image - color, 0) + color,
        {
            name: padded(label, kinds[name].padding)
            for name, label in labels.items()
        },
        keras.tree.map_structure(lambda mask: padded(mask, 0), masks),
    )
