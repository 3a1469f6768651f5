import functools
import importlib.util
import json
import pathlib

import keras
import numpy as np
import pytest
import released_model
import tiny
from keras import ops
from keras_hub.models import ResNetBackbone

import keras_s4t
from keras_s4t import backend
from keras_s4t import models
from keras_s4t import tasks
from keras_s4t.state.pure_call import run_on

torch = pytest.importorskip("torch")

# Results of the authors' model. Some checkouts do not have the folder.
PARITY = pathlib.Path(__file__).parents[3] / "shared" / "release_parity"
OWN_NAMES = {
    "segment_semantic": "semseg",
    "depth_zbuffer": "depth",
    "normal": "normals",
    "edge_occlusion": "edge",
}
TASKONOMY = {
    "depth_zbuffer": 1,
    "edge_occlusion": 1,
    "normal": 3,
    "segment_semantic": 7,
}
SYNCHRONIZER = {
    "image_size": released_model.IMAGE,
    "patch_size": released_model.PATCH,
    "hidden_dim": released_model.HIDDEN,
    "num_heads": released_model.HEADS,
    "num_layers": released_model.LAYERS["blocks"],
    "num_decoder_layers": released_model.LAYERS["decoder_blocks"],
}
SIZE = (32, 48)


def make_task(name, num_outputs):
    return tasks.semseg(num_outputs) if name == "semseg" else tasks.get(name)


def make_model(channels, kind=keras_s4t.TargetAdapter, **kwargs):
    """A model with random weights for the small released layout."""
    task_list = [make_task(*item) for item in channels.items()]
    backbone = ResNetBackbone(
        input_conv_filters=[released_model.STEM],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=list(released_model.WIDTHS),
        stackwise_num_blocks=list(released_model.NUM_BLOCKS),
        stackwise_num_strides=[1, 2],
        block_type="bottleneck_block",
    )
    network = models.MultiTaskModel(
        backbone, task_list, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    )
    method = keras_s4t.methods.S4T(
        task_list,
        latent_dim=released_model.LATENT,
        synchronizer=SYNCHRONIZER,
        mask_ratio=0.0,
        **kwargs,
    )
    return kind(network, method)


NYUD = {"semseg": 7, "depth": 1, "normals": 3, "edge": 1}


@functools.cache
def nyud_model():
    """One model for all tests that only load."""
    return make_model(NYUD)


def save(path, tensors, prefix="module."):
    """Saves arrays as the release does. Tensors are saved unchanged."""
    content = {
        f"{prefix}{name}": torch.tensor(x) if isinstance(x, np.ndarray) else x
        for name, x in tensors.items()
    }
    torch.save({"model": content, "epoch": 3}, path)
    return path


def load(path, tensors, model=None, order="named", **kwargs):
    """Loads a checkpoint of Taskonomy."""
    save(path, tensors, **kwargs)
    model = model or nyud_model()
    models.load_release_checkpoint(path, model, list(TASKONOMY), order)
    return model


def outputs_of(model, images):
    """Outputs of decoders, projections and synchronizer, as NumPy arrays."""
    network, method = model.network, model.method
    size = images.shape[1:3]
    features = network.encode(images)
    latents = method.project(features)
    projected = {
        name: keras_s4t.layers.resizing.resize_bilinear(
            method.projections[name].predict_task(latent), size
        )
        for name, latent in latents.items()
    }
    return [
        {name: ops.convert_to_numpy(x) for name, x in outputs.items()}
        for outputs in (
            network.decode(features, size),
            projected,
            method.predict_jointly(latents, size),
        )
    ]


def assert_near(received, expected, tolerance):
    """Asserts agreement relative to the largest magnitude."""
    assert received.shape == expected.shape
    error = np.abs(received - expected).max() / np.abs(expected).max()
    assert error < tolerance, error


@pytest.mark.parametrize("order", ["named", "released"])
@pytest.mark.parametrize(
    "kind", [keras_s4t.TargetAdapter, keras_s4t.SourceTrainer]
)
def test_computes_what_the_release_does(tmp_path, order, kind):
    model = make_model(NYUD, kind)
    assert model.method.missing == ("training",)
    tensors = released_model.make_tensors(TASKONOMY)
    load(tmp_path / "s4t.pth.tar", tensors, model, order)
    assert model.method.missing == ()
    rng = np.random.default_rng(5)
    images = rng.uniform(0, 255, (2, *SIZE, 3)).astype("float32")
    # At test time, the release finds heads by name and splits by position.
    cuts = TASKONOMY
    if order == "released":
        theirs = {own: name for name, own in OWN_NAMES.items()}
        cuts = {theirs[name]: TASKONOMY[theirs[name]] for name in NYUD}
    expected = released_model.compute(
        tensors, np.moveaxis(images / 127.5 - 1, -1, 1), cuts
    )
    received = outputs_of(model, images)
    for theirs, ours in zip(expected, received, strict=True):
        assert sorted(ours) == sorted(NYUD)
        for name, values in theirs.items():
            assert_near(ours[OWN_NAMES[name]], values, 1e-4)


