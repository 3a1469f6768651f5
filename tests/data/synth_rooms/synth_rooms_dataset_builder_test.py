"""The TFDS builder, which needs TensorFlow in the process."""

import keras
import numpy as np
import pytest

from keras_s4t.data.synth_rooms import CLASS_NAMES
from keras_s4t.data.synth_rooms import DOMAINS
from keras_s4t.data.synth_rooms import SynthRooms

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="TFDS reads with TensorFlow",
)


@pytest.fixture
def builder_class():
    pytest.importorskip("tensorflow_datasets")
    from keras_s4t.data.builders.synth_rooms import Builder

    return Builder


def test_configs(builder_class):
    names = [f"{d}_{size}" for size in (64, 128) for d in DOMAINS]
    assert list(builder_class.builder_configs) == [*names, "debug"]
    config = builder_class.builder_configs["evening_64"]
    assert (config.domain, config.size) == ("evening", 64)


def test_prepared_records_are_those_of_synth_rooms(builder_class, tmp_path):
    import tensorflow_datasets as tfds

    builder = builder_class(config="debug", data_dir=tmp_path)
    assert builder.info.full_name == "synth_rooms/debug/1.0.0"
    assert "Example `i`" in builder.info.description
    builder.download_and_prepare()
    assert builder.info.metadata["class_names"] == list(CLASS_NAMES)
    counts = {s: i.num_examples for s, i in builder.info.splits.items()}
    assert counts == {"train": 4, "validation": 2, "test": 2}
    for split, count in counts.items():
        rooms = SynthRooms(split, "source", 32, count)
        expected = {record["id"]: record for record in rooms}
        found = tfds.as_numpy(builder.as_dataset(split=split))
        for example in found:
            record = expected.pop(example.pop("id").decode())
            for name, value in example.items():
                np.testing.assert_array_equal(
                    value, record[name].astype(value.dtype)
                )
        assert not expected
    image, semseg = example["image"], example["semseg"]
    assert image.dtype == semseg.dtype == np.uint8
    assert set(example) == {"image", "semseg", "depth", "normals", "edge"}
