"""Networks that users bring: cut, adapted, reset, saved."""

import keras
import numpy as np
import pytest
import tiny
from keras import layers
from tiny_mit import make_mit

import keras_s4t
from keras_s4t import tasks
from keras_s4t.models import MultiTaskModel

SIZE = 32


def make_images(count=4, channels=3, size=(SIZE, SIZE)):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (count, *size, channels)).astype("float32")


def conv(x, filters, strides=1, name=None, norm=layers.BatchNormalization):
    x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    return layers.ReLU(name=name)(norm()(x))


def make_unet(channels=3, norm=layers.BatchNormalization):
    """A U-Net whose skip connections leave it at `"first"` and `"second"`."""
    inputs = keras.Input((None, None, channels))
    first = conv(inputs, 6, name="first", norm=norm)
    second = conv(first, 8, 2, name="second", norm=norm)
    third = conv(second, 12, 2, name="third", norm=norm)
    x = layers.UpSampling2D()(third)
    x = conv(layers.Concatenate(name="join_2")([x, second]), 8, norm=norm)
    x = layers.UpSampling2D()(x)
    x = conv(layers.Concatenate(name="join_1")([x, first]), 6, norm=norm)
    return keras.Model(inputs, make_heads(x))


def make_heads(x):
    return {
        "depth": layers.Conv2D(1, 1, name="depth_head")(x),
        "semseg": layers.Conv2D(tiny.NUM_CLASSES, 1, name="semseg_head")(x),
    }


def make_nested():
    """A backbone of Keras inside, called as users call it."""
    backbone = keras.applications.MobileNetV2(
        include_top=False,
        weights=None,
        alpha=0.35,
        input_shape=(None, None, 3),
    )
    inputs = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    x = backbone(x)
    x = keras.Sequential([layers.Conv2D(8, 1), layers.ReLU()], name="neck")(x)
    return keras.Model(inputs, make_heads(x))


UNET_FEATURES = ["first", "second", "third"]


def make_network(model=None, features=UNET_FEATURES, **kwargs):
    model = model or make_unet()
    task_list = tiny.make_tasks(2)
    return MultiTaskModel.from_functional(model, task_list, features, **kwargs)


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A model of a user's own class, which keeps the contract."""

    def __init__(self, width=6, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.stem = layers.Conv2D(width, 3, 4, padding="same")
        self.stem_norm = layers.BatchNormalization()
        self.deep = layers.Conv2D(width, 3, 2, padding="same")
        self.neck_norm = layers.BatchNormalization()
        self.heads = {
            "semseg": layers.Conv2D(tiny.NUM_CLASSES, 1),
            "depth": layers.Conv2D(1, 1),
        }

    def encode(self, images, training=False):
        fine = self.stem_norm(self.stem(images), training=training)
        return {"fine": fine, "coarse": self.deep(fine)}

    def decode(self, features, training=False):
        x = keras.ops.relu(features["fine"])
        size = keras.ops.shape(x)[1:3]
        x = x + keras.ops.image.resize(features["coarse"], size)
        x = self.neck_norm(x, training=training)
        return {name: head(x) for name, head in self.heads.items()}

    def get_config(self):
        return {"width": self.width, "name": self.name}


def make_subclassed(**kwargs):
    return MultiTaskModel.from_subclassed(
        Subclassed(), tiny.make_tasks(2), **kwargs
    )


def numpy(x):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, x)


@pytest.mark.eager
@pytest.mark.parametrize("image_range", [(0, 255), (0, 1), (-1, 1)])
def test_a_network_predicts_what_its_model_does(image_range):
    model = make_unet()
    network = make_network(model, image_range=image_range)
    tiny.fill(model)
    images = make_images(size=(32, 40))
    low, high = image_range
    scaled = low + images / 255 * (high - low)
    expected = model.predict_on_batch(scaled)
    for name, x in network.predict_on_batch(images).items():
        np.testing.assert_allclose(x, expected[name], rtol=1e-4, atol=1e-4)


