import datetime
import importlib.metadata
import json
import pathlib
import tempfile

import keras

from keras_s4t.files import atomic_folder
from keras_s4t.presets.weights_file import write_compact
from keras_s4t.version import __version__

# As keras-hub calls them.
CONFIG, METADATA = "config.json", "metadata.json"
WEIGHTS = "model.weights.h5"

#: dict from the name of a preset that ships to its folder.
PRESETS = {
    folder.name: folder
    for folder in sorted(pathlib.Path(__file__).parent.iterdir())
    if (folder / METADATA).is_file()
}


class Preset:
    """What networks and adapters share for presets."""

    def save_to_preset(self, preset_dir, overwrite=False, dtype=None):
        """Writes a folder that `from_preset` loads, on every backend.

        It contains `config.json`, `metadata.json` and `model.weights.h5`. An
        adapter's has the network and the method as they are, and the source
        state that `reset` returns to. Optimizers are not saved.

        Args:
            preset_dir: string or path. The folder. It appears when it is
                complete.
            overwrite: bool. Whether a preset that is there already is
                replaced.
            dtype: Optional `"float16"`, to save weights in half of the space.
                They are float32 again when loaded, and differ by up to 0.05 %.
                Arrays that float16 cannot hold stay as they are.

        Raises:
            ValueError: If the folder is there and not to be replaced, it is no
                preset, or `dtype` is another one.

        Example:

        ```python
        network.save_to_preset("rooms")
        network = keras_s4t.models.MultiTaskModel.from_preset("rooms")
        ```
        """
        if dtype not in (None, "float16"):
            raise ValueError(
                f"`dtype` must be None or 'float16'. Received: dtype={dtype!r}"
            )
        preset_dir = pathlib.Path(preset_dir)
        if preset_dir.exists() and not overwrite:
            raise ValueError(
                "`preset_dir` must be new unless `overwrite=True`. "
                f"Received: preset_dir={str(preset_dir)!r}"
            )
        with atomic_folder(preset_dir, _is_preset) as folder:
            _write_json(folder / CONFIG, _config(self))
            _write_json(folder / METADATA, _metadata(self))
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                complete = pathlib.Path(scratch, WEIGHTS)
                self.save_weights(complete)
                write_compact(complete, folder / WEIGHTS, dtype)

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Makes a network or an adapter from a preset.

        Nothing is downloaded.

        Args:
            preset: string or path. The name of a preset that ships, or a
                folder that `save_to_preset` has written.
            load_weights: bool. Whether to load the weights; else they are
                random.
            **kwargs: Values of constructor arguments to replace those of the
                preset, numbers and the like, such as `remat=True`.

        Returns:
            An instance of this class, not compiled.

        Raises:
            ValueError: If there is no such preset, it is of another class, or
                a file is damaged.

        Example:

        ```python
        network = keras_s4t.models.MultiTaskModel.from_preset("rooms")
        ```
        """
        folder = _find(preset)
        config = _read_json(folder / CONFIG)
        try:
            config["config"].update(kwargs)
            model = keras.saving.deserialize_keras_object(config)
        # Keras raises errors of many kinds.
        except Exception as error:
            raise ValueError(
                "The configuration of a preset must be one that `save_to_preset"
                f"` has written, and keyword arguments those of the class. "
                f"Received: {str(folder / CONFIG)!r}, arguments {kwargs} "
                f"({type(error).__name__}: {error})"
            ) from error
        if not isinstance(model, cls):
            raise ValueError(
                f"`preset` must be one of a {cls.__name__}. Received: "
                f"preset={str(preset)!r} of a {type(model).__name__}"
            )
        if load_weights:
            try:
                model.load_weights(folder / WEIGHTS)
            except Exception as error:
                raise ValueError(
                    "The weights of a preset must be those that "
                    f"`save_to_preset` has written. Received: "
                    f"{str(folder / WEIGHTS)!r} "
                    f"({type(error).__name__}: {error})"
                ) from error
        return model


def _find(preset):
    if preset in PRESETS:
        return PRESETS[preset]
    folder = pathlib.Path(preset)
    if not _is_preset(folder):
        raise ValueError(
            f"`preset` must be one of {sorted(PRESETS)}, which ship, or a "
            f"folder that contains {CONFIG!r} and {METADATA!r}. "
            f"Received: preset={str(preset)!r}"
        )
    return folder


def _is_preset(folder):
    return all((folder / name).is_file() for name in (CONFIG, METADATA))


def _config(model):
    """The configuration, without what Keras adds to build and compile."""
    config = keras.saving.serialize_keras_object(model)
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            value.pop("build_config", None)
            value.pop("compile_config", None)
            pending += value.values()
        elif isinstance(value, (list, tuple)):
            pending += value
    return config


def _metadata(model):
    now = datetime.datetime.now(datetime.UTC)
    return {
        "keras_version": keras.version(),
        "keras_hub_version": importlib.metadata.version("keras-hub"),
        "keras_s4t_version": __version__,
        "parameter_count": model.count_params(),
        "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
    }


def _write_json(path, value):
    path.write_text(json.dumps(value, indent=4) + "\n", encoding="utf-8")


def _read_json(path):
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"The file of a preset must be JSON. Received: {str(path)!r} "
            f"({error})"
        ) from error
    known = isinstance(value, dict) and "class_name" in value
    if not known or not isinstance(value.get("config"), dict):
        raise ValueError(
            "The configuration of a preset must be that of a Keras object. "
            f"Received: {str(path)!r}"
        )
    return value
