import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t import methods
from keras_s4t.export import exportable
from keras_s4t.export import other_process
from keras_s4t.export import served_model

SIZES = ((2, 64, 96), (1, 65, 97), (1, 96, 64), (2, 33, 65))
PATHS = {
    "tf_saved_model": "network",
    "litert": "network.tflite",
    "onnx": "network.onnx",
}
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
# Every format, of a network and of adapters of every kind of statistics, some
# of them on demand. A process of its own takes a while.
if ON_TENSORFLOW:
    CASES = [
        ("tf_saved_model", None),
        ("litert", methods.BatchNormOnly),
        ("onnx", methods.Tent),
    ]
    LONG = [("litert", None), ("onnx", None)]
else:
    CASES = [("tf_saved_model", methods.BatchNormOnly)]
    LONG = [("onnx", methods.Tent)]
CASES += [pytest.param(*case, marks=pytest.mark.long) for case in LONG]


def make_network(seed=7):
    network = keras_s4t.models.MultiTaskModel(
        tiny.TinyBackbone(),
        [
            keras_s4t.tasks.semseg(tiny.NUM_CLASSES),
            keras_s4t.tasks.depth(encoding="log"),
            keras_s4t.tasks.normals(),
            keras_s4t.tasks.edge(loss="balanced_bce"),
        ],
    )
    tiny.fill(network, seed)
    return network


def make_model(method):
    """A network, or an adapter of it that has adapted."""
    network = make_network()
    if method is None:
        return network
    adapter = keras_s4t.TargetAdapter(network, method())
    adapter.compile(keras.optimizers.SGD(0.1))
    before = tiny.numpy_values(network.variables)
    adapter.adapt(tiny.make_arrays(2)[0])
    assert tiny.moved(network.variables, before)
    return adapter


def export(model, path, format="tf_saved_model", **kwargs):
    """Exports raw outputs of one small size."""
    signature = [keras.InputSpec(shape=(None, 8, 8, 3), dtype="uint8")]
    options = {"verbose": False, "postprocess": False, **kwargs}
    model.export(path, format, input_signature=signature, **options)


def load(path, format):
    """A function from images to a dict of arrays, without this package."""
    path = str(path)
    if format == "tf_saved_model":
        import tensorflow as tf

        loaded = tf.saved_model.load(path)
        return lambda images: {
            name: x.numpy() for name, x in loaded.serve(images).items()
        }
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        names = [output.name for output in session.get_outputs()]
        return lambda images: dict(
            zip(names, session.run(names, {"images": images}), strict=True)
        )
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(path).get_signature_runner()
    return lambda images: runner(images=images)


@pytest.mark.slow
@pytest.mark.parametrize(
    "format, method",
    CASES,
    ids=lambda x: x if isinstance(x, str) else getattr(x, "__name__", None),
)
def test_exports_agree_with_predict(tmp_path, format, method):
    for package in exportable.FORMATS[format].packages:
        pytest.importorskip(package)
    if format == "litert":
        pytest.importorskip("ai_edge_litert")
    model = make_model(method)
    network = model if method is None else model.network
    before = tiny.numpy_values(network.variables)
    path = tmp_path / "new" / PATHS[format]
    model.export(path, format, False)
    assert not tiny.moved(network.variables, before)
    assert os.listdir(path.parent) == [path.name]
    run = load(path, format)
    rng = np.random.default_rng(1)
    for count, *size in SIZES:
        images = rng.integers(0, 256, (count, *size, 3)).astype("uint8")
        raw = model.predict(images, verbose=0)
        expected = network.postprocess(
            {name: keras.ops.convert_to_tensor(x) for name, x in raw.items()}
        )
        outputs = run(images)
        assert set(outputs) == set(raw)
        for name, value in expected.items():
            value = keras.ops.convert_to_numpy(value)
            assert outputs[name].dtype == value.dtype
            assert outputs[name].shape == value.shape
            if value.dtype == "int32":
                ids = outputs[name][..., None]
                score = np.take_along_axis(raw[name], ids, -1)[..., 0]
                assert (raw[name].max(-1) - score).max() <= 1e-4
                assert (ids[..., 0] == value).mean() > 0.999
            else:
                # Logarithmic depth goes up to 128 m.
                scale = max(1, abs(value).max())
                error = abs(outputs[name] - value).max()
                assert error <= 1e-4 * scale, name


