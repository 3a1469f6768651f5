import numpy as np
import pytest
from keras import ops

from keras_s4t.methods.actmad.averaged_moments import AveragedMoments


def make_layer():
    layer = AveragedMoments()
    layer.build({"a": (2, 3), "b": (4,)})
    return layer


def make_moments(seed):
    rng = np.random.default_rng(seed)
    shapes = {"a": (2, 3), "b": (4,)}
    return {
        name: tuple(
            ops.convert_to_tensor(rng.normal(size=shape).astype("float32"))
            for _ in range(2)
        )
        for name, shape in shapes.items()
    }


def test_every_batch_has_the_same_weight():
    layer = make_layer()
    batches = [make_moments(seed) for seed in range(3)]
    for moments in batches:
        layer.update(moments)
    for name in ("a", "b"):
        for i, stored in enumerate((layer.means, layer.variances)):
            values = [ops.convert_to_numpy(m[name][i]) for m in batches]
            np.testing.assert_allclose(
                ops.convert_to_numpy(stored[name]),
                np.mean(values, axis=0),
                rtol=1e-5,
                atol=1e-6,
            )


def test_one_batch_is_stored_exactly_and_pairs_with_itself():
    layer = make_layer()
    moments = make_moments(0)
    layer.update(moments)
    pairs = layer.pairs(moments)
    assert len(pairs) == 4
    for variable, value in pairs:
        np.testing.assert_array_equal(
            ops.convert_to_numpy(variable), ops.convert_to_numpy(value)
        )


def test_another_shape_is_refused_before_anything_is_written():
    layer = make_layer()
    layer.update(make_moments(0))
    before = layer.get_weights()
    moments = make_moments(1)
    moments["b"] = moments["a"]
    with pytest.raises(ValueError, match=r"shape \(4,\).*shape \(2, 3\)"):
        layer.update(moments)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
