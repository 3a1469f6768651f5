"""`load` of real datasets, whose stored records are shuffled and decoded."""

import keras
import numpy as np
import pytest
from generated_archives import taskonomy

from keras_s4t.data import TaskonomyFolder
from keras_s4t.data import Training
from keras_s4t.data import label_spaces
from keras_s4t.data import load

pytestmark = pytest.mark.eager

NAMES = ["normals", "semseg", "depth", "edge"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A Taskonomy of five views at 64 pixels, and the TFDS dataset of it."""
    tfds = pytest.importorskip("tensorflow_datasets")
    from keras_s4t.data.builders import taskonomy_mt

    root = tmp_path_factory.mktemp("taskonomy")
    data_dir = tmp_path_factory.mktemp("data")
    taskonomy.write(root)
    taskonomy.write_table(root, taskonomy.split_of_buildings())
    config = tfds.download.DownloadConfig(manual_dir=root)
    builder = taskonomy_mt.Builder(config="debug", data_dir=data_dir)
    builder.download_and_prepare(download_config=config)
    return root, data_dir


def load_debug(folders, split="train", tasks=NAMES, **kwargs):
    options = dict(name="taskonomy_mt/debug", batch_size=2, data_dir=folders[1])
    return load(split=split, tasks=tasks, **{**options, **kwargs})


@pytest.mark.parametrize("label_space", [None, "taskonomy_nyud"])
def test_batches_are_the_records(folders, label_space):
    dataset = load_debug(folders, label_space=label_space)
    assert int(dataset.cardinality()) == 1
    ((images, labels, masks),) = dataset.as_numpy_iterator()
    assert list(labels) == list(masks) == NAMES
    assert images.dtype == "float32" and labels["semseg"].dtype == "int32"

    folder = TaskonomyFolder(
        folders[0], "train", size=taskonomy.SIZE, num_buildings=1
    )
    records = list(folder.records(label_space).as_numpy_iterator())
    assert len(records) == len(images) == 2
    if not np.array_equal(records[0]["image"], images[0]):
        records = records[::-1]
    for i, record in enumerate(records):
        np.testing.assert_array_equal(images[i], record["image"])
        for name in NAMES:
            np.testing.assert_array_equal(labels[name][i], record[name])
            mask = record[f"{name}_mask"]
            np.testing.assert_array_equal(masks[name][i], mask)
            assert 0 < mask.mean() < 1
    classes = set(np.unique(labels["semseg"])) - {255}
    # The background is a class of Taskonomy's own alone.
    assert classes <= set(range(7 if label_space else 18))
    lookup = label_spaces.get("taskonomy_nyud").lookup("taskonomy_mt")
    assert label_space or lookup[1] == 255 and 1 in classes


def test_the_download_itself_has_the_same_records(folders):
    options = dict(split="validation", label_space="taskonomy_nyud")
    prepared = load_debug(folders, **options)
    options["name"] = f"taskonomy_folder/{taskonomy.SIZE}"
    streamed = load_debug((None, folders[0]), **options)
    assert is_same(
        list(prepared.as_numpy_iterator()), list(streamed.as_numpy_iterator())
    )


def test_a_stream_of_the_download_goes_on_where_it_was(folders, tmp_path):
    options = dict(
        name=f"taskonomy_folder/{taskonomy.SIZE}",
        batch_size=1,
        size=(48, 80),
    )
    for cache_dir in (None, tmp_path):
        whole, rest = (
            list(
                load_debug(
                    (None, folders[0]),
                    **options,
                    training=Training(num_batches=5, first_batch=first),
                    cache_dir=cache_dir,
                ).as_numpy_iterator()
            )
            for first in (0, 3)
        )
        assert is_same(whole[3:], rest) and len(rest) == 2
        assert whole[0][0].shape == (1, 48, 80, 3)


def test_some_tasks_and_some_examples(folders):
    dataset = load_debug(folders, tasks=["edge"], num_examples=1)
    ((images, labels, masks),) = dataset.as_numpy_iterator()
    assert len(images) == 1 and list(labels) == list(masks) == ["edge"]
    all_images, *_ = next(load_debug(folders).as_numpy_iterator())
    np.testing.assert_array_equal(images[0], all_images[0])


def epochs(folders, seed, **kwargs):
    dataset = load_debug(
        folders, training=Training(seed), batch_size=1, **kwargs
    )
    return [list(dataset.as_numpy_iterator()) for _ in range(4)]


def is_same(a, b):
    pairs = zip(keras.tree.flatten(a), keras.tree.flatten(b), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("num_examples", [None, 2])
def test_training_shuffles_by_the_seed(folders, num_examples):
    first = epochs(folders, 2, num_examples=num_examples)
    assert is_same(first, epochs(folders, 2, num_examples=num_examples))
    # Which of the two views comes first, whether it was flipped or not.
    colors = [image.mean() for ((image, *_), _) in first]
    assert len(np.unique(np.round(colors, 2))) == 2
    flips = {batch[0].tobytes() for epoch in first for batch in epoch}
    assert len(flips) > 2


@pytest.mark.parametrize(
    "name, kwargs, message",
    [
        (
            "taskonomy_mt/debug",
            dict(label_space="nyud"),
            "'nyud_pascal'.*'nyud'",
        ),
        (
            "taskonomy_mt/debug",
            dict(label_space="nyud_pascal"),
            "dataset='taskonomy_mt'",
        ),
        (
            "synth_rooms/source",
            dict(label_space="taskonomy_nyud"),
            "'taskonomy_mt'.*name='synth_rooms/source'",
        ),
        ("taskonomy_mt/tiny_256", {}, "must be prepared.*tiny_256"),
        ("taskonomy_folder", dict(data_dir=None), "its `data_dir`"),
        ("taskonomy_folder/big", {}, "number of pixels.*big"),
        (
            "taskonomy_mt/debug",
            dict(tasks=["saliency"]),
            "'depth', 'edge'.*task='saliency'",
        ),
    ],
)
def test_what_cannot_be_loaded(folders, name, kwargs, message):
    options = dict(split="train", tasks=NAMES, data_dir=folders[1])
    with pytest.raises(ValueError, match=message):
        load(name, **{**options, **kwargs})
