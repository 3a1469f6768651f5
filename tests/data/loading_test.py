import keras
import numpy as np
import pytest
import tiny

from keras_s4t import tasks
from keras_s4t.data import SynthRooms
from keras_s4t.data import Training
from keras_s4t.data import load

NAMES = ["semseg", "depth", "normals", "edge"]


def load_source(split="test", tasks=NAMES, **kwargs):
    """Five small rooms in batches of two."""
    options = dict(batch_size=2, num_examples=5, size=32)
    return load("synth_rooms/source", split, tasks, **{**options, **kwargs})


def test_batches_are_the_rooms():
    dataset = load_source(tasks=[tasks.semseg(9), *tiny.make_tasks(4)[1:]])
    assert int(dataset.cardinality()) == 3
    images, labels, masks = dataset.element_spec
    assert [s.dtype.name for s in (images, *labels.values())] == [
        "float32",
        "int32",
        "float32",
        "float32",
        "float32",
    ]
    assert images.shape.as_list() == [None, 32, 32, 3]
    assert list(labels) == list(masks) == NAMES

    rooms = SynthRooms("test", "source", 32, 5)
    received = list(dataset.as_numpy_iterator())
    assert [len(batch[0]) for batch in received] == [2, 2, 1]
    images, labels, masks = keras.tree.map_structure(
        lambda *parts: np.concatenate(parts), *received
    )
    for i, room in enumerate(rooms):
        np.testing.assert_array_equal(images[i], room["image"])
        for name in NAMES:
            stored = room[name].astype(
                "int32" if name == "semseg" else "float16"
            )
            np.testing.assert_array_equal(labels[name][i], stored)
            np.testing.assert_array_equal(masks[name][i], room[f"{name}_mask"])
    assert 0 < masks["semseg"].mean() < 1


def test_some_tasks_in_the_order_asked_for():
    _, labels, masks = load_source(tasks=["edge", "depth"]).element_spec
    assert list(labels) == list(masks) == ["edge", "depth"]


def epochs(seed, count=1):
    """Several epochs for training, all labels, in NumPy."""
    dataset = load_source("train", training=Training(seed))
    assert int(dataset.cardinality()) == 2  # the fifth room is left out
    return [list(dataset.as_numpy_iterator()) for _ in range(count)]


def is_same(a, b):
    return all(
        np.array_equal(x, y)
        for x, y in zip(
            keras.tree.flatten(a), keras.tree.flatten(b), strict=True
        )
    )


def test_training_batches_follow_the_seed():
    first, second = epochs(seed=3, count=2)
    assert not is_same(first, second)
    assert is_same([first, second], epochs(seed=3, count=2))
    assert not is_same([first], epochs(seed=4))


def test_training_shuffles_and_flips_whole_examples():
    rooms = SynthRooms("train", "source", 32, 5).arrays(verbose=0)
    outcomes = set()
    for epoch in epochs(seed=0, count=4):
        order = []
        for images, labels, _ in epoch:
            for image, depth in zip(images, labels["depth"], strict=True):
                matches = [
                    (i, step)
                    for i, room in enumerate(rooms["image"])
                    for step in (1, -1)
                    if np.array_equal(room[:, ::step], image)
                ]
                ((i, step),) = matches
                np.testing.assert_array_equal(
                    rooms["depth"][i][:, ::step], depth
                )
                order.append(i)
                outcomes.add(step)
        assert len(set(order)) == 4
        outcomes.add(tuple(order))
    assert {1, -1} < outcomes and len(outcomes) > 3


def test_every_epoch_flips_anew():
    dataset = load_source(training=True, num_examples=1, batch_size=1)
    runs = [list(dataset.as_numpy_iterator()) for _ in range(10)]
    flipped = {
        np.array_equal(runs[0][0][0], images) for ((images, *_),) in runs
    }
    assert flipped == {True, False}


def test_a_cached_dataset_is_the_same(tmp_path):
    first = list(load_source(cache_dir=tmp_path).as_numpy_iterator())
    assert list(tmp_path.glob("*.npz"))
    second = list(load_source(cache_dir=tmp_path).as_numpy_iterator())
    assert is_same(first, second)


