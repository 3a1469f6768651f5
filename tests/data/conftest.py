"""What NumPy and TensorFlow do alone is tested once, on one backend."""

import keras

if keras.backend.backend() != "tensorflow":
    collect_ignore_glob = [
        "archives/*",
        "builders/*",
        "corruptions_test.py",
        "image_statistics_test.py",
        "images_test.py",
        "label_spaces_test.py",
        "pipeline/augmentation_test.py",
        "pipeline/batching_test.py",
        "pipeline/resizing_test.py",
        "readers/*",
        "synth_rooms/*",
    ]