# Order of the channels that a task is compared with.
@pytest.mark.parametrize(
    "source, target, expected",
    [
        (
            {"depth": 1, "edge": 1, "normals": 3, "semseg": 7},
            {"semseg": 7, "depth": 1, "normals": 3, "edge": 1},
            {
                "semseg": "depth0 edge0 normals0 normals1 normals2 semseg0 "
                "semseg1",
                "depth": "semseg2",
                "normals": "semseg3 semseg4 semseg5",
                "edge": "semseg6",
            },
        ),
        (
            {"semseg": 7, "depth": 1, "normals": 3, "edge": 1},
            {"depth": 1, "edge": 1, "normals": 3, "semseg": 7},
            {
                "semseg": "semseg5 semseg6 depth0 normals0 normals1 normals2 "
                "edge0",
                "depth": "semseg0",
                "normals": "semseg2 semseg3 semseg4",
                "edge": "semseg1",
            },
        ),
        (
            {"semseg": 6, "normals": 3, "edge": 1},
            {"edge": 1, "normals": 3, "semseg": 6},
            {
                "semseg": "semseg4 semseg5 normals0 normals1 normals2 edge0",
                "normals": "semseg1 semseg2 semseg3",
                "edge": "semseg0",
            },
        ),
    ],
    ids=["taskonomy_nyud", "nyud_taskonomy", "pascal_taskonomy"],
)
def test_released_configurations(tmp_path, source, target, expected):
    tags = [f"{name}{i}" for name, n in source.items() for i in range(n)]
    tensors = released_model.make_tensors(source)
    pixels = released_model.PATCH**2
    tensors["joint_dec.decoder_pred.bias"] = np.tile(
        np.arange(len(tags), dtype="float32"), pixels
    )
    path = save(tmp_path / "s4t.pth.tar", tensors)
    model = make_model(target)
    for order in ("named", "released"):
        models.load_release_checkpoint(path, model, list(source), order)
        for name, predictor in model.method.synchronizer.predictors.items():
            channels = ops.convert_to_numpy(predictor.bias)
            channels = channels.reshape(pixels, -1).astype(int)
            assert (channels == channels[0]).all()
            found = [tags[i] for i in channels[0]]
            own = [f"{name}{i}" for i in range(target[name])]
            assert found == (
                own if order == "named" else expected[name].split()
            )


def test_variants_of_a_checkpoint(tmp_path):
    tensors = released_model.make_tensors(TASKONOMY)
    path = tmp_path / "s4t.pth.tar"
    model = load(path, tensors)
    expected = tiny.numpy_values(model.variables)
    variants = [(tensors, "")]
    # Names of the other datasets, without embeddings and batch counters.
    renamed = {
        name: x
        for name, x in tensors.items()
        if "pos_embed" not in name and "num_batches" not in name
    }
    for theirs, own in OWN_NAMES.items():
        renamed = {
            name.replace(f"heads.{theirs}.", f"heads.{own}."): x
            for name, x in renamed.items()
        }
    assert "aux_heads.normals.linear_pred.bias" in renamed
    variants.append((renamed, "module."))
    # In half precision.
    rounded = {
        name: torch.tensor(x).to(torch.bfloat16) for name, x in tensors.items()
    }
    variants.append((rounded, "module."))
    for i, (variant, prefix) in enumerate(variants):
        tiny.fill(model)
        load(path, variant, prefix=prefix)
        received = tiny.numpy_values(model.variables)
        for a, b in zip(received, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=0.01 if i == 2 else 0)


def test_order_of_the_model_is_the_default(tmp_path):
    tensors = released_model.make_tensors(NYUD)
    path = save(tmp_path / "s4t.pth.tar", tensors)
    outcomes = []
    for arguments in ({}, {"tasks": list(NYUD)}, {"order": "released"}):
        tiny.fill(nyud_model())
        models.load_release_checkpoint(path, nyud_model(), **arguments)
        outcomes.append(tiny.numpy_values(nyud_model().variables))
    for values in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(values[0], values[1])
        np.testing.assert_array_equal(values[0], values[2])


