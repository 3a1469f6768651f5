import importlib.util

import keras
from keras import ops

from keras_s4t.backend import exports_itself
from keras_s4t.backend import full_precision
from keras_s4t.export import agreement
from keras_s4t.export import other_process
from keras_s4t.export import served_model
from keras_s4t.export.formats import FORMATS
from keras_s4t.files import atomic_folder
from keras_s4t.files import atomic_path

INSTALL = {
    "tensorflow": "`pip install tensorflow`",
    None: "`pip install 'keras-s4t[export]'`",
}


class Exportable:
    """What networks and adapters share for `export`."""

    # A method: Keras would follow a property of the model itself forever.
    def served(self):
        """What an export contains.

        Returns:
            Pair of the `MultiTaskModel`, and whether predictions normalize with
            the statistics of the batch.
        """
        return self, False

    def export(
        self,
        filepath,
        format="tf_saved_model",
        verbose=None,
        input_signature=None,
        postprocess=True,
        tolerance=1e-4,
    ):
        """Writes a file for serving, and checks it against `predict`.

        The file takes `images`, RGB in 0 ... 255 of shape `(batch_size, height,
        width, 3)`, uint8 unless `input_signature` says float32, of any size. It
        returns one output per task, called by its name: class ids (int32),
        meters, unit vectors, probabilities (float32); see `Task.postprocess`.

        The file is run at two even and two odd sizes (64x96, 65x97, 96x64 and
        33x65, or the size that the signature fixes) before it gets its name. On
        PyTorch and JAX, a process of its own with TensorFlow writes it. Classes
        of your own must then be in a module that can be imported.

        An adapter exports its network as it is now. One whose method normalizes
        with the statistics of the batch (`bn_mode="batch"`, as Tent) exports
        that: an image is predicted otherwise in another batch.

        Args:
            filepath: string or path. A folder for `"tf_saved_model"`, a file
                that ends with `.tflite` for `"litert"`, a file for `"onnx"`.
                An export that is there already is replaced.
            format: `"tf_saved_model"`, `"litert"` or `"onnx"`. ONNX needs the
                extra `keras-s4t[export]`, and all need TensorFlow. LiteRT files
                contain built-in operations only.
            verbose: Optional bool. `False` prints nothing, the default one
                line.
            input_signature: Optional list of one `keras.InputSpec`, to take
                float32 images or to fix sizes, as in `keras.Model.export`.
            postprocess: bool. `False` for raw outputs of shape `(batch_size,
                height, width, task.num_outputs)`.
            tolerance: float. How much raw outputs of the file may differ from
                those of `predict`, relative to the largest of them, if that is
                larger than 1.

        Raises:
            ValueError: If the format, the path or the signature does not fit,
                the network computes in another dtype than float32, or its
                predictions are not finite.
            ImportError: If a package that the format needs is missing.
            RuntimeError: If the file cannot be written, or does not agree with
                `predict`. What was at the path before is still there.

        Example:

        ```python
        network.export("network.onnx", format="onnx")
        session = onnxruntime.InferenceSession("network.onnx")
        (depth,) = session.run(["depth"], {"images": images})
        ```
        """
        network, batch_statistics = self.served()
        filepath = str(filepath)
        _check_request(network, filepath, format, tolerance)
        shape, dtype = _read_signature(input_signature, network)
        _check_packages(format)
        with full_precision():
            batches, references = agreement.references(self, shape, dtype)
        request = {
            "format": format,
            "shape": shape,
            "dtype": dtype,
            "postprocess": bool(postprocess),
            "batch_statistics": batch_statistics,
        }

        def values(outputs):
            if not postprocess:
                return outputs
            outputs = keras.tree.map_structure(ops.convert_to_tensor, outputs)
            return keras.tree.map_structure(
                ops.convert_to_numpy, network.postprocess(outputs)
            )

        with _temporary(filepath, format) as temporary:
            writer = served_model if exports_itself else other_process
            outputs = writer.write_and_run(
                network, str(temporary), request, batches
            )
            for arguments in zip(batches, outputs, references, strict=True):
                agreement.check(*arguments, values, tolerance)
        if verbose is None or verbose:
            print(f"Saved artifact at '{filepath}'.")


def _check_request(network, filepath, format, tolerance):
    if format not in FORMATS:
        raise ValueError(
            f"`format` must be one of {sorted(FORMATS)}. "
            f"Received: format={format!r}"
        )
    suffix = FORMATS[format].suffix
    if not filepath.endswith(suffix):
        raise ValueError(
            f"`filepath` must end with {suffix!r} for format={format!r}. "
            f"Received: filepath={filepath!r}"
        )
    if not tolerance > 0:
        raise ValueError(
            f"`tolerance` must be positive. Received: tolerance={tolerance}"
        )
    layers = [network, *network.encoder.layers]
    dtypes = {layer.compute_dtype for layer in layers}
    if dtypes - {"float32"}:
        raise ValueError(
            "The network must compute in float32 to be exported. "
            f"Received: layers that compute in {sorted(dtypes)}"
        )


def _read_signature(input_signature, network):
    """The `(shape, dtype)` of images that a file takes."""
    expected = (None, *network.encoder.input.shape[1:])
    if input_signature is None:
        return expected, "uint8"
    specs = keras.tree.flatten(input_signature)
    shape = tuple(getattr(specs[0], "shape", None) or ()) if specs else ()
    dtype = getattr(specs[0], "dtype", None) if specs else None
    dtype = keras.backend.standardize_dtype(dtype) if dtype else dtype
    fits = len(shape) == 4 and all(
        a in (None, b) for a, b in zip(expected, shape, strict=True)
    )
    if len(specs) != 1 or not fits or dtype not in ("uint8", "float32"):
        raise ValueError(
            "`input_signature` must be a list of one `keras.InputSpec` of "
            f"shape {expected}, where None may be a number, and dtype 'uint8' "
            f"or 'float32'. Received: input_signature={input_signature}"
        )
    return shape, dtype


def _check_packages(format):
    for package in FORMATS[format].packages:
        if importlib.util.find_spec(package) is None:
            how = INSTALL.get(package, INSTALL[None])
            raise ImportError(
                f"Export to {format!r} needs the package {package!r}: {how}"
            )


def _temporary(filepath, format):
    if FORMATS[format].is_folder:
        return atomic_folder(filepath, _is_saved_model)
    return atomic_path(filepath)


def _is_saved_model(folder):
    return (folder / "saved_model.pb").exists()