@pytest.mark.eager
def test_layers_of_nested_models_are_found():
    model = make_nested()
    network = make_network(model, ["block_6_expand_relu", "out_relu"])
    assert sorted(network.encoder.output) == ["P3", "P5"]
    assert len(network.batch_norms) == 52
    images = make_images(2, size=(64, 64))
    expected = model.predict_on_batch(images)
    for name, x in network.predict_on_batch(images).items():
        # The network resizes to the images.
        assert x.shape[1:3] == (64, 64)
        resized = keras.ops.image.resize(expected[name], (64, 64))
        np.testing.assert_allclose(x, numpy(resized), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "make",
    [make_network, pytest.param(make_subclassed, marks=pytest.mark.eager)],
)
@pytest.mark.parametrize(
    "name",
    [
        "S4T",
        "Tent",
        pytest.param("BatchNormOnly", marks=pytest.mark.eager),
        pytest.param("TIPI", marks=pytest.mark.eager),
    ],
)
def test_adaptation_and_reset(make, name):
    network = make()
    task_list = network.tasks
    method = (
        tiny.make_s4t(task_list)
        if name == "S4T"
        else keras_s4t.methods.get(name)
    )
    adapter = keras_s4t.TargetAdapter(network, method)
    adapter.compile(keras.optimizers.SGD(1e-2))
    source = tiny.numpy_values(network.variables)
    num_norms = 2 if make is make_network else 1
    assert len(network.decoder_batch_norms) == num_norms
    adapter.fit(
        keras_s4t.data.online_stream(make_images(), 2, batch_size=2), verbose=0
    )
    assert tiny.moved(network.variables, source)
    statistics = network.decoder_batch_norms[0].moving_mean
    follows = name in ("S4T", "BatchNormOnly", "TIPI")
    position = [v is statistics for v in network.variables].index(True)
    assert (np.abs(numpy(statistics) - source[position]).max() > 0) == follows
    adapter.reset()
    assert not tiny.moved(network.variables, source)