def without(name):
    return lambda tensors: tensors.pop(name)


def with_value(name, value):
    return lambda tensors: tensors.update({name: value})


@pytest.mark.parametrize(
    "change, message",
    [
        (
            without("ts_comp.bias"),
            r"missing \['ts_comp.bias'\], unexpected \[\]",
        ),
        (
            without("aux_heads.normal.linear_pred.weight"),
            r"missing \['aux_heads.normals.linear_pred.weight'\]",
        ),
        (
            with_value("heads.saliency.linear_pred.bias", np.zeros(1)),
            r"missing \[\], unexpected \['heads.saliency.linear_pred.bias'\]",
        ),
        (
            with_value("heads.normal.linear_pred.bias", np.zeros(4)),
            r"heads.normals.linear_pred.bias \(4,\) instead of \(3,\)",
        ),
        (
            with_value("heads.normals.linear_pred.bias", np.zeros(3)),
            "contain every tensor once.*heads.normal",
        ),
        (with_value("ts_comp.bias", [1.0, 2.0]), "'module.ts_comp.bias' of ty"),
        (with_value("ts_comp.bias", pathlib.Path("x")), "contain only tensors"),
        (
            with_value("joint_dec.pos_embed", np.zeros((1, 9, 8))),
            r"'joint_dec.pos_embed' must have shape \(1, 16, 8\)",
        ),
        (
            with_value("joint_dec.decoder_pos_embed", np.zeros((1, 16, 8))),
            "must be the fixed sine-cosine embedding",
        ),
    ],
)
def test_other_tensors_are_refused(tmp_path, change, message):
    tensors = released_model.make_tensors(TASKONOMY)
    change(tensors)
    before = tiny.numpy_values(nyud_model().variables)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "s4t.pth.tar", tensors)
    assert not tiny.moved(nyud_model().variables, before)


def test_long_lists_are_cut(tmp_path):
    with pytest.raises(ValueError, match=r"and \d+ more, unexpected \['x'\]"):
        load(tmp_path / "s4t.pth.tar", {"x": np.zeros(1)})


@pytest.mark.parametrize("content", [{"state_dict": {}}, [1, 2]])
def test_other_files_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "s4t.pth.tar")
    with pytest.raises(ValueError, match="tensors under 'model'"):
        models.load_release_checkpoint(tmp_path / "s4t.pth.tar", nyud_model())


@pytest.mark.parametrize("content", ["truncated", "empty", "text"])
def test_damaged_files_are_named(tmp_path, content):
    path = tmp_path / "s4t.pth.tar"
    torch.save({"model": {"x": torch.zeros(100)}}, path)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "truncated": whole[: len(whole) // 2],
            "empty": b"",
            "text": b"no checkpoint",
        }[content]
    )
    with pytest.raises(ValueError, match=r"checkpoint must.*s4t\.pth\.tar"):
        models.load_release_checkpoint(path, nyud_model())


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_code_is_not_run(tmp_path):
    trace = tmp_path / "trace"
    content = {"model": {}, "config": Touch(trace)}
    torch.save(content, tmp_path / "s4t.pth.tar")
    with pytest.raises(ValueError, match="contain only tensors and plain"):
        models.load_release_checkpoint(tmp_path / "s4t.pth.tar", nyud_model())
    assert not trace.exists()


def test_other_arguments_are_refused(tmp_path):
    path = tmp_path / "never_read.pth.tar"
    load_checkpoint = models.load_release_checkpoint
    with pytest.raises(ValueError, match="order='legacy'"):
        load_checkpoint(path, nyud_model(), order="legacy")
    for names in (["depth"], [*TASKONOMY, "depth"], ["a", "b", "c", "d"]):
        with pytest.raises(ValueError, match="must be the method's tasks"):
            load_checkpoint(path, nyud_model(), names)
    compiled = tiny.make_adapter()
    with pytest.raises(ValueError, match="compiled after loading"):
        load_checkpoint(path, compiled)
    network = tiny.make_network()
    other = keras_s4t.TargetAdapter(network, keras_s4t.methods.BatchNormOnly())
    with pytest.raises(ValueError, match="must be S4T.*BatchNormOnly"):
        load_checkpoint(path, other)
    other = keras_s4t.TargetAdapter(network, tiny.make_s4t())
    with pytest.raises(ValueError, match="ResNet of keras-hub.*TinyBackbone"):
        load_checkpoint(path, other)