@pytest.mark.skipif(not ON_TENSORFLOW, reason="another process would write it")
def test_raw_outputs_of_float32_images_of_one_size(tmp_path):
    network = make_network()
    path = tmp_path / "network.onnx"
    signature = keras.InputSpec(shape=(None, 10, 14, 3), dtype="float32")
    network.export(
        path, "onnx", False, input_signature=[signature], postprocess=False
    )
    images = tiny.make_arrays(3, size=(10, 14))[0]
    outputs = load(path, "onnx")(images)
    for name, expected in network.predict(images, verbose=0).items():
        np.testing.assert_allclose(
            outputs[name], expected, rtol=1e-4, atol=1e-4
        )
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        load(path, "onnx")(tiny.make_arrays(3, size=(11, 14))[0])


@pytest.mark.eager
@pytest.mark.skipif(not ON_TENSORFLOW, reason="another process would write it")
def test_what_cannot_be_converted_is_said(tmp_path, monkeypatch):
    network = make_network()

    def besseled(outputs):
        import tensorflow as tf

        return {
            name: tf.math.special.bessel_k0(x) for name, x in outputs.items()
        }

    with pytest.raises(RuntimeError, match="cannot be exported to 'litert'"):
        monkeypatch.setattr(network, "postprocess", besseled)
        export(network, tmp_path / "network.tflite", "litert", postprocess=True)
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(ON_TENSORFLOW, reason="TensorFlow writes it itself")
def test_a_failure_of_the_other_process_is_said(tmp_path, monkeypatch):
    def fail(command, env, **kwargs):
        assert env["KERAS_BACKEND"] == "tensorflow" and "XLA_FLAGS" not in env
        return subprocess.CompletedProcess(command, 1, "", "no class 'Hidden'")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(RuntimeError, match="that can be imported.*'Hidden'"):
        export(make_network(), tmp_path / "network")
    assert not os.listdir(tmp_path)


def test_the_other_process_imports_the_classes_of_the_network():
    modules = other_process.modules_of(make_network())
    assert modules == {
        "tiny",
        "keras_s4t.models.decoders.pyramid",
        "keras_s4t.models.multi_task_model",
        "keras_s4t.tasks.task",
    }


@pytest.fixture
def writer(monkeypatch):
    """A writer of text files, which `returns` what it is told to."""

    class Writer:
        factor = 1.0
        requests = []

        def write_and_run(self, network, path, request, batches):
            if os.path.isdir(path):
                path = os.path.join(path, "saved_model.pb")
            with open(path, "w") as file:
                file.write("new")
            self.requests.append(request)
            outputs = [network.predict(x, verbose=0) for x in batches]
            for output in outputs:
                output["depth"] = output["depth"] * np.float32(self.factor)
            return outputs

    writer = Writer()
    for module in (served_model, other_process):
        monkeypatch.setattr(module, "write_and_run", writer.write_and_run)
    return writer


@pytest.mark.eager
@pytest.mark.parametrize("format", PATHS)
def test_a_file_that_disagrees_is_not_handed_out(tmp_path, writer, format):
    network = make_network()
    path = tmp_path / PATHS[format]
    writer.factor = 1.01
    with pytest.raises(RuntimeError, match="task 'depth'"):
        export(network, path, format)
    assert not os.listdir(tmp_path)
    export(network, path, format, tolerance=0.1)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.eager
