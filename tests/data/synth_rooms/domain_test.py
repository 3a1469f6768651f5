import dataclasses
import pickle

import pytest

from keras_s4t.data.synth_rooms import DOMAINS
from keras_s4t.data.synth_rooms import Domain
from keras_s4t.data.synth_rooms import domains

SOURCE, MIXED = DOMAINS["source"], DOMAINS["mixed"]


def test_domains_are_listed_by_their_names():
    assert list(DOMAINS) == [
        "source",
        "mixed",
        "evening",
        "retro",
        "robot",
        "sensor",
        "clutter",
    ]
    assert all(domain.name == name for name, domain in DOMAINS.items())


@pytest.mark.parametrize(
    "name, prefixes",
    [
        ("robot", ("camera_", "field_of_view")),
        ("clutter", ("clutter",)),
    ],
)
def test_a_domain_changes_only_what_it_is_about(name, prefixes):
    for field in dataclasses.fields(Domain)[1:]:
        is_equal = getattr(DOMAINS[name], field.name) == getattr(
            SOURCE, field.name
        )
        assert is_equal != field.name.startswith(prefixes), field.name


def test_domains_are_immutable_hashable_and_picklable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SOURCE.blur = (0.0, 1.0)
    assert len(set(DOMAINS.values())) == len(DOMAINS)
    assert pickle.loads(pickle.dumps(MIXED)) == MIXED


def test_replace():
    dim = SOURCE.replace(name="dim", exposure=(0.1, 0.2))
    assert dim.exposure == (0.1, 0.2)
    assert dim.replace(name="source", exposure=SOURCE.exposure) == SOURCE


def test_toward_is_linear_in_ranges_weights_and_numbers():
    quarter = SOURCE.toward(MIXED, 0.25)
    assert quarter.name == "source-mixed-0.25"
    assert quarter.exposure == pytest.approx(
        (0.75 * 0.92 + 0.25 * 0.45, 0.75 * 1.12 + 0.25 * 0.8)
    )
    assert quarter.painted_wood == pytest.approx(0.75 * 0.15 + 0.25 * 0.22)
    walls = dict(quarter.wall_kinds)
    assert walls["plain"] == pytest.approx(0.75 * 0.7 + 0.25 * 0.55)
    assert walls["brick"] == pytest.approx(0.25 * 0.03)


def test_toward_starts_here_and_ends_there():
    end = SOURCE.toward(MIXED, 1.0)
    for field in dataclasses.fields(Domain)[1:]:
        if field.name.endswith("_kinds"):
            kinds = {k: w for k, w in getattr(end, field.name) if w > 0}
            assert kinds == dict(getattr(MIXED, field.name))
        else:
            expected = getattr(MIXED, field.name)
            assert getattr(end, field.name) == pytest.approx(expected)
    start = SOURCE.toward(DOMAINS["evening"], 0.0)
    assert start.replace(name="source") == SOURCE


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"name": "a/b"}, "`name` of a domain must"),
        ({"blur": 0.3}, r"`blur` must be a \(low, high\) pair"),
        ({"wall_kinds": {"velvet": 1.0}}, "`wall_kinds` must give"),
        ({"floor_kinds": {"wood": 0.0}}, "`floor_kinds` must give"),
        ({"floor_kinds": {}}, "`floor_kinds` must give"),
        ({"fabric_kinds": {"wood": -1.0, "dots": 2.0}}, "non-negative"),
    ],
)
def test_malformed_domains_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        SOURCE.replace(**changes)


def test_get():
    assert domains.get("robot") is DOMAINS["robot"]
    assert domains.get(MIXED) is MIXED
    for unknown in ("moon", None, ["source"]):
        with pytest.raises(ValueError, match="'source', 'mixed', 'evening'"):
            domains.get(unknown)
