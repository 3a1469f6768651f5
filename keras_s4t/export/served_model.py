import keras

from keras_s4t.export.formats import FORMATS
from keras_s4t.state.pure_call import without_writing


class ServedModel(keras.Model):
    """What an exported file computes.

    Args:
        network: A `MultiTaskModel`.
        postprocess: bool. Whether to return values, not raw outputs.
        batch_statistics: bool. Whether to normalize with the statistics of the
            batch.

    Call arguments:
        images: As the network takes them.

    Returns:
        dict from task name to a tensor.
    """

    def __init__(self, network, postprocess, batch_statistics, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.postprocess = postprocess
        self.batch_statistics = batch_statistics
        self.built = True

    def call(self, images, training=False):
        del training
        network = self.network
        if self.batch_statistics:
            outputs = without_writing(
                lambda: network(images, training=True), network.variables
            )
        else:
            outputs = network(images, training=False)
        return network.postprocess(outputs) if self.postprocess else outputs


def write_and_run(network, path, request, batches):
    """Writes a file, and runs it. On the TensorFlow backend only.

    Args:
        network: A `MultiTaskModel`.
        path: string.
        request: dict of what `ServedModel` takes, and of `format`, `shape` and
            `dtype` of the file.
        batches: list of arrays of images.

    Returns:
        list of dicts from task name to arrays, what the file returns.

    Raises:
        RuntimeError: If the file cannot be written or run.
    """
    served = ServedModel(
        network, request["postprocess"], request["batch_statistics"]
    )
    form = FORMATS[request["format"]]
    signature = keras.InputSpec(
        shape=request["shape"], dtype=request["dtype"], name="images"
    )
    try:
        form.write(served, path, [signature])
        run = form.load(path)
        return [dict(run(images)) for images in batches]
    # Converters and interpreters raise errors of many kinds.
    except Exception as error:
        raise RuntimeError(
            f"The network cannot be exported to {request['format']!r}. "
            "Nothing was written. If an operation of `postprocess` is not "
            f"supported, try `postprocess=False`. Received: {error}"
        ) from error
