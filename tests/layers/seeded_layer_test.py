import keras
import numpy as np

from keras_s4t.layers.seeded_layer import SeededLayer


def draw(layer):
    drawn = keras.random.uniform((4,), seed=layer.seed_generator)
    return keras.ops.convert_to_numpy(drawn)


def test_goes_on_where_it_was_saved():
    layer, resumed = SeededLayer(seed=0), SeededLayer(seed=1)
    first = draw(layer)
    store = {}
    layer.save_own_variables(store)
    second = draw(layer)
    resumed.load_own_variables(store)
    np.testing.assert_array_equal(draw(resumed), second)
    assert (first != second).any()


def test_a_seed_is_for_all_of_its_draws():
    layer = SeededLayer(seed=3)
    clone = SeededLayer.from_config(layer.get_config())
    for _ in range(2):
        np.testing.assert_array_equal(draw(layer), draw(clone))
    assert (draw(layer) != draw(SeededLayer(seed=4))).any()