@pytest.mark.eager
@pytest.mark.parametrize("make", [make_network, make_subclassed])
def test_source_training(make):
    network = make()
    trainer = keras_s4t.SourceTrainer(network, tiny.make_s4t(network.tasks))
    trainer.compile(keras.optimizers.Adam(1e-2))
    arrays = tiny.make_arrays(8, size=(SIZE, SIZE), count=2)
    batches = keras_s4t.data.ArrayBatches(arrays, 4)
    losses = trainer.fit(batches, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.eager
@pytest.mark.parametrize("make", [make_network, make_subclassed])
def test_saving(make, tmp_path):
    network = make()
    tiny.fill(network)
    network.batch_norms[0].trainable = False
    adapter = keras_s4t.TargetAdapter(network, tiny.make_s4t(network.tasks))
    adapter.save(tmp_path / "adapter.keras")
    loaded = keras.saving.load_model(tmp_path / "adapter.keras")
    images = make_images()
    expected = network.predict_on_batch(images)
    for name, x in loaded.network.predict_on_batch(images).items():
        np.testing.assert_array_equal(x, expected[name])
    flags = [norm.trainable for norm in loaded.network.batch_norms]
    assert flags == [norm.trainable for norm in network.batch_norms]
    assert not flags[0] and flags[1]


@pytest.mark.eager
def test_the_encoder_of_a_subclassed_model_is_what_encode_reads():
    network = make_subclassed()
    names = {v.path.split("/")[-2] for v in network.encoder.variables}
    model = network.backbone.layers[-1].model
    assert names == {x.name for x in (model.stem, model.stem_norm, model.deep)}
    assert network.encoder_batch_norms == [model.stem_norm]
    assert network.decoder_batch_norms == [model.neck_norm]
    assert network.batch_norms == [model.stem_norm, model.neck_norm]


@pytest.mark.eager
@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_other_channels(channels):
    network = make_network(make_unet(channels))
    adapter = keras_s4t.TargetAdapter(network, tiny.make_s4t(network.tasks))
    adapter.compile()
    images = make_images(channels=channels)
    values = adapter.adapt(images)
    assert values["depth"].shape == (4, SIZE, SIZE, 1)
    adapter.fit(keras_s4t.data.online_stream(images, batch_size=2), verbose=0)
    with pytest.raises(ValueError, match=f"height, width, {channels}"):
        adapter.adapt(make_images())


@pytest.mark.eager
@pytest.mark.parametrize(
    "norm", [layers.LayerNormalization, lambda: layers.GroupNormalization(2)]
)
@pytest.mark.parametrize("name", ["Tent", "TIPI", "S4T"])
def test_networks_without_batch_norm(norm, name):
    network = make_network(make_unet(norm=norm))

    def make(update):
        if name == "S4T":
            return tiny.make_s4t(network.tasks, update=update)
        return keras_s4t.methods.METHODS[name](update=update)

    adapter = keras_s4t.TargetAdapter(network, make("batch_norm"))
    adapter.compile()
    with pytest.raises(ValueError, match='5 group, layer.*`update="norms"`'):
        adapter.adapt(make_images())
    control = keras_s4t.TargetAdapter(
        network, keras_s4t.methods.BatchNormOnly()
    )
    control.compile()
    with pytest.raises(ValueError, match="no statistics that could follow"):
        control.adapt(make_images())

    adapter = keras_s4t.TargetAdapter(network, make("norms"))
    adapter.compile(keras.optimizers.SGD(1e-2))
    tiny.fill(network)
    source = tiny.numpy_values(network.variables)
    adapter.adapt(make_images())
    # The decoder's two have no gradient of S4T's.
    assert len(adapter.updated_variables) == (6 if name == "S4T" else 10)
    moved = [
        v.path.split("/")[-1]
        for v, before in zip(network.variables, source, strict=True)
        if np.any(numpy(v) != before)
    ]
    assert moved and set(moved) <= {"gamma", "beta"}
    adapter.reset()
    assert not tiny.moved(network.variables, source)


def with_softmax():
    model = make_unet()
    outputs = dict(model.output)
    outputs["semseg"] = layers.Softmax(name="probabilities")(outputs["semseg"])
    return keras.Model(model.input, outputs)


def with_two_inputs():
    first, second = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    x = layers.Concatenate()([first, second])
    return keras.Model([first, second], make_heads(x))


def with_one_name_twice():
    inputs = keras.Input((None, None, 3))
    x = inputs
    for name in ("first", "second"):
        inner = keras.Input((None, None, x.shape[-1]))
        outputs = layers.Conv2D(3, 3, 2, padding="same", name="Conv1")(inner)
        x = keras.Model(inner, outputs, name=name)(x)
    return keras.Model(inputs, make_heads(x))


def with_other_outputs():
    model = make_unet()
    return keras.Model(model.input, {"semseg": model.output["semseg"]})


@pytest.mark.eager
@pytest.mark.parametrize(
    "make, features, message",
    [
        (make_unet, ["second", "third"], "skip.*'first'.*'join_1'"),
        (make_unet, ["third"], "skip connection around.*'(first|second)'"),
        (make_unet, ["thirds"], "names of layers.*'thirds'.*'third'"),
        (make_unet, [], "must be a list of names"),
        (make_unet, "third", "must be a list of names.*'third'"),
        (with_one_name_twice, ["first/end"], "different names.*'Conv1'"),
        (make_unet, ["first", "second", "third", "join_1"], "different strid"),
        (with_softmax, UNET_FEATURES, "logits.*'probabilities'"),
        (with_two_inputs, ["concatenate"], "one input"),
        (with_other_outputs, UNET_FEATURES, r"keys \['semseg', 'depth'\]"),
        (Subclassed, ["stem"], "functional or sequential.*a Subclassed"),
        (make_nested, ["neck"], None),
    ],
)
def test_models_that_cannot_be_cut(make, features, message):
    if message is None:
        assert make_network(make(), features).features_shape.keys() == {"P5"}
        return
    with pytest.raises(ValueError, match=message):
        make_network(make(), features)


@pytest.mark.eager
def test_a_pinned_training_argument_is_told():
    inputs = keras.Input((None, None, 3))
    inner = keras.Input((None, None, 3))
    nested = keras.Model(inner, conv(inner, 4, 2, name="end"), name="nested")
    model = keras.Model(inputs, make_heads(nested(inputs, training=False)))
    with pytest.warns(UserWarning, match=r"`training=...`.*\['nested'\]"):
        make_network(model, ["end"])


@pytest.mark.eager
def test_wrong_ranges_and_channels():
    for image_range in ((1, 0), (0, np.inf)):
        with pytest.raises(ValueError, match="pair of finite numbers"):
            make_network(image_range=image_range)
    with pytest.raises(ValueError, match="`mean` and `std` must hold"):
        MultiTaskModel(
            tiny.TinyBackbone(), tiny.make_tasks(), mean=(0.5,), std=(0.5,)
        )


class WithoutDecode(Subclassed):
    decode = None


class WithoutNames(Subclassed):
    def encode(self, images, training=False):
        return list(super().encode(images, training).values())


@pytest.mark.eager
@pytest.mark.parametrize(
    "cls, message",
    [
        (WithoutDecode, "without `decode`"),
        (WithoutNames, "must return a dict of features"),
    ],
)
def test_broken_contracts(cls, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskModel.from_subclassed(cls(), tiny.make_tasks(2))


@pytest.mark.eager
def test_a_sequential_model():
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2D(4, 3, 2, padding="same"),
            layers.BatchNormalization(name="end"),
            layers.Conv2D(1, 1),
        ]
    )
    model.compile("sgd", "mse")
    network = MultiTaskModel.from_functional(model, [tasks.depth()], ["end"])
    images = make_images()
    adapter = keras_s4t.TargetAdapter(
        network, keras_s4t.methods.BatchNormOnly()
    )
    adapter.compile()
    assert adapter.adapt(images)["depth"].shape == (4, SIZE, SIZE, 1)
    adapter.reset()
    config = MultiTaskModel.get_config(network)
    assert type(network).from_config(config).features_shape.keys() == {"P1"}


