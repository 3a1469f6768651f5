import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.ttt_plus_plus.projection_head import ProjectionHead


def test_is_two_dense_layers_on_the_average_over_locations():
    head = ProjectionHead(3, hidden_dim=5)
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 6)).astype("float32")
    outputs = ops.convert_to_numpy(head(x))
    weights, offset = head.hidden.get_weights()
    hidden = np.maximum(x.mean((1, 2)) @ weights + offset, 0)
    weights, offset = head.projection.get_weights()
    np.testing.assert_allclose(
        outputs, hidden @ weights + offset, rtol=1e-4, atol=1e-5
    )
    assert head.compute_output_shape(x.shape) == outputs.shape == (2, 3)


def test_parameters_for_resnet50():
    head = ProjectionHead(128)
    head.build((None, None, None, 2048))
    # With the network of four tasks, whose parameters are 23,554,124.
    assert 23_554_124 + head.count_params() == 28_012_748


@pytest.mark.parametrize("sizes", [(0, None), (4, -1)])
def test_sizes_must_be_positive(sizes):
    with pytest.raises(ValueError, match=f"positive.*_dim={sizes[1]}"):
        ProjectionHead(*sizes)
