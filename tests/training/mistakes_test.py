"""Mistakes of a user, each with an answer in the call that is wrong."""

import warnings

import keras
import numpy as np
import pytest
import tiny

import keras_s4t
from keras_s4t import tasks
from keras_s4t.methods import S4T
from keras_s4t.training import task_trainer


def make_adapter(name="Tent", task_list=None):
    network = tiny.make_network(task_list)
    adapter = keras_s4t.TargetAdapter(network, keras_s4t.methods.get(name))
    tiny.mark_done(adapter.method)
    return adapter


def make_trainer(task_list=None):
    trainer = keras_s4t.SourceTrainer(
        tiny.make_network(task_list), keras_s4t.methods.SourceOnly()
    )
    trainer.compile("sgd")
    return trainer


def freeze(layers):
    for layer in layers:
        layer.trainable = False


# === What would move nothing ===


@pytest.mark.eager
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Tent", "Tent must have variables to update.*2 batch norms, 0 of"),
        ("TIPI", "TIPI must have variables to update"),
        ("BatchNormOnly", "BatchNormOnly must have trainable batch norms"),
    ],
)
def test_frozen_batch_norms(name, message):
    adapter = make_adapter(name)
    freeze(adapter.network.batch_norms)
    adapter.compile()
    images, *_ = tiny.make_arrays(4)
    before = tiny.numpy_values(adapter.variables)
    for call in (adapter.adapt, adapter.train_on_batch, adapter.fit):
        with pytest.raises(ValueError, match=f"{message}.*"):
            call(images)
    assert not tiny.moved(adapter.variables, before)


@pytest.mark.eager
def test_some_frozen_layers_are_told_once():
    adapter = make_adapter("Tent")
    freeze(adapter.network.batch_norms[:1])
    adapter.compile()
    images, *_ = tiny.make_arrays(4)
    with pytest.warns(UserWarning, match="1 layers of the encoder are frozen"):
        adapter.adapt(images)
    adapter.adapt(images)
    text = adapter.describe_updates()
    assert "Tent updates 2 variables (24 values)" in text
    assert "1 of 2 batch norms" in text


def test_the_source_only_control_moves_nothing_by_design():
    adapter = make_adapter("SourceOnly")
    freeze(adapter.network.batch_norms)
    adapter.compile()
    images, *_ = tiny.make_arrays(4)
    adapter.adapt(images)


@pytest.mark.eager
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("hub", [True, False])
def test_freezing_survives_saving(tmp_path, whole, hub):
    network = tiny.make_network()
    if hub:
        network = keras_s4t.models.MultiTaskModel(
            keras_s4t.models.resnet_tiny(), tiny.make_tasks()
        )
    if whole:
        network.backbone.trainable = False
    else:
        network.batch_norms[0].trainable = False
        network.decoders["depth"].trainable = False
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    flags = [
        [norm.trainable for norm in model.batch_norms]
        + [layer.trainable for layer in model.decoders.values()]
        for model in (network, loaded)
    ]
    assert flags[0] == flags[1] and False in flags[1]
    count = len(network.trainable_variables)
    assert len(loaded.trainable_variables) == count
    images, *_ = tiny.make_arrays(2, size=(32, 32))
    for name, x in network.predict_on_batch(images).items():
        np.testing.assert_array_equal(x, loaded.predict_on_batch(images)[name])


@pytest.mark.eager
def test_freezing_after_compile():
    trainer = make_trainer()
    trainer.network.backbone.trainable = False
    arrays = keras_s4t.data.ArrayBatches(tiny.make_arrays(4), 4)
    with pytest.raises(ValueError, match="`compile` must be called again"):
        trainer.fit(arrays, verbose=0)
    trainer.compile("sgd")
    before = tiny.numpy_values(trainer.network.backbone.weights)
    trainer.fit(arrays, verbose=0)
    assert not tiny.moved(trainer.network.backbone.weights, before)