def make_applications():
    """A network of `keras.applications`, its layers in the model itself."""
    inputs = keras.Input((None, None, 3))
    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, alpha=0.35, input_tensor=inputs
    )
    x = backbone.get_layer("block_6_expand_relu").output
    return keras.Model(inputs, make_heads(x))


def make_applications_network():
    """Two levels of a MobileNet, and a head."""
    return make_network(
        make_applications(),
        ["block_3_expand_relu", "block_6_expand_relu"],
        image_range=(-1, 1),
    )


def make_segformer_network():
    """The encoder of SegFormer, of keras-hub, and a small head."""
    backbone = make_mit(SIZE)
    levels = list(backbone.pyramid_outputs.values())
    features = [level._keras_history.operation.name for level in levels]
    low, high = (layers.Conv2D(6, 1)(level) for level in levels)
    x = layers.Concatenate()([low, layers.UpSampling2D()(high)])
    x = layers.UpSampling2D(4, interpolation="bilinear")(x)
    model = keras.Model(backbone.inputs, make_heads(x))
    return make_network(model, features, image_range=(0, 1))


# keras-hub's encoder has dropout of its own.
@pytest.mark.filterwarnings("ignore:.*random in training")
@pytest.mark.eager
@pytest.mark.parametrize("name", ["S4T", "Tent"])
@pytest.mark.parametrize(
    "make", [make_applications_network, make_segformer_network]
)
def test_networks_of_libraries_adapt_and_return(make, name):
    network = make()
    method = tiny.make_s4t(network.tasks)
    if name == "Tent":
        # SegFormer has layer norms alone.
        method = keras_s4t.methods.Tent(update="norms")
    adapter = keras_s4t.TargetAdapter(network, method)
    adapter.compile(keras.optimizers.SGD(1e-2))
    source = tiny.numpy_values(network.variables)
    adapter.adapt(make_images())
    assert tiny.moved(network.variables, source)
    adapter.reset()
    assert not tiny.moved(network.variables, source)


