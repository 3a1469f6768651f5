"""Reading what `train_source.py` wrote, and adapters."""

import pathlib
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
    trainer = _load(path)
    if not isinstance(trainer, keras_s4t.SourceTrainer):
        raise SystemExit(
            f"The model {path} must be a SourceTrainer, as `train_source.py` "
            f"writes it. Received: a {type(trainer).__name__}"
        )
    return trainer


def load_adapter(name):
    """Loads an adapter, or makes one of a trained network and method.

    Args:
        name: string or path. The name of a preset that ships, the folder of
            another preset, or a `.keras` file of a `TargetAdapter` or of a
            `SourceTrainer`.

    Returns:
        A `TargetAdapter`, not compiled.

    Raises:
        SystemExit: If there is none, it is damaged, or of another model.
    """
    path = pathlib.Path(name)
    if path.suffix != ".keras":
        try:
            return keras_s4t.TargetAdapter.from_preset(name)
        except ValueError as error:
            raise SystemExit(str(error)) from error
    model = _load(path)
    if isinstance(model, keras_s4t.SourceTrainer):
        return keras_s4t.TargetAdapter(model.network, model.method)
    if not isinstance(model, keras_s4t.TargetAdapter):
        raise SystemExit(
            f"The model {path} must be a TargetAdapter or a SourceTrainer. "
            f"Received: a {type(model).__name__}"
        )
    return model


def _load(path):
    """Any model, not compiled."""
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
    return keras.saving.load_model(path, compile=False)