# === Data ===


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [(lambda x: x / 255, "0", "1"), (lambda x: x / 128 - 1, "-1", "0.992")],
)
def test_images_of_another_range(change, low, high):
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter()
    adapter.compile()
    data = change(images)
    message = r"must be in 0 \.\.\. 255.*Received: values in \["
    with pytest.warns(UserWarning, match=message):
        adapter.fit(data, verbose=0)
    # Once.
    adapter.fit(data, verbose=0)


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        ("depth", lambda x: x * 1000, "meters.*median of .*millimeters"),
        ("normals", lambda x: (x + 1) * 127.5, "unit vectors.*median length"),
        ("edge", lambda x: x * 255, r"in \[0, 1\].*values in"),
    ],
)
def test_labels_of_another_unit(task, change, message):
    images, labels, masks = tiny.make_arrays(4, count=4)
    labels[task] = change(labels[task]).astype("float32")
    trainer = make_trainer(tiny.make_tasks(4))
    batches = keras_s4t.data.ArrayBatches((images, labels, masks), 4)
    with pytest.warns(UserWarning, match=message):
        trainer.evaluate(batches, verbose=0)


def test_ids_that_are_no_classes():
    images, labels, masks = tiny.make_arrays(4)
    labels["semseg"][:, 0, 0] = [10, 11, 12, 13]
    masks["semseg"][:, 0, 0] = 1
    trainer = make_trainer()
    batches = keras_s4t.data.ArrayBatches((images, labels, masks), 4)
    before = tiny.numpy_values(trainer.variables)
    message = r"ids of its 4 classes.*Received: ids \[10, 11, 12, 13\]"
    for call in (trainer.fit, trainer.evaluate):
        with pytest.raises(ValueError, match=message):
            call(batches, verbose=0)
    assert not tiny.moved(trainer.variables, before)


def test_negative_masks():
    images, labels, masks = tiny.make_arrays(4)
    masks["depth"][0] = -1
    batches = keras_s4t.data.ArrayBatches((images, labels, masks), 4)
    with pytest.raises(ValueError, match="'depth' must not be negative"):
        make_trainer().evaluate(batches, verbose=0)


def test_no_label_is_no_perfect_score():
    images, labels, masks = tiny.make_arrays(4)
    masks = {name: 0 * mask for name, mask in masks.items()}
    batches = keras_s4t.data.ArrayBatches((images, labels, masks), 4)
    logs = make_trainer().evaluate(batches, verbose=0, return_dict=True)
    metrics = {k: v for k, v in logs.items() if k != "loss"}
    assert (
        len(metrics) == tiny.NUM_TASKS
        and np.isnan(list(metrics.values())).all()
    )


# === Arguments ===


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": None}, "`optimizer` must be"),
        ({"optimizer": keras.optimizers.SGD(np.nan)}, "learning rate must"),
        (
            {"optimizer": keras.optimizers.AdamW(use_ema=True)},
            "exponential moving average",
        ),
        ({"optimizer": "sgd", "loss": "mse"}, "`compile` takes none"),
        (
            {"optimizer": "sgd", "weighted_metrics": ["mse"]},
            "`compile` takes none",
        ),
    ],
)
def test_wrong_arguments_of_compile(arguments, message):
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        make_adapter().compile(**arguments)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: S4T([]), "different names"),
        (lambda: S4T([tasks.depth(), tasks.depth()]), "different names"),
        (lambda: S4T(tiny.make_tasks(), latent_dim=0), "latent_dim"),
        (lambda: S4T(tiny.make_tasks(), latent_dim=2.5), "latent_dim"),
        (lambda: S4T(tiny.make_tasks(), target_weight=np.nan), "target_weight"),
        (
            lambda: S4T(tiny.make_tasks(), source_weights=(1, -1)),
            "source_weights",
        ),
        (lambda: tasks.depth(weight=np.nan), "weight"),
    ],
)
def test_wrong_arguments_of_methods(make, message):
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        make()


TRAINERS = (keras_s4t.SourceTrainer, keras_s4t.TargetAdapter)


@pytest.mark.parametrize("cls", TRAINERS)
def test_methods_by_name(cls):
    trainer = cls(tiny.make_network(), "SourceOnly")
    assert type(trainer.method) is keras_s4t.methods.SourceOnly


@pytest.mark.parametrize("cls", TRAINERS)
@pytest.mark.parametrize("method", ["Nothing", S4T, ["Tent"], None, 3])
def test_what_is_no_method(cls, method):
    with pytest.raises(ValueError, match="must be one of .*'Tent'.*Received"):
        cls(tiny.make_network(), method)


