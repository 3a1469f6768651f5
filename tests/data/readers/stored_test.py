"""What is stored and read again, eagerly and inside `tf.data`."""

import numpy as np
import pytest

from keras_s4t.data.readers import stored
from keras_s4t.data.readers.stored import canonical_record

NAN, INF = np.nan, np.inf


def make_labels(size=(5, 7)):
    """Labels in canonical units, without holes."""
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(*size, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return {
        "image": rng.integers(0, 256, (*size, 3)).astype("uint8"),
        "semseg": rng.integers(0, 18, size),
        "depth": rng.uniform(0.3, 60, (*size, 1)),
        "normals": normals,
        "edge": rng.uniform(size=(*size, 1)),
    }


def store(labels, mask):
    return {
        "image": labels["image"],
        "semseg": stored.encode_semseg(
            np.where(mask[..., 0], labels["semseg"], 255)
        ),
        "depth": stored.encode_depth(labels["depth"], mask),
        "normals": stored.encode_normals(labels["normals"], mask),
        **stored.encode_edge(labels["edge"], mask),
        "id": "a/b",
    }


def eagerly(record, **kwargs):
    import tensorflow as tf

    record = {key: tf.constant(value) for key, value in record.items()}
    record = canonical_record(record, **kwargs)
    return {key: value.numpy() for key, value in record.items()}


def in_tf_data(record, **kwargs):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(record).map(
        lambda record: canonical_record(record, **kwargs)
    )
    (record,) = dataset.as_numpy_iterator()
    return record


@pytest.mark.parametrize("read", [eagerly, in_tf_data])
def test_what_is_stored_comes_back(read):
    labels = make_labels()
    mask = np.random.default_rng(1).uniform(size=(5, 7, 1)) < 0.6
    record = read(store(labels, mask))
    assert record["id"] == b"a/b"
    np.testing.assert_array_equal(record["image"], labels["image"])
    for task in ("semseg", "depth", "normals", "edge"):
        assert record[f"{task}_mask"].dtype == "float32"
        np.testing.assert_array_equal(record[f"{task}_mask"], mask)
    assert record["semseg"].dtype == "int32"
    np.testing.assert_array_equal(
        record["semseg"], np.where(mask[..., 0], labels["semseg"], 255)
    )
    # Half a millimeter, half a step of 1 / 65535, and half a step of
    # 1 / 127.5 along each of three axes.
    tolerances = {"depth": 5.01e-4, "edge": 7.7e-6, "normals": 0.0069}
    for task, tolerance in tolerances.items():
        assert record[task].dtype == "float32"
        np.testing.assert_allclose(
            record[task], labels[task] * mask, atol=tolerance
        )
    lengths = np.linalg.norm(record["normals"], axis=-1, keepdims=True)
    np.testing.assert_allclose(lengths, mask, atol=1e-6)


def test_golden_codes():
    depth = stored.encode_depth([[0.0011, 1.2344, 65.535, 65.536]])
    assert depth.dtype == "uint16" and depth.shape == (1, 4, 1)
    assert depth.ravel().tolist() == [1, 1234, 65535, 0]

    vectors = [[[1, 0, 0], [0, -1, 0], [0, 0, 2], [0.6, 0.8, 0]]]
    normals = stored.encode_normals(vectors)
    assert normals.dtype == "uint8"
    assert normals.tolist() == [
        [[255, 128, 128], [128, 0, 128], [128, 128, 255], [204, 230, 128]]
    ]

    edge = stored.encode_edge([[0.0, 0.2, 1.0, 1.7, -0.3]])
    assert edge["edge"].dtype == "uint16"
    assert edge["edge_mask"].dtype == "uint8" and edge["edge_mask"].all()
    assert edge["edge"].ravel().tolist() == [0, 13107, 65535, 65535, 0]

    ids = stored.encode_semseg(np.array([[0, 39, 255]]))
    assert ids.dtype == "uint8" and ids.tolist() == [[[0], [39], [255]]]


def test_what_cannot_be_known_is_missing():
    depth = stored.encode_depth([[NAN, INF, -INF, -1.0, 0.0, 70.0, 1e-4]])
    assert not depth.any()

    vectors = [[[0, 0, 0.49], [NAN, 0, 1], [INF, 0, 0], [0, 0, 0]]]
    assert (stored.encode_normals(vectors) == 128).all()
    assert (stored.encode_normals([[[0, 0, 0.5]]])[..., 2] == 255).all()

    edge = stored.encode_edge([[NAN, 0.5]])
    assert edge["edge"].ravel().tolist() == [0, 32768]
    assert edge["edge_mask"].ravel().tolist() == [0, 1]


def test_no_unit_vector_looks_missing():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 300, 3))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    codes = stored.encode_normals(vectors).astype(int)
    # A unit vector has a component of at least 1 / sqrt(3).
    assert np.abs(codes - 128).max(-1).min() > 127.5 / np.sqrt(3) - 1.5


@pytest.mark.parametrize("read", [eagerly, in_tf_data])
def test_class_ids_are_looked_up_when_they_are_read(read):
    lookup = np.full(256, 255, "uint8")
    lookup[[3, 17]] = 1, 0
    ids = np.array([[3, 17, 4, 255, 0]])
    record = {
        "image": np.zeros((1, 5, 3), "uint8"),
        "semseg": stored.encode_semseg(ids),
        "id": "a",
    }
    record = read(record, label_lookup=lookup)
    assert record["semseg"].tolist() == [[1, 0, 255, 255, 255]]
    assert record["semseg_mask"].tolist() == [[[1], [1], [0], [0], [0]]]
    # A task that is not stored is not made up.
    assert set(record) == {"image", "semseg", "semseg_mask", "id"}


@pytest.mark.parametrize(
    "ids", [np.array([[256]]), np.array([[-1]]), np.array([[1.0]])]
)
def test_ids_that_are_none(ids):
    with pytest.raises(ValueError, match="0 ... 255. Received: dtype"):
        stored.encode_semseg(ids)


@pytest.mark.parametrize("size", [(None, None), (5, 7)])
def test_features_keep_every_bit(size):
    pytest.importorskip("tensorflow_datasets")
    tasks = ("semseg", "depth", "normals", "edge")
    features = stored.stored_features(["a", "b"], tasks, size)
    record = store(make_labels(), np.ones((5, 7, 1)))
    record["depth"][0, 0] = 513  # differs in both bytes
    assert features["semseg"].names == ["a", "b"]
    assert features["image"].shape == (*size, 3)
    encoded = features.serialize_example(features.encode_example(record))
    decoded = features.deserialize_example(encoded)
    assert set(decoded) == set(record)
    assert decoded.pop("id").numpy() == b"a/b"
    for key, value in decoded.items():
        assert value.numpy().dtype == record[key].dtype, key
        np.testing.assert_array_equal(value, record[key])


def test_features_of_a_dataset_without_depth():
    pytest.importorskip("tensorflow_datasets")
    features = stored.stored_features(["a", "b"], ["normals", "edge"])
    assert set(features) == {"image", "normals", "edge", "edge_mask", "id"}
