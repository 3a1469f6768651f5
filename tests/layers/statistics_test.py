import keras
import numpy as np
import pytest
from keras import ops

from keras_s4t.layers import Statistics


class Total(Statistics):
    def build(self, x_shape):
        self.total = self.add_statistic("total", (x_shape[-1],))
        self.count = self.add_statistic("count", (), "int")
        self.built = True

    def call(self, x):
        self.total.assign(self.total + ops.sum(x, axis=0))
        self.count.assign(self.count + ops.shape(x)[0])
        return ops.convert_to_tensor(self.total)


@pytest.mark.parametrize("policy", ["float32", "float16", "mixed_bfloat16"])
def test_statistics_are_exact_under_every_policy(policy):
    layer = Total(dtype=keras.DTypePolicy(policy))
    layer(np.full((4, 2), 4096.0, "float32"))
    layer(np.ones((1, 2), "float32"))
    total, count = (ops.convert_to_numpy(x) for x in layer.weights)
    assert total.dtype == "float32"
    np.testing.assert_array_equal(total, [16385.0, 16385.0])
    assert count == 5 and np.issubdtype(count.dtype, np.integer)
    assert not layer.trainable_variables