@pytest.mark.parametrize("cls", TRAINERS)
def test_what_is_no_network(cls):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
    with pytest.raises(ValueError, match="from_functional.*Received: a Func"):
        cls(model, keras_s4t.methods.SourceOnly())


@pytest.mark.parametrize(
    "task_list",
    [tiny.make_tasks(3), tiny.make_tasks(2)[::-1], [tasks.semseg(7)]],
)
def test_tasks_of_another_network(task_list):
    with pytest.raises(ValueError, match="must be those of the network"):
        keras_s4t.SourceTrainer(
            tiny.make_network(tiny.make_tasks(2)), tiny.make_s4t(task_list)
        )


def test_an_untrained_method_in_a_single_step():
    adapter = keras_s4t.TargetAdapter(
        tiny.make_network(),
        S4T(tiny.make_tasks(), synchronizer=tiny.SYNCHRONIZER),
    )
    adapter.compile()
    images, *_ = tiny.make_arrays(4)
    with pytest.raises(ValueError, match="S4T must be prepared on the source"):
        adapter.train_on_batch(images)


@pytest.mark.parametrize("channels", [1, 4])
def test_a_backbone_for_other_images(channels):
    inputs = keras.Input((None, None, channels))
    outputs = keras.layers.Conv2D(4, 3, strides=4)(inputs)
    backbone = keras.Model(inputs, outputs)
    backbone.pyramid_outputs = {"P2": outputs}
    with pytest.raises(ValueError, match=f"`mean` and `std`.*{channels} for"):
        keras_s4t.models.MultiTaskModel(backbone, tiny.make_tasks())


def test_channels_first():
    backbone = tiny.TinyBackbone()
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="channels_last.*channels_first"):
            keras_s4t.models.MultiTaskModel(backbone, tiny.make_tasks())
    finally:
        keras.config.set_image_data_format("channels_last")


def make_shuffled(images, labels):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((images, labels))
    return dataset.shuffle(8, seed=0).batch(4)


@pytest.mark.eager
def test_a_source_that_shuffles_is_looked_at_when_it_is_read():
    images, labels, _ = tiny.make_arrays(8)
    labels["semseg"] = np.where(labels["semseg"] == 255, 255, 12)
    trainer = make_trainer()
    before = tiny.numpy_values(trainer.variables)
    with pytest.raises(ValueError, match=r"ids of its 4 classes.*ids \[12\]"):
        trainer.fit(make_shuffled(images, labels), verbose=0)
    assert not tiny.moved(trainer.variables, before)


@pytest.mark.eager
def test_looking_at_a_source_moves_no_random_state(monkeypatch):
    images, labels, _ = tiny.make_arrays(8)
    trained = []
    for looks in (True, False):
        if not looks:
            monkeypatch.setattr(
                task_trainer, "look_when_read", lambda x, look: (x, [])
            )
        keras.utils.set_random_seed(0)
        trainer = make_trainer()
        trainer.fit(make_shuffled(images, labels), epochs=2, verbose=0)
        trained.append(tiny.numpy_values(trainer.network.variables))
    for value, expected in zip(*trained, strict=True):
        np.testing.assert_array_equal(value, expected)


# === Source training ===


def test_nothing_to_train():
    trainer = make_trainer()
    trainer.network.trainable = False
    trainer.compile("sgd")
    batches = keras_s4t.data.ArrayBatches(tiny.make_arrays(4), 4)
    with pytest.raises(ValueError, match="must have trainable variables"):
        trainer.fit(batches, verbose=0)


def test_averaging_inside_loss_scaling():
    optimizer = keras.optimizers.SGD(1e-2, use_ema=True)
    optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    with pytest.raises(ValueError, match="exponential moving average"):
        make_adapter().compile(optimizer)


# === What generators hold, and masks ===


def damaged_labels(images, labels, masks):
    return images, {**labels, "semseg": labels["semseg"] * 0 + 12}, masks


