"""What a gain is measured over, with batch norm and without."""

import types

import configs
import keras
import numpy as np
import pytest
from gain import candidates
from gain import choice
from gain.online import Outcome
from gain.online import Source
from gain.predictions import BOTH
from gain.predictions import PLAIN

import keras_s4t

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


def outcome(metrics, estimates=(), values=()):
    """An `Outcome` whose estimates are depth errors by batch."""
    kinds = (PLAIN, BOTH)
    return Outcome(
        metrics={kind: {"depth_rmse": metrics} for kind in kinds},
        seconds={},
        values={kind: {"depth": np.array(values)} for kind in kinds},
        estimates={
            i: {kind: {"depth_rmse": error} for kind in kinds}
            for i, error in enumerate(estimates)
        },
    )


DEPTH = [keras_s4t.tasks.depth()]


def test_slopes_are_least_squares_through_zero():
    # Gains over the source model in percent: estimated 0, 10 and 40, true
    # -5, 20 and 60.
    streams = [
        {"Base": outcome(1.0, [1.0, 1.0]), "Method": outcome(true, estimates)}
        for true, estimates in (
            (1.05, [1.1, 0.9]),
            (0.8, [0.8, 1.0]),
            (0.4, [0.6, 0.6]),
        )
    ]
    titles = ["Base", "Method"]
    slopes = choice.fit_slopes(DEPTH, titles, BOTH, streams)
    assert slopes["Base"] == 1
    expected = (10 * 20 + 40 * 60) / (10**2 + 40**2)
    np.testing.assert_allclose(slopes["Method"], expected, rtol=1e-9)


def test_every_stream_counts_in_the_slopes(monkeypatch):
    def adapt_online(source, candidate, arrays, check_every):
        if candidate.method == "Base":
            return every_kind(1.0, 1.0)
        if candidate == chosen:
            return every_kind(*arrays)
        return every_kind(1.0, 1.0)

    def every_kind(true, estimated):
        kinds = dict.fromkeys(choice.PREDICTIONS)
        metrics = {kind: {"depth_rmse": true} for kind in kinds}
        estimates = {0: {kind: {"depth_rmse": estimated} for kind in kinds}}
        return Outcome(metrics, {}, {}, estimates)

    monkeypatch.setattr(choice, "adapt_online", adapt_online)
    network = types.SimpleNamespace(tasks=DEPTH, batch_norms=[1])
    source = Source(network, None, (), (), 64, 2)
    other, chosen = candidates.replay(4, 1e-3), candidates.replay(4, 1e-4)
    # Of one name: true and estimated gains of 60 and 40, of -10 and 20 percent.
    streams, calm = [("blur", (0.4, 0.6))], [("blur", (1.1, 0.8))]
    found = choice.choose(source, streams, calm, [other, chosen], 4)
    assert found.candidate == chosen
    assert found.gains[chosen.title][found.prediction] == pytest.approx(60)
    expected = (60 * 40 - 10 * 20) / (40**2 + 20**2)
    assert found.slopes[chosen.title] == pytest.approx(expected)
    assert found.slopes["BatchNormOnly, steps=4"] == 1


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        # The source model predicts until another promises half a percent more.
        ("online", ["Base", "Method", "Method", "Control"]),
        ("live", ["Base", "Base", "Method", "Method"]),
    ],
)
def test_the_safe_choice(protocol, expected):
    source = Source(
        types.SimpleNamespace(tasks=DEPTH), None, (), (), 64, 2, protocol
    )
    blank = np.zeros((8, 1))
    outcomes = {
        "Base": outcome(1.0, [1.0] * 4, blank),
        "Control": outcome(1.0, [1.01, 0.97, 0.9, 0.5], blank + 1),
        "Method": outcome(1.0, [0.997, 0.95, 0.898, 0.6], blank + 2),
    }
    slopes = {"Base": 1.0, "Control": 1.0, "Method": 1.1}
    chosen = choice.choose_by_batch(source, outcomes, BOTH, slopes)
    assert chosen == expected
    values = choice.values_of_chosen(outcomes, BOTH, chosen, 2)["depth"]
    numbers = [list(outcomes).index(title) for title in chosen]
    np.testing.assert_array_equal(values[:, 0], np.repeat(numbers, 2))
