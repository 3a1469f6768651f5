import contextlib


def keep_tensorflow_off_gpus():
    """Leaves the GPUs to the backend, if that is not TensorFlow.

    Reading data needs no GPU, but TensorFlow reserves the memory of all that it
    sees. Nothing changes once it has used one.
    """
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")