@pytest.mark.eager
@pytest.mark.parametrize("verb", ["fit", "evaluate"])
@pytest.mark.parametrize("streamed", [True, False])
def test_generators_are_looked_at(verb, streamed):
    images, labels, masks = tiny.make_arrays(4)
    adapter = make_adapter()
    adapter.compile()
    before = tiny.numpy_values(adapter.variables)

    def call(*batches):
        batches = (batch for batch in batches)
        if streamed:
            batches = keras_s4t.data.online_stream(batches, steps=2)
        getattr(adapter, verb)(batches, verbose=0)

    with pytest.raises(ValueError, match="must be ids of its 4 classes"):
        call(damaged_labels(images, labels, masks))
    with pytest.raises(ValueError, match="must have the shape"):
        call((images, {**labels, "depth": labels["depth"][..., 0]}))
    assert not tiny.moved(adapter.variables, before)
    with pytest.warns(UserWarning, match="must be in 0 ... 255"):
        call((images / 255, labels))


def test_the_first_batch_of_a_generator_is_not_lost():
    images, *_ = tiny.make_arrays(8)
    adapter = make_adapter()
    adapter.compile()
    adapter.fit((x for x in (images[:4], images[4:], images[:4])), verbose=0)
    assert int(adapter.optimizer.iterations) == 3


def test_epochs_of_a_generator():
    images, *_ = tiny.make_arrays(4)
    adapter = make_adapter()
    adapter.compile()
    with pytest.raises(ValueError, match="`epochs` must be 1.*epochs=3"):
        adapter.fit((images for _ in range(3)), epochs=3, verbose=0)


@pytest.mark.parametrize(
    "verb", [pytest.param("evaluate", marks=pytest.mark.eager), "predict"]
)
def test_the_end_of_a_generator_is_no_mistake(verb):
    images, labels, _ = tiny.make_arrays(4)
    adapter = make_adapter()
    adapter.compile()
    batches = ((images, labels) for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        getattr(adapter, verb)(batches, verbose=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: {"deph": m["depth"]}, "Masks must be a dict.*'deph'"),
        (lambda m: m["depth"], "Masks must be a dict.*a ndarray"),
        (lambda m: {**m, "depth": m["depth"][..., 0]}, "Masks of task 'depth'"),
        (lambda m: {**m, "depth": m["depth"][:, :8]}, "Masks of task 'depth'"),
        (lambda m: {**m, "depth": m["depth"] * np.nan}, "not be negative, nor"),
    ],
)
@pytest.mark.parametrize("kind", ["arrays", "dataset", "list", "generator"])
def test_masks_that_do_not_fit(kind, change, message):
    images, labels, masks = tiny.make_arrays(4)
    trainer = make_trainer()
    before = tiny.numpy_values(trainer.variables)
    batch = (images, labels, change(masks))
    for verb in (trainer.fit, trainer.evaluate):
        if kind == "arrays":
            x, y, sample_weight = batch
            given = {"x": x, "y": y, "sample_weight": sample_weight}
        else:
            given = {
                "dataset": lambda: keras_s4t.data.ArrayBatches(batch, 2),
                "list": lambda: [batch],
                "generator": lambda: (x for x in [batch]),
            }[kind]()
            given = {"x": given}
        with pytest.raises(ValueError, match=message):
            verb(**given, verbose=0)
    assert not tiny.moved(trainer.variables, before)


def test_no_images_at_all():
    adapter = make_adapter()
    adapter.compile()
    for call in (adapter.fit, adapter.evaluate, adapter.predict, adapter.adapt):
        with pytest.raises(ValueError, match="must be images. Received: None"):
            call(None)


def test_evaluate_before_compile():
    images, labels, _ = tiny.make_arrays(4)
    with pytest.raises(ValueError, match="`compile` must be called before"):
        make_adapter().evaluate(images, labels)


@pytest.mark.eager
def test_collected_images_are_looked_at():
    images, *_ = tiny.make_arrays(4)
    method = keras_s4t.methods.ActMAD((tiny.SIZE, tiny.SIZE))
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), method)
    with pytest.warns(UserWarning, match="must be in 0 ... 255"):
        adapter.collect([images / 255], verbose=0)


# === Single batches, and predictions ===


def make_compiled(kind):
    if kind == "trainer":
        return make_trainer()
    adapter = make_adapter()
    adapter.compile()
    return adapter