@functools.cache
def parity_data():
    """The module `state_dict`, all shapes and the expected arrays."""
    path = PARITY / "state_dict.py"
    spec = importlib.util.spec_from_file_location("state_dict", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shapes = json.loads((PARITY / "shapes.json").read_text())
    return module, shapes, dict(np.load(PARITY / "expected.npz"))


def parity_model(path):
    """The full model with the deterministic weights of the fixtures."""
    module, shapes, _ = parity_data()
    save(path, module.make_state_dict(shapes))
    task_list = [tasks.semseg(6), tasks.normals(), tasks.edge()]
    network = models.MultiTaskModel(
        models.resnet50(preset=None),
        task_list,
        mean=(0.0, 0.0, 0.0),
        std=(1 / 255, 1 / 255, 1 / 255),
    )
    method = keras_s4t.methods.S4T(task_list, mask_ratio=0.0, target_weight=1.0)
    model = keras_s4t.TargetAdapter(network, method)
    models.load_release_checkpoint(path, model)
    return model


def gradient_variables(model):
    """Variables that correspond to the tensors with known gradient norms."""
    layer = model.network.backbone.get_layer
    projections = [p.projection for p in model.method.projections.values()]
    synchronizer = model.method.synchronizer
    return {
        "backbone.conv1.weight": [layer("conv1_conv").kernel],
        "backbone.layer1.0.bn1.weight": [layer("stack0_block0_1_bn").gamma],
        "backbone.layer3.5.conv2.weight": [
            layer("stack2_block5_2_conv").kernel
        ],
        "joint_dec.patch_embed.proj.weight": list(
            synchronizer.patch_embedding.kernels.values()
        ),
        "joint_dec.blocks.2.attn.qkv.weight": [
            synchronizer.encoder.blocks[2].query_key_value.kernel
        ],
        "joint_dec.decoder_pred.weight": [
            p.kernel for p in synchronizer.predictors.values()
        ],
        "ts_comp.weight": [p.kernel for p in projections],
        "ts_comp.bias": [p.bias for p in projections],
    }


def differentiate(model, images, variables):
    """Loss, distances, moving statistics of the stem, and gradients."""
    method = model.method
    held = [
        v
        for v in model.network.variables + method.variables
        if not any(v is other for other in variables)
    ]
    held_values = [ops.convert_to_tensor(v) for v in held]
    norm = model.network.batch_norms[0]

    def loss_of(values):
        def target_loss():
            features = model.encode(images, keep_state=True)
            distances = method.distances(model, images, features)
            return method.target_loss(model, images, features), distances

        results, scope = run_on(
            target_loss, variables + held, [*values, *held_values]
        )
        loss, distances = results
        kept = [norm.moving_mean, norm.moving_variance]
        kept = [scope.get_current_value(v) for v in kept]
        names = sorted(distances)
        return loss, [*(distances[n] for n in names), *kept]

    values = [ops.convert_to_tensor(v.value) for v in variables]
    loss, (*distances, mean, variance), gradients = backend.value_and_grad(
        loss_of, values
    )
    names = sorted(method.projections)
    results = {"target_loss": loss}
    for name, distance in zip(names, distances, strict=True):
        results[f"distance_{name}"] = distance
    results["backbone.bn1.running_mean"] = mean
    results["backbone.bn1.running_var"] = variance
    results = {k: ops.convert_to_numpy(x) for k, x in results.items()}
    return results, [ops.convert_to_numpy(x) for x in gradients]


@pytest.mark.slow
@pytest.mark.skipif(not PARITY.is_dir(), reason="needs the parity data")
def test_parity_with_the_release(tmp_path):
    module, _, expected = parity_data()
    model = parity_model(tmp_path / "s4t.pth.tar")
    images = module.make_images()

    received = {}
    kinds = ("predictions", "projected", "joint")
    for kind, outputs in zip(kinds, outputs_of(model, images), strict=True):
        for name, x in outputs.items():
            received[f"{kind}_{name}"] = x[:, 1::4, 2::4]
    groups = gradient_variables(model)
    variables = [v for group in groups.values() for v in group]
    results, gradients = differentiate(model, images, variables)
    received |= results
    gradients = iter(gradients)
    for name, group in groups.items():
        squares = [np.square(next(gradients)).sum() for _ in group]
        received[f"grad_norm_{name}"] = np.sqrt(sum(squares))

    assert sorted(received) == sorted(expected)
    errors = {
        name: float(
            np.abs(received[name] - values).max() / np.abs(values).max()
        )
        for name, values in expected.items()
    }
    # Printed by `pytest -s`.
    for name, error in errors.items():
        print(f"{keras.backend.backend():10} {name:42} {error:.1e}")
    assert max(errors.values()) < 1e-3, errors