@pytest.mark.eager
def test_one_tensor_for_one_task():
    inputs = keras.Input((None, None, 3))
    x = conv(inputs, 4, 2, name="end")
    model = keras.Model(inputs, layers.Conv2D(1, 1)(x))
    network = MultiTaskModel.from_functional(model, [tasks.depth()], ["end"])
    assert network.predict_on_batch(make_images())["depth"].shape[1] == SIZE


@pytest.mark.eager
def test_dropout_is_told():
    inputs = keras.Input((None, None, 3))
    x = layers.Dropout(0.1, name="drop")(conv(inputs, 4, 2, name="end"))
    model = keras.Model(inputs, make_heads(x))
    adapter = keras_s4t.TargetAdapter(
        make_network(model, ["end"]), keras_s4t.methods.BatchNormOnly()
    )
    adapter.compile()
    with pytest.warns(UserWarning, match="random in training.*'drop'"):
        adapter.adapt(make_images())
    adapter.adapt(make_images())


@pytest.mark.eager
@pytest.mark.parametrize("name", ["TTTPlusPlus", "S4TImageRecon"])
def test_methods_of_colors(name):
    network = make_network(make_unet(channels=1))
    with pytest.raises(ValueError, match="3 channels of RGB.*1 channels"):
        keras_s4t.TargetAdapter(network, keras_s4t.methods.get(name))


def make_shared():
    """A convolution and a batch norm that are called twice, on both sides."""
    inputs = keras.Input((None, None, 3))
    convolve = layers.Conv2D(6, 3, padding="same", name="shared_conv")
    norm = layers.BatchNormalization(name="shared_norm")
    x = norm(convolve(conv(inputs, 6, 2)))
    x = layers.ReLU(name="cut")(norm(convolve(x)))
    x = layers.UpSampling2D()(norm(convolve(x)))
    return keras.Model(inputs, make_heads(x))


def test_layers_that_are_called_twice():
    model = make_shared()
    images = make_images()
    expected = numpy(model(images))
    network = make_network(model, ["cut"])
    predictions = network.predict(images, verbose=0)
    for name, value in expected.items():
        np.testing.assert_allclose(predictions[name], value, atol=1e-5)
    assert len(network.batch_norms) == 2
    # One for each call.
    assert len(network.tapped_batch_norms) == 3
    shapes = network.tapped_encoder.shapes(("norm_*",), (8, 8))
    assert list(shapes.values()) == [(None, 4, 4, 6)] * 3


@pytest.mark.eager
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("fused_norms", [True, False])
def test_moments_of_activations(channels, fused_norms):
    def norm():
        # One that is not fused.
        return layers.BatchNormalization(renorm=channels == 4)

    network = make_network(
        make_unet(channels, norm), image_range=(0, 1), fused_norms=fused_norms
    )
    method = keras_s4t.methods.ActMAD((SIZE, SIZE))
    adapter = keras_s4t.TargetAdapter(network, method)
    adapter.compile()
    images = make_images(channels=channels)
    adapter.collect([images], verbose=0)
    before = adapter.predict(images, verbose=0)
    adapter.adapt(images / 2)
    adapter.reset()
    after = adapter.predict(images, verbose=0)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)


def make_spectral():
    def normalized(x, filters, strides, name):
        inner = layers.Conv2D(filters, 3, strides, padding="same")
        x = layers.SpectralNormalization(inner, power_iterations=50)(x)
        return layers.ReLU(name=name)(layers.BatchNormalization()(x))

    inputs = keras.Input((None, None, 3))
    x = normalized(inputs, 6, 2, "first")
    return keras.Model(inputs, make_heads(normalized(x, 8, 2, "second")))


def spectral_kernels(network):
    return {
        v.path: keras.ops.convert_to_numpy(v)
        for v in network.weights
        if "spectral" in v.path and v.path.endswith("kernel")
    }


def largest_singular_value(kernel):
    return np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2)


