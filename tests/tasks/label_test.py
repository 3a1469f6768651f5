import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t import tasks
from keras_s4t.tasks import get_labels
from keras_s4t.tasks.label import DIRECTION

NAN, INF = np.nan, np.inf
# One row of pixels per task, and which of them are known.
CASES = {
    "semseg": ([0, 3, 255, 254], [1, 1, 0, 1]),
    "depth": ([0.5, 0, -1, NAN, INF, 1e-9], [1, 0, 0, 0, 0, 1]),
    "normals": (
        [[0, 0, 1], [0, 0, 0], [NAN, 0, 0], [0, INF, 1], [0, -1, 0]],
        [1, 0, 0, 0, 1],
    ),
    "edge": ([0, 1, NAN, -INF], [1, 1, 0, 0]),
}


@pytest.mark.parametrize("convert", [np.asarray, ops.convert_to_tensor])
@pytest.mark.parametrize("name", CASES)
def test_what_is_missing(name, convert):
    values, expected = CASES[name]
    kind = get_labels([name])[name]
    label = np.array(values, kind.dtype)[None, None]
    if kind.channels == 1:
        label = label[..., None]
    known = kind.is_known(convert(label))
    assert tuple(known.shape) == (1, 1, len(expected), 1)
    known = np.array(keras.ops.convert_to_numpy(known))
    np.testing.assert_array_equal(known.ravel(), np.array(expected, bool))


def test_every_task_has_a_kind_of_label():
    assert set(CASES) == set(tasks.TASKS)


def test_directions_are_mirrored_as_arrays_and_as_tensors():
    label = np.float32([[[[0.6, 0.0, 0.8]]]])
    for kind in (np.asarray, ops.convert_to_tensor):
        mirrored = DIRECTION.flip(kind(label))
        assert type(mirrored) is type(kind(label))
        mirrored = ops.convert_to_numpy(mirrored)
        assert mirrored.dtype == "float32"
        np.testing.assert_array_equal(mirrored, label * [-1, 1, 1])
