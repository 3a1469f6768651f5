import keras
import pytest
import tiny
from benchmarking import arithmetic

import keras_s4t


@pytest.mark.skipif(
    keras.backend.backend() == "jax",
    reason="compiling the initializers takes a minute",
)
def test_resnet50_is_what_the_literature_says():
    network = keras_s4t.models.MultiTaskModel(
        keras_s4t.models.resnet50(preset=None), tiny.make_tasks(1)
    )
    products, shapes = arithmetic.encoder_products(network.encoder, (256, 256))
    assert len(products) == 53
    # 4.09 at 224x224, without the classifier.
    assert sum(products) == pytest.approx(5.34e9, rel=1e-3)
    assert shapes["P2"] == (1, 64, 64, 256)
    assert shapes["P5"] == (1, 8, 8, 2048)


def test_a_case_computed_by_hand():
    network, method = (
        tiny.make_network(tiny.make_tasks(4)),
        tiny.make_s4t(tiny.make_tasks(4)),
    )
    method.build(network.features_shape)
    count = arithmetic.count_flops
    # Two convolutions 3x3: 3 to 6 channels on 8x8, 6 to 12 on 4x4.
    first, second = 64 * 9 * 3 * 6, 16 * 9 * 6 * 12
    encoder = first + second
    # 9 outputs, and 4 latents of 4 channels, of 6 and 12 channels.
    decoders = 9 * (64 * 6 + 16 * 12)
    projections = 16 * (64 * 6 + 16 * 12)
    heads = 64 * 4 * 9
    # Latents of 8x8 for 16x16: windows of 4x4 for the 16 patches of 4x4.
    embedding = 16 * 16 * 16 * 8
    block = 4 * 8 * 8 + 2 * 8 * 32
    kept, everything = 8 * (block + 2 * 8 * 8), 16 * (block + 2 * 16 * 8)
    synchronizer = embedding + kept + 8 * 8 * 8 + everything + 16 * 8 * 16 * 9
    branch = 3 * (projections + synchronizer)
    for operation, expected in {
        "predict": encoder + decoders,
        "adapt": 3 * encoder - first + decoders + branch,
        "source": 3 * (encoder + decoders + heads) - first + branch,
    }.items():
        received = count(operation, network, method, (16, 16), 5)
        assert received == 2 * 5 * expected, operation


def test_unfolded_patches_are_counted_in_full():
    assert arithmetic.window_size((64, 64), (256, 256), 16) == (6, 6)
    assert arithmetic.window_size((64, 32), (64, 64), 16) == (16, 10)
    assert arithmetic.window_size((112, 144), (256, 256), 16) == (16, 16)


def test_unknown_operation():
    with pytest.raises(ValueError, match="'sleep'"):
        arithmetic.count_flops("sleep", None, None, (16, 16), 1)
