import h5py
import keras
import numpy as np
import pytest
import tiny
from tiny_decoder import TinyDecoder

from keras_s4t.models import MTINetDecoder
from keras_s4t.models import MultiTaskModel
from keras_s4t.models import PyramidDecoder

OUTPUTS = {"semseg": tiny.NUM_CLASSES, "depth": 1}


def make_network(decoder=None):
    network = MultiTaskModel(
        tiny.TinyBackbone(), tiny.make_tasks(2), decoder=decoder
    )
    tiny.fill(network)
    return network


def assert_same(received, expected):
    for name, x in expected.items():
        np.testing.assert_array_equal(received[name], x)


@pytest.mark.eager
def test_the_default_is_the_pyramid():
    images, *_ = tiny.make_arrays(2)
    default = make_network()
    assert type(default.decoder) is PyramidDecoder
    assert not default.decoder_batch_norms
    assert list(default.decoders) == ["semseg", "depth"]
    paths = [v.path for v in default.decoder.variables]
    assert paths[:2] == ["semseg_decoder/kernel", "semseg_decoder/bias"]
    given = make_network(PyramidDecoder(OUTPUTS))
    assert given.decoder.with_auxiliaries(given.encode(images), (4, 4))[1] == []
    outputs = [x.predict(images, verbose=0) for x in (default, given)]
    assert_same(*outputs)


@pytest.mark.eager
def test_a_decoder_of_ones_own(tmp_path):
    images, *_ = tiny.make_arrays(2)
    network = make_network(TinyDecoder(OUTPUTS))
    assert network.batch_norms[2:] == [network.decoder.norm]
    assert network.encoder_batch_norms == network.batch_norms[:2]
    assert network.decoders == {}
    network.decoder.heads["depth"].trainable = False
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert_same(
        loaded.predict(images, verbose=0), network.predict(images, verbose=0)
    )
    assert not loaded.decoder.heads["depth"].trainable
    assert loaded.decoder.heads["semseg"].trainable


def test_whose_statistics_decoding_uses_and_moves():
    images, *_ = tiny.make_arrays(2)
    network = make_network(TinyDecoder(OUTPUTS))
    features = network.encode(images)
    source = tiny.numpy_values(network.variables)
    x = keras.ops.convert_to_numpy(features["P3"])
    by_source = network.decode(features, (16, 16))
    by_batch = network.decode(features, (16, 16), True)
    assert not tiny.moved(network.variables, source)
    followed = network.decode(features, (16, 16), True, keep_state=True)
    for name in OUTPUTS:
        a, b, c = tiny.numpy_values(
            o[name] for o in (by_source, by_batch, followed)
        )
        np.testing.assert_allclose(b, c, atol=1e-6)
        assert np.abs(a - b).max() > 1e-3
    norm = network.decoder.norm
    moving = [norm.moving_mean, norm.moving_variance]
    assert tiny.moved(network.variables, source) == {id(v) for v in moving}
    index = [id(v) for v in network.variables].index(id(norm.moving_mean))
    expected = 0.9 * source[index] + 0.1 * x.mean((0, 1, 2))
    np.testing.assert_allclose(
        tiny.numpy_values(moving)[0], expected, rtol=1e-4, atol=1e-6
    )


def test_files_of_models_saved_before_the_decoder_was_a_layer(tmp_path):
    images, *_ = tiny.make_arrays(2)
    network = make_network()
    path = tmp_path / "network.weights.h5"
    network.save_weights(path)
    with h5py.File(path, "a") as file:
        file.move("decoder/convolutions", "decoders")
        del file["decoder"]
    other = make_network()
    tiny.fill(other, seed=1)
    other.load_weights(path)
    assert_same(
        other.predict(images, verbose=0), network.predict(images, verbose=0)
    )
    config = network.get_config()
    del config["decoder"]
    assert type(MultiTaskModel.from_config(config).decoder) is PyramidDecoder


@pytest.mark.eager
def test_batch_norms_are_saved_where_they_belong(tmp_path):
    network = make_network(MTINetDecoder(OUTPUTS, channels=(4, 4)))
    path = tmp_path / "network.weights.h5"
    network.save_weights(path)
    names = []
    with h5py.File(path) as file:
        file.visit(names.append)
    assert any(name.startswith("decoder/heads") for name in names)
    assert not any("batch_norms" in name or "leaves" in name for name in names)


@pytest.mark.parametrize(
    "num_outputs",
    [
        {"depth": 1, "semseg": tiny.NUM_CLASSES},
        {"semseg": tiny.NUM_CLASSES},
        {"semseg": 9, "depth": 1},
    ],
)
def test_outputs_are_those_of_the_tasks(num_outputs):
    message = "`decoder.num_outputs` must be .*'semseg': 4, 'depth': 1}. Rec"
    with pytest.raises(ValueError, match=message):
        make_network(PyramidDecoder(num_outputs))


@pytest.mark.parametrize("decoder", ["mti_net", (0.5, 0.5, 0.5)])
def test_what_is_no_decoder(decoder):
    with pytest.raises(ValueError, match="must be a `keras_s4t.models.Decoder"):
        make_network(decoder)