@pytest.mark.eager
@pytest.mark.parametrize("kind", ["adapter", "trainer"])
@pytest.mark.parametrize("verb", ["train_on_batch", "test_on_batch"])
def test_the_first_single_batch_is_looked_at(kind, verb):
    images, labels, masks = tiny.make_arrays(4)
    trainer = make_compiled(kind)
    call = getattr(trainer, verb)
    before = tiny.numpy_values(trainer.variables)
    with pytest.raises(ValueError, match="must be ids of its 4 classes"):
        call(*damaged_labels(images, labels, masks))
    with pytest.raises(ValueError, match="'depth' must not be negative"):
        call(images, labels, {**masks, "depth": -masks["depth"]})
    assert not tiny.moved(trainer.variables, before)
    assert trainer.network.adapted_by is None
    with pytest.warns(UserWarning, match="must be in 0 ... 255"):
        call(images / 255, labels, masks)
    # Once.
    logs = call(images / 255, labels, masks, return_dict=True)
    assert "semseg_miou" in logs


@pytest.mark.eager
@pytest.mark.parametrize("kind", ["adapter", "trainer"])
def test_a_skipped_single_batch_is_told_once(kind):
    images, labels, masks = tiny.make_arrays(4)
    trainer = make_compiled(kind)
    batch = (images * np.nan, labels, masks)
    trainer.train_on_batch(images, labels, masks)
    with pytest.warns(UserWarning, match="1 steps were skipped"):
        trainer.train_on_batch(*batch)
    logs = trainer.train_on_batch(*batch, return_dict=True)
    assert logs["skipped_steps"] == 1


@pytest.mark.parametrize("kind", ["arrays", "dataset", "list", "generator"])
def test_images_of_another_range_in_prediction(kind):
    images, *_ = tiny.make_arrays(4)
    images /= 255
    adapter = make_compiled("adapter")

    def predict():
        data = {
            "arrays": lambda: images,
            "dataset": lambda: keras_s4t.data.ArrayBatches((images,), 2),
            "list": lambda: [images[:2], images[2:]],
            "generator": lambda: (x for x in (images[:2], images[2:])),
        }[kind]()
        return adapter.predict(data, verbose=0)

    with pytest.warns(UserWarning, match="must be in 0 ... 255"):
        first = predict()
    # Once.
    for name, value in predict().items():
        assert len(value) == 4
        np.testing.assert_array_equal(value, first[name])


def test_a_single_batch_that_a_method_cannot_adapt_to():
    images, *_ = tiny.make_arrays(4)
    method = keras_s4t.methods.ActMAD((tiny.SIZE, tiny.SIZE))
    adapter = keras_s4t.TargetAdapter(tiny.make_network(), method)
    adapter.compile()
    adapter.collect([images], verbose=0)
    with pytest.raises(ValueError, match="at least 2 images.*batch of 1"):
        adapter.train_on_batch(images[:1])
    adapter.train_on_batch(images[:2])


@pytest.mark.eager
@pytest.mark.parametrize("dtype", [str, object, "complex64"])
@pytest.mark.parametrize("task", ["semseg", "depth"])
def test_labels_and_masks_that_are_no_numbers(task, dtype):
    images, labels, masks = tiny.make_arrays(4)
    adapter = make_compiled("adapter")
    wrong = {**labels, task: labels[task].astype(dtype)}
    message = f"{task}' must be numbers.*Received: a dtype of"
    for verb in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ValueError, match=f"Labels of task '{message}"):
            getattr(adapter, verb)(images, wrong)
    wrong = {**masks, task: masks[task].astype(dtype)}
    with pytest.raises(ValueError, match=f"Masks of task '{message}"):
        adapter.fit(images, labels, sample_weight=wrong)
    # As masks are made by comparing.
    masks = {name: mask > 0 for name, mask in masks.items()}
    adapter.fit(images, labels, sample_weight=masks, verbose=0)


@pytest.mark.parametrize("kind", ["adapter", "trainer"])
def test_shuffling_a_list(kind):
    batch = tiny.make_arrays(4)
    trainer = make_compiled(kind)
    before = tiny.numpy_values(trainer.optimizer.variables)
    with pytest.raises(ValueError, match="`shuffle` must be False.*True"):
        trainer.fit([batch] * 8, shuffle=True, verbose=0)
    assert not tiny.moved(trainer.optimizer.variables, before)
