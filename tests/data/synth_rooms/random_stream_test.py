import numpy as np
import pytest

from keras_s4t.data.synth_rooms.random_stream import RandomStream


def test_equal_keys_give_equal_streams():
    first = RandomStream(3, 1, "layout")
    second = RandomStream(3, 1, "layout")
    assert [first.uniform() for _ in range(5)] == [
        second.uniform() for _ in range(5)
    ]


@pytest.mark.parametrize("key", [(3, 1, "look"), (3, 2, "layout"), (3, 1)])
def test_other_keys_give_other_streams(key):
    assert (
        RandomStream(*key).uniform() != RandomStream(3, 1, "layout").uniform()
    )


def test_draws_stay_in_their_range():
    stream = RandomStream(0)
    integers = {stream.integer(2, 4) for _ in range(200)}
    assert integers == {2, 3, 4}
    floats = np.array([stream.uniform(-2, 5) for _ in range(2000)])
    assert floats.min() >= -2 and floats.max() < 5
    np.testing.assert_allclose(floats.mean(), 1.5, atol=0.15)
    within = [stream.within((7, 8)) for _ in range(100)]
    assert 7 <= min(within) and max(within) < 8


def test_weights_and_probabilities():
    stream = RandomStream(1)
    draws = [stream.choice("abc", [0.2, 0.0, 0.6]) for _ in range(4000)]
    assert set(draws) == {"a", "c"}
    np.testing.assert_allclose(draws.count("a") / 4000, 0.25, atol=0.03)
    heads = np.mean([stream.chance(0.3) for _ in range(4000)])
    np.testing.assert_allclose(heads, 0.3, atol=0.03)
    even = [stream.choice([0, 1, 2, 3]) for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(even) / 4000, 0.25, atol=0.03)
