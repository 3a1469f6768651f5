"""Streams for training: the same batches whatever happens on the way."""

import keras
import numpy as np
import pytest
from generated_archives import pascal

from keras_s4t.data import Augmentation
from keras_s4t.data import Canvas
from keras_s4t.data import Training
from keras_s4t.data import load

TASKS = ["semseg", "normals", "edge"]
STRONG = Augmentation(zoom=(0.5, 2.0), brightness=0.1, hue=0.1)
SIZE = (24, 40)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """PASCAL-MT of two images for training, of different sizes."""
    tfds = pytest.importorskip("tensorflow_datasets")
    from keras_s4t.data.builders import pascal_mt

    root = tmp_path_factory.mktemp("pascal")
    data_dir = tmp_path_factory.mktemp("data")
    pascal.write(root)
    config = tfds.download.DownloadConfig(manual_dir=root)
    builder = pascal_mt.Builder(data_dir=data_dir)
    builder.download_and_prepare(download_config=config)
    return data_dir


def load_pascal(data_dir, split="train", **options):
    options = dict(batch_size=1, size=SIZE, data_dir=data_dir) | options
    return load("pascal_mt", split, TASKS, **options)


def load_stream(data_dir, **options):
    names = ("num_batches", "first_batch")
    stream = {k: options.pop(k) for k in names if k in options}
    training = Training(augmentation=STRONG, **stream)
    dataset = load_pascal(data_dir, training=training, **options)
    batches = list(dataset.as_numpy_iterator())
    assert len(batches) == int(dataset.cardinality())
    return batches


def is_same(a, b):
    pairs = zip(keras.tree.flatten(a), keras.tree.flatten(b), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


@pytest.mark.eager
@pytest.mark.parametrize("first_batch", [0, 1, 2, 5])
def test_a_stream_goes_on_where_it_was(data_dir, first_batch):
    whole = load_stream(data_dir, num_batches=5)
    rest = load_stream(data_dir, num_batches=5, first_batch=first_batch)
    assert len(whole) == 5 and len(rest) == 5 - first_batch
    assert is_same(whole[first_batch:], rest)
    # The second pass is another augmentation of the same two images.
    assert not is_same(whole[0][0], whole[2][0])
    assert not is_same(whole[0][0], whole[3][0])


@pytest.mark.eager
def test_rooms_go_on_where_they_were(tmp_path):
    options = dict(
        tasks=["depth"],
        batch_size=2,
        num_examples=3,
        size=32,
        cache_dir=tmp_path,
    )
    whole, rest = (
        list(
            load(
                "synth_rooms/source",
                "train",
                training=Training(num_batches=4, first_batch=first),
                **options,
            ).as_numpy_iterator()
        )
        for first in (0, 3)
    )
    assert is_same(whole[3:], rest) and len(rest) == 1


@pytest.mark.eager
def test_threads_change_nothing(data_dir, monkeypatch):
    import tensorflow as tf

    parallel = load_stream(data_dir, num_batches=6)
    monkeypatch.setattr(tf.data, "AUTOTUNE", 1)
    assert is_same(parallel, load_stream(data_dir, num_batches=6))
    monkeypatch.setattr(tf.data, "AUTOTUNE", 4)
    assert is_same(parallel, load_stream(data_dir, num_batches=6))


def test_evaluation_pads_what_has_other_sizes(data_dir):
    ((images, labels, masks),) = load_pascal(
        data_dir, batch_size=2
    ).as_numpy_iterator()
    assert images.shape == (2, *SIZE, 3)
    for name, label in labels.items():
        assert label.shape[:3] == masks[name].shape[:3] == (2, *SIZE)
    # 24x32 needs no scaling; 32x24 is scaled to 24x18.
    widths = sorted(masks["edge"].any(axis=(1, 3)).sum(-1))
    assert widths == [18, 32]
    semseg = labels["semseg"][..., None]
    assert (semseg[masks["semseg"] == 0] == 255).all()


@pytest.mark.eager
def test_splits_have_the_names_of_the_others(data_dir):
    batches = [
        list(load_pascal(data_dir, split).as_numpy_iterator())
        for split in ("val", "validation", "test")
    ]
    assert len(batches[0]) == 1
    assert is_same(batches[0], batches[1]) and is_same(batches[0], batches[2])


@pytest.mark.eager
def test_decoded_examples_are_kept(data_dir, tmp_path):
    plain = list(load_pascal(data_dir).as_numpy_iterator())
    for _ in range(2):
        kept = load_pascal(data_dir, cache_dir=tmp_path).as_numpy_iterator()
        assert is_same(plain, list(kept))
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith("pascal_mt_")
    load_pascal(data_dir, cache_dir=tmp_path, size=(32, 40))
    assert len(list(tmp_path.iterdir())) == 2
    stream = load_stream(data_dir, num_batches=4, cache_dir=tmp_path)
    rest = load_stream(
        data_dir, num_batches=4, first_batch=2, cache_dir=tmp_path
    )
    assert is_same(stream[2:], rest)


@pytest.mark.eager
def test_an_interrupted_cache_leaves_nothing(data_dir, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keras.utils.Progbar, "update", interrupt)
        with pytest.raises(BaseException, match="KeyboardInterrupt"):
            load_pascal(data_dir, cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())
    kept = load_pascal(data_dir, cache_dir=tmp_path).as_numpy_iterator()
    assert is_same(list(kept), list(load_pascal(data_dir).as_numpy_iterator()))


@pytest.mark.eager
def test_scaled_as_in_the_release(data_dir):
    ((images, *_), *_) = load_pascal(data_dir).as_numpy_iterator()
    ((scaled, *_), *_) = load_pascal(
        data_dir, size=Canvas(SIZE, image_scaling="taskonomy_release")
    ).as_numpy_iterator()
    mean = np.array([0.485, 0.456, 0.406])
    std = np.array([0.229, 0.224, 0.225])
    seen = (scaled / 255 - mean) / std
    inside = np.s_[:, :24, :18]
    np.testing.assert_allclose(
        seen[inside], images[inside] / 127.5 - 1, atol=1e-4
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(size=0), r"positive.*size=\(0, 0\)"),
        (dict(size=(3, 4, 5)), r"a pair.*size=\(3, 4, 5\)"),
        (dict(batch_size=0), "at least 1.*batch_size=0"),
        (dict(training="yes"), "a `Training`.*training='yes'"),
    ],
)
def test_bad_options(data_dir, options, message):
    with pytest.raises(ValueError, match=message):
        load_pascal(data_dir, **options)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (Canvas, dict(resize="crop"), "'fit', 'none'.*resize='crop'"),
        (Canvas, dict(image_scaling="release"), "'taskonomy_release'.*'rel"),
        (Training, dict(num_batches=2, first_batch=3), "first_batch=3"),
        (Training, dict(first_batch=1), "num_batches=None"),
    ],
)
def test_bad_options_of_a_group(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


@pytest.mark.eager
def test_a_cache_is_of_one_version(data_dir, tmp_path, monkeypatch):
    from keras_s4t.data import loading

    load_pascal(data_dir, cache_dir=tmp_path)
    monkeypatch.setattr(loading, "__version__", "99.0.0")
    load_pascal(data_dir, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
