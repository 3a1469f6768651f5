"""File formats: how each is written, and run on images."""

import dataclasses
import warnings
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        packages: The packages that writing and running it need.
        write: `write(served, path, signature)`, with a `ServedModel`.
        load: `load(path)`, a function from images to a dict of arrays by task.
        suffix: How paths must end.
        is_folder: bool.
    """

    packages: tuple
    write: Callable
    load: Callable
    suffix: str = ""
    is_folder: bool = False


def write_saved_model(served, path, signature):
    """Writes a folder with the endpoint `serve`."""
    served.export(path, verbose=False, input_signature=signature)


def load_saved_model(path):
    """Runs `serve`."""
    import tensorflow as tf

    # The variables live as long as the object.
    loaded = tf.saved_model.load(path)

    def run(images):
        return {name: x.numpy() for name, x in loaded.serve(images).items()}

    return run


def write_litert(served, path, signature):
    """Writes built-in operations only, which every interpreter has."""
    import tensorflow as tf

    served.export(
        path,
        format="litert",
        verbose=False,
        input_signature=signature,
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
    )


def load_litert(path):
    """Runs the default signature, which resizes the inputs."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tensorflow.lite import Interpreter
    with warnings.catch_warnings():
        # TensorFlow's interpreter moves to the package above.
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter")
        runner = Interpreter(model_path=path).get_signature_runner()
    return lambda images: runner(images=images)


def write_onnx(served, path, signature):
    """Writes through `tf2onnx`."""
    _register_expm1()
    with warnings.catch_warnings():
        # Keras looks for `np.object`.
        warnings.filterwarnings("ignore", category=FutureWarning)
        served.export(
            path, format="onnx", verbose=False, input_signature=signature
        )


def load_onnx(path):
    """Runs it on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        path, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]

    def run(images):
        return dict(
            zip(names, session.run(names, {"images": images}), strict=True)
        )

    return run


def _register_expm1():
    """Teaches `tf2onnx` an operation of logarithmic depth."""
    import numpy as np
    from tf2onnx.handler import tf_op

    if "Expm1" in tf_op.get_opsets().get("", [{}])[-1]:
        return

    @tf_op("Expm1")
    class Expm1:
        @classmethod
        def version_7(cls, graph, node, **kwargs):
            dtype = graph.get_dtype(node.output[0])
            shape = graph.get_shape(node.output[0])
            graph.remove_node(node.name)
            power = graph.make_node("Exp", node.input)
            one = graph.make_const(f"{node.name}_one", np.float32(1))
            graph.make_node(
                "Sub",
                [power.output[0], one.output[0]],
                outputs=node.output,
                name=node.name,
                shapes=[shape],
                dtypes=[dtype],
            )


FORMATS = {
    "tf_saved_model": Format(
        ("tensorflow",), write_saved_model, load_saved_model, is_folder=True
    ),
    "litert": Format(("tensorflow",), write_litert, load_litert, ".tflite"),
    "onnx": Format(
        ("tensorflow", "onnx", "tf2onnx", "onnxruntime"), write_onnx, load_onnx
    ),
}
