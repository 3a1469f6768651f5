"""Targets with noise."""

import numpy as np
import pytest
import tiny_config
from comparison.data import load_target
from comparison.data import noisy
from comparison.data import without_noise
from comparison.keys import Keys
from comparison.settings import Settings


@pytest.fixture
def settings(loader):
    return Settings(config=tiny_config.make_config(), **tiny_config.SETTINGS)


def images_of(dataset):
    return np.concatenate([x for x, *_ in dataset.as_numpy_iterator()])


def test_noise_is_relative_to_the_image_and_the_same_again(settings):
    tasks = settings.configuration.make_tasks()
    name = "tiny/dusk"
    clean = load_target(settings, tasks, name)
    noised = load_target(settings, tasks, noisy(name, 0.1))
    difference = images_of(noised) - images_of(clean)
    deviations = images_of(clean).std(axis=(1, 2, 3), keepdims=True)
    relative = difference / deviations
    # 768 numbers an image: 2.5 % is the standard error of their deviation.
    assert relative.std(axis=(1, 2, 3)) == pytest.approx(0.1, rel=0.12)
    assert abs(relative.mean()) < 0.005
    # Two batches have other noise, two passes the same.
    assert not np.allclose(relative[:4], relative[4:])
    np.testing.assert_array_equal(images_of(noised), images_of(noised))
    for first, second in zip(clean, noised, strict=True):
        for name in first[1]:
            np.testing.assert_array_equal(first[1][name], second[1][name])


def test_names_of_noisy_targets(settings):
    assert noisy("tiny/dusk", 0.0) == "tiny/dusk"
    assert noisy("tiny/dusk", 0.05) == "tiny/dusk + noise 0.05"
    for scale in (0.0, 1e-5, 0.05, 2.0):
        assert without_noise(noisy("tiny/dusk", scale)) == "tiny/dusk"
    keys = Keys(settings)
    found = {str(keys._data(noisy("tiny/dusk", s))) for s in (0.0, 0.1, 0.2)}
    assert len(found) == 3
