"""A cache of decoded examples."""

import hashlib
import json
import os
import pathlib
import shutil

from keras_s4t.files import check_folder


def cached_examples(examples, folder, name, key):
    """Loads examples from the cache, which is written first if needed.

    The dataset is written to a temporary folder, which is renamed once it is
    complete. An interrupted `Dataset.cache` would leave a lock file, and an
    interrupted `Dataset.snapshot` would not be used. Saved examples are not
    compressed: an image of 256x256 with four tasks takes 2.4 MB. This suits
    some thousand images, not all of Taskonomy.

    Args:
        examples: A finite `tf.data.Dataset` that knows its size.
        folder: Path of the folder of all caches.
        name: str, the beginning of the name of this cache's folder.
        key: Anything for `json.dumps` that tells these examples from others.

    Returns:
        A `tf.data.Dataset` of the examples, in order.
    """
    import keras
    import tensorflow as tf

    text = json.dumps(key, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = pathlib.Path(folder) / f"{name.replace('/', '_')}_{digest}"
    if not path.exists():
        check_folder(folder, "cache_dir")
        temporary = path.with_name(f".{os.getpid()}.{path.name}")
        size = int(examples.cardinality())
        progress = keras.utils.Progbar(size, unit_name="image")

        def count(index, example):
            tf.py_function(lambda i: progress.update(int(i) + 1), [index], [])
            return example

        try:
            examples.enumerate().map(count).save(str(temporary))
            # Another process may have been faster.
            if not path.exists():
                os.replace(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    # Saved from one shard, so the order is the one it was saved in.
    return tf.data.Dataset.load(str(path))
