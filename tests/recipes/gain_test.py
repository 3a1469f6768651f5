"""What a gain is measured over, with batch norm and without."""

import types

import configs
import keras
import pytest
from gain import candidates
from gain.online import Source

pytestmark = pytest.mark.eager


def make_source(preset):
    config = configs.get("synth_rooms", preset=preset)
    s4t = types.SimpleNamespace()
    return Source(config.make_network(), s4t, (), (), config.size, 8)


@pytest.mark.parametrize(
    ("preset", "control", "titles", "norms"),
    [
        (
            "tiny",
            "BatchNormOnly, steps=1",
            ["Base, steps=0", "BatchNormOnly, steps=1"]
            + ["BatchNormOnly, steps=4"],
            "batch_norm",
        ),
        ("tiny_group_norm", "Base, steps=0", ["Base, steps=0"], "norms"),
    ],
)
def test_controls(preset, control, titles, norms):
    source = make_source(preset)
    assert candidates.control_of(source).title == control
    found = candidates.controls(source, {4})
    assert [candidate.title for candidate in found] == titles
    chosen = candidates.candidates(source)[-1]
    assert dict(chosen.options)["update"] == norms
    names = [c.title for c in candidates.compared(source, chosen)]
    assert names[: len(titles)] == titles and names[-1] == chosen.title
    assert len({*names}) == len(names)
    for candidate in found:
        method, _ = candidate.make(source)
        method.check(source.network)
    tent, _ = candidates.Candidate("Tent").make(source)
    assert len(tent.select(source.network)) == 24


def test_group_norm_takes_the_place_of_batch_norm():
    networks = [make_source(x).network for x in ("tiny", "tiny_group_norm")]
    with_batch, with_group = (
        [layer for layer in network.leaves if layer.weights]
        for network in networks
    )
    for old, new in zip(with_batch, with_group, strict=True):
        is_norm = isinstance(old, keras.layers.BatchNormalization)
        assert is_norm == isinstance(new, keras.layers.GroupNormalization)
        shapes = [[v.shape for v in x.trainable_weights] for x in (old, new)]
        assert shapes[0] == shapes[1]
    assert list(networks[0].encoder.output) == list(networks[1].encoder.output)
