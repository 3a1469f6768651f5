"""Curves of windows for TensorBoard."""

import numbers
import pathlib

from keras_s4t.files import check_folder
from keras_s4t.live.controls import ADAPTED
from keras_s4t.live.controls import BATCH_NORM
from keras_s4t.live.controls import SOURCE
from keras_s4t.live.monitors.measures import measures_of


class TensorBoardLog:
    """A monitor that writes numbers per window for TensorBoard.

    The step is the number of the frame. Curves are those of `CSVLog` that are
    numbers, and `"predicts/<model>"`, 1 for the model that predicts and 0 for
    the others. Every window is on disk when the next one comes.

    Needs TensorFlow, whatever the backend; TensorBoard itself is needed where
    the curves are looked at: `pip install tensorboard`, and then
    `tensorboard --logdir FOLDER`.

    Args:
        folder: string or path. It is created if needed.

    Raises:
        ValueError: If the folder cannot be written to.
        ImportError: If TensorFlow is missing.

    Example:

    ```python
    monitors = [keras_s4t.live.TensorBoardLog("runs/logs")]
    live = keras_s4t.live.LiveAdapter(adapter, monitors=monitors)
    ```
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        check_folder(self.folder, "folder")
        _tensorflow()
        self._writer = None

    def on_window(self, live, record):
        """Writes the numbers of a window."""
        tf = _tensorflow()
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self.folder))
        measures = measures_of(live, record)
        predicts = measures.pop("predicts")
        for name in (SOURCE, BATCH_NORM, ADAPTED):
            measures[f"predicts/{name}"] = int(name == predicts)
        # That of TensorBoard's scalars: `tf.summary.scalar` needs TensorBoard.
        metadata = tf.compat.v1.SummaryMetadata(data_class=1)
        metadata.plugin_data.plugin_name = "scalars"
        with self._writer.as_default(step=record["frame"]):
            for name, value in measures.items():
                if isinstance(value, numbers.Real):
                    value = tf.constant(value, "float32")
                    tf.summary.write(name, value, metadata=metadata)
        self._writer.flush()

    def close(self):
        """Closes the file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def _tensorflow():
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "`TensorBoardLog` needs TensorFlow. Install it with "
            "`pip install tensorflow`."
        ) from error
    from keras_s4t.data.pipeline.devices import keep_tensorflow_off_gpus

    keep_tensorflow_off_gpus()
    return tf