@pytest.mark.eager
def test_layers_that_write_their_kernels():
    network = make_network(make_spectral(), ["second"])
    images = make_images()
    adapter = keras_s4t.TargetAdapter(network, keras_s4t.methods.Tent())
    adapter.compile(keras.optimizers.SGD(1e-2))
    before = spectral_kernels(network)
    assert len(before) == 2
    adapter.adapt(images)
    after = spectral_kernels(network)
    for name, kernel in before.items():
        np.testing.assert_array_equal(after[name], kernel)
    adapter.reset()
    # Source training predicts with the kernels that it trained.
    method = keras_s4t.methods.SourceOnly()
    trainer = keras_s4t.SourceTrainer(network, method)
    trainer.compile(keras.optimizers.SGD(0.0))
    images, labels, _ = tiny.make_arrays(4, size=(SIZE, SIZE), count=2)
    trainer.fit(images, labels, verbose=0)
    for name, kernel in spectral_kernels(network).items():
        sigma = largest_singular_value(before[name])
        np.testing.assert_allclose(kernel, before[name] / sigma, rtol=1e-2)


def probabilities(kind):
    inputs = keras.Input((None, None, 3))
    x = conv(inputs, 6, 2, name="first")
    heads = make_heads(x)
    logits = heads["semseg"]
    heads["semseg"] = {
        "operation": lambda: keras.ops.softmax(logits),
        "resized": lambda: layers.UpSampling2D()(layers.Softmax()(logits)),
        "cast": lambda: layers.Activation("linear", dtype="float32")(
            layers.Activation("softmax")(logits)
        ),
    }[kind]()
    return keras.Model(inputs, heads)


@pytest.mark.eager
@pytest.mark.parametrize("kind", ["operation", "resized", "cast"])
def test_probabilities_of_classes(kind):
    with pytest.raises(ValueError, match="must be logits.* a softmax in"):
        make_network(probabilities(kind), ["first"])


@pytest.mark.eager
def test_sigmoids_where_logits_are_wanted():
    inputs = keras.Input((None, None, 3))
    x = conv(inputs, 6, 2, name="first")
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    with pytest.raises(ValueError, match="must be logits.* a sigmoid in"):
        MultiTaskModel.from_functional(
            model, [tasks.binary("saliency")], ["first"]
        )
    # These are trained as they are.
    MultiTaskModel.from_functional(model, [tasks.edge(loss="l1")], ["first"])


class WithProbabilities(Subclassed):
    def decode(self, features, training=False):
        outputs = super().decode(features, training)
        return {**outputs, "semseg": keras.ops.softmax(outputs["semseg"])}


@pytest.mark.eager
def test_probabilities_of_a_subclassed_model():
    with pytest.raises(ValueError, match="must be logits.* sum to 1"):
        MultiTaskModel.from_subclassed(WithProbabilities(), tiny.make_tasks(2))


@pytest.mark.eager
@pytest.mark.parametrize("image_range", [1, None, ("a", 1), (0, 1, 2)])
def test_ranges_that_are_no_pair(image_range):
    with pytest.raises(ValueError, match="`image_range` must be a pair"):
        make_network(image_range=image_range)


@pytest.mark.eager
def test_layers_are_given_by_their_names():
    model = make_unet()
    features = [model.get_layer(name) for name in UNET_FEATURES]
    with pytest.raises(ValueError, match="`features` must be a list of names"):
        make_network(model, features)
    with pytest.raises(ValueError, match="`features` must be a list of names"):
        make_network(model, [layer.output for layer in features])


@pytest.mark.eager
def test_channels_first():
    inputs = keras.Input((None, None, 3))
    x = layers.Permute((3, 1, 2))(inputs)
    x = layers.Conv2D(
        6, 3, 2, padding="same", data_format="channels_first", name="first"
    )(x)
    x = layers.Permute((2, 3, 1))(x)
    with pytest.raises(ValueError, match="`features` must be layers that"):
        make_network(keras.Model(inputs, make_heads(x)), ["first"])
    inputs = keras.Input((3, None, None))
    x = layers.Permute((2, 3, 1), name="first")(inputs)
    with pytest.raises(ValueError, match="`model` must take images of shape"):
        make_network(keras.Model(inputs, make_heads(x)), ["first"])