@pytest.mark.parametrize("format", PATHS)
def test_an_export_is_replaced_only_by_a_checked_one(tmp_path, writer, format):
    network = make_network()
    path = tmp_path / PATHS[format]
    export(network, path, format)
    file = path / "saved_model.pb" if path.is_dir() else path
    file.write_text("old")
    writer.factor = 1.01
    with pytest.raises(RuntimeError):
        export(network, path, format)
    assert file.read_text() == "old"
    writer.factor = 1.0
    export(network, path, format)
    assert file.read_text() == "new"
    assert os.listdir(tmp_path) == [path.name]


def test_other_folders_are_not_replaced(tmp_path, writer):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_text("x")
    with pytest.raises(ValueError, match="may be replaced"):
        export(make_network(), tmp_path / "photos")
    assert os.listdir(tmp_path / "photos") == ["1.jpg"]


@pytest.mark.eager
def test_it_prints_one_line_unless_told_not_to(tmp_path, writer, capsys):
    network = make_network()
    export(network, tmp_path / "network", verbose=None)
    assert capsys.readouterr().out == (
        f"Saved artifact at '{tmp_path / 'network'}'.\n"
    )
    export(network, tmp_path / "network")
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    "method, expected",
    [(methods.Tent, True), (methods.BatchNormOnly, False)],
)
def test_what_an_adapter_serves(tmp_path, writer, method, expected):
    network = make_network()
    adapter = keras_s4t.TargetAdapter(network, method())
    # The writer above predicts with source statistics.
    tolerance = 1e6 if expected else 1e-4
    export(adapter, tmp_path / "adapter", tolerance=tolerance)
    request = writer.requests[-1]
    assert request["batch_statistics"] is expected
    assert request["shape"] == (None, 8, 8, 3)
    assert request["dtype"] == "uint8"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("network", "openvino"), "`format` must be one of"),
        (("network", "litert"), "must end with '.tflite'"),
        (("network.tflite", "litert", False, []), "list of one"),
        (("n", "onnx", False, [(None, None, None, 3)]), "list of one"),
        (
            (
                "n",
                "onnx",
                False,
                [keras.InputSpec(shape=(None, None, None, 3))],
            ),
            "list of one",
        ),
        (
            (
                "n",
                "onnx",
                False,
                [keras.InputSpec(shape=(None, 8, 8, 1), dtype="uint8")],
            ),
            "list of one",
        ),
        (("n", "onnx", False, None, True, 0.0), "`tolerance` must be positive"),
    ],
)
def test_requests_that_cannot_be_met(tmp_path, arguments, message):
    path, *arguments = arguments
    with pytest.raises(ValueError, match=message):
        make_network().export(tmp_path / path, *arguments)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "package, how",
    [
        ("onnx", r"keras-s4t\[export\]"),
        ("onnxruntime", r"keras-s4t\[export\]"),
        ("tf2onnx", r"keras-s4t\[export\]"),
    ],
)
def test_a_missing_extra_is_named(tmp_path, monkeypatch, package, how):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"'{package}'.*{how}"):
        make_network().export(tmp_path / "network.onnx", "onnx")
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(ON_TENSORFLOW, reason="TensorFlow is the backend")
def test_missing_tensorflow_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match="pip install tensorflow"):
        make_network().export(tmp_path / "network")


def test_a_network_that_is_lost_is_not_exported(tmp_path, writer):
    network = make_network()
    network.decoders["depth"].bias.assign([np.nan])
    with pytest.raises(ValueError, match="NaN or infinity.*'depth'"):
        export(network, tmp_path / "network")
    assert not os.listdir(tmp_path)


def test_other_dtypes_are_refused(tmp_path):
    network = keras_s4t.models.MultiTaskModel(
        tiny.TinyBackbone(), tiny.make_tasks(1), dtype="mixed_bfloat16"
    )
    with pytest.raises(ValueError, match="float32 to be exported.*bfloat16"):
        network.export(tmp_path / "network")
