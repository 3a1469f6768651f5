import contextlib


def keep_tensorflow_off_gpus():
    """Hides the GPUs from TensorFlow if it is not the backend.

    Reading data needs no GPU, but TensorFlow reserves the memory of all that
    are visible. Has no effect once TensorFlow has used one.
    """
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")
