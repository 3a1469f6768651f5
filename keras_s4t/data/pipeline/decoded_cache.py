"""Decoded examples in a folder, so that they are decoded only once."""

import hashlib
import json
import os
import pathlib
import shutil


def cached_examples(examples, folder, name, facts):
    """Saves examples, unless that was done before, and loads them.

    The whole dataset is written to a temporary folder, which takes its name
    only when it is complete: unlike `Dataset.cache`, an interruption leaves
    nothing that the next run would stumble over, and unlike
    `Dataset.snapshot`, nothing that it would silently not use. Saved examples
    are not compressed: an image of 256x256 with four tasks takes 2.4 MB. That
    is for some thousand images, not for all of Taskonomy.

    Args:
        examples: A finite `tf.data.Dataset` that knows its size.
        folder: Path of the folder of all caches.
        name: str, with which the folder of this cache begins.
        facts: Anything for `json.dumps` that tells these examples from others.

    Returns:
        A `tf.data.Dataset` of the examples, in order.
    """
    import keras
    import tensorflow as tf

    text = json.dumps(facts, sort_keys=True, default=str)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = pathlib.Path(folder) / f"{name.replace('/', '_')}_{key}"
    if not path.exists():
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