@pytest.mark.parametrize(
    "name, split, tasks, message",
    [
        ("synth_rooms/night", "test", NAMES, "'evening'.*domain='night'"),
        ("synth_rooms/source", "val", NAMES, "'validation'.*split='val'"),
        ("synth_rooms/source", "test", ["saliency"], "'semseg'.*'saliency'"),
        ("nyud_v3", "test", NAMES, "'synth_rooms/evening'.*name='nyud_v3'"),
    ],
)
def test_unknown_names_list_the_valid_ones(
    name, split, tasks, message, monkeypatch
):
    # Nothing may be rendered before the names are looked at.
    monkeypatch.setattr(SynthRooms, "arrays", None)
    with pytest.raises(ValueError, match=message):
        load(name, split, tasks, size=32)


def test_tfds_datasets(tmp_path):
    import tensorflow as tf

    tfds = pytest.importorskip("tensorflow_datasets")

    class CanonicalRooms(tfds.core.GeneratorBasedBuilder):
        """Two pictures whose depth is their index."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            depth = tfds.features.Tensor(shape=(4, 4, 1), dtype=tf.float16)
            image = tfds.features.Image(shape=(4, 4, 3))
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(
                    {"image": image, "depth": depth}
                ),
            )

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for i in range(3):
                depth = np.full((4, 4, 1), i, "float16")
                yield i, {"image": np.zeros((4, 4, 3), "uint8"), "depth": depth}

    options = dict(data_dir=tmp_path, tasks=["depth"], batch_size=2)
    with pytest.raises(ValueError, match="must be prepared"):
        load("canonical_rooms", "train", **options)
    CanonicalRooms(data_dir=tmp_path).download_and_prepare()
    dataset = load("canonical_rooms", "train", num_examples=2, **options)
    ((images, labels, masks),) = dataset.as_numpy_iterator()
    assert images.shape == (2, 4, 4, 3) and images.dtype == "float32"
    assert labels["depth"].dtype == "float32"
    np.testing.assert_array_equal(masks["depth"], labels["depth"] > 0)

    # Prepared twice, kept twice.
    other = tmp_path / "other"
    CanonicalRooms(data_dir=other).download_and_prepare()
    for data_dir in (tmp_path, tmp_path, other):
        kept = dict(options, data_dir=data_dir, cache_dir=tmp_path / "cache")
        dataset = load("canonical_rooms", "train", **kept)
        depths = [x["depth"][..., 0, 0, 0] for _, x, _ in dataset]
        assert sorted(np.concatenate(depths)) == [0, 1, 2]
    assert len(list((tmp_path / "cache").iterdir())) == 2
    with pytest.raises(ValueError, match="train"):
        load("canonical_rooms", "test", **options)
    options["tasks"] = ["depth", "semseg"]
    with pytest.raises(ValueError, match=r"without \['semseg'\]"):
        load("canonical_rooms", "train", **options)


def test_a_training_without_a_whole_batch():
    with pytest.raises(ValueError, match="at least one batch.*batch_size=8"):
        load(
            "synth_rooms/source",
            "train",
            ["depth"],
            training=True,
            batch_size=8,
            num_examples=4,
            size=16,
        )


def test_a_dataset_of_others_is_prepared_by_their_builder():
    tfds = pytest.importorskip("tensorflow_datasets")
    assert "nyu_depth_v2" in tfds.list_builders()
    with pytest.raises(ValueError, match=r"download_and_prepare\(\).*record"):
        load("nyu_depth_v2", "train", ["depth"])
    with pytest.raises(ValueError, match="data build nyud_mt`"):
        load("nyud_mt", "train", ["depth"], data_dir="nowhere")


@pytest.mark.parametrize("kind", ["a file", "no folder"])
def test_a_cache_that_cannot_be_written(tmp_path, kind):
    path = tmp_path / "cache"
    path.write_text("a file")
    folder = path if kind == "a file" else path / "below"
    with pytest.raises(ValueError, match="can be written to.*cache_dir="):
        load(
            "synth_rooms/source",
            "train",
            ["depth"],
            num_examples=2,
            size=16,
            cache_dir=folder,
        )


@pytest.mark.parametrize(
    "name, options, number",
    [
        ("synth_rooms/source", {}, 9),
        ("nyud_mt", {}, 40),
        ("nyud_mt", {"label_space": "taskonomy_nyud"}, 7),
    ],
)
def test_fewer_classes_than_the_data(name, options, number):
    # Before anything is read or rendered.
    with pytest.raises(ValueError, match=f"the {number} classes of '{name}'"):
        load(name, "train", [tasks.semseg(4)], **options)
