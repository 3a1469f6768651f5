"""Reading what `train_source.py` wrote."""

import zipfile

import keras

import keras_s4t


def load_trainer(path):
    """Loads a trained network and method.

    Args:
        path: `pathlib.Path` of a `.keras` file.

    Returns:
        A `SourceTrainer`, not compiled.

    Raises:
        SystemExit: If the file is missing or damaged, or holds another model.
    """
    if not path.exists():
        raise SystemExit(
            f"There is no model {path}. `train_source.py` writes one."
        )
    # Keras takes a file that ends early for a missing one.
    if not zipfile.is_zipfile(path):
        raise SystemExit(
            f"The model {path} is damaged: it is no complete `.keras` file, "
            f"of {path.stat().st_size:,} bytes. Copy or write it once more."
        )
    trainer = keras.saving.load_model(path, compile=False)
    if not isinstance(trainer, keras_s4t.SourceTrainer):
        raise SystemExit(
            f"The model {path} must be a SourceTrainer, as `train_source.py` "
            f"writes it. Received: a {type(trainer).__name__}"
        )
    return trainer
