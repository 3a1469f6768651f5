import json

import numpy as np
import pytest

from keras_s4t.curves.curve import Curve

POINTS = [
    {"step": 0, "semseg_miou": 0.4, "depth_rmse": 2.0},
    {"step": 5, "semseg_miou": 0.5, "depth_rmse": 1.0},
    {"step": 10, "semseg_miou": 0.3, "depth_rmse": 1.0},
]
DIRECTIONS = {"semseg_miou": True, "depth_rmse": False}
# By hand: (25 + 50) / 2 and (-25 + 50) / 2 percent.
GAINS = [0.0, 37.5, 12.5]


@pytest.fixture
def curve():
    return Curve(POINTS, DIRECTIONS)


def test_gains(curve):
    assert curve.steps == [0, 5, 10]
    assert curve.gains == pytest.approx(GAINS)
    for step, gain in zip(curve.steps, GAINS, strict=True):
        assert curve.gain(step) == pytest.approx(gain)


def test_best_is_the_largest_gain(curve):
    assert curve.best == POINTS[1]
    assert Curve(POINTS[::2], DIRECTIONS).best["step"] == 10
    worse = {"step": 1, "semseg_miou": 0.3, "depth_rmse": 3.0}
    assert Curve([POINTS[0], worse], DIRECTIONS).best["step"] == 0


def test_a_diverged_point_is_never_the_best():
    broken = {"step": 1, "semseg_miou": 0.0, "depth_rmse": np.nan}
    curve = Curve([POINTS[0], broken, POINTS[1]], DIRECTIONS)
    assert np.isnan(curve.gain(1))
    assert curve.best["step"] == 5


def test_at_a_fixed_step(curve):
    assert curve.at(10) == POINTS[2]
    for missing in (1, 11):
        with pytest.raises(ValueError, match=rf"\[0, 5, 10\].*{missing}"):
            curve.at(missing)
        with pytest.raises(ValueError, match=f"step={missing}"):
            curve.gain(missing)


def test_relative_curves_go_up_when_better(curve):
    relative = curve.relative
    assert list(relative) == list(DIRECTIONS)
    np.testing.assert_allclose(relative["semseg_miou"], [0, 25, -25])
    np.testing.assert_allclose(relative["depth_rmse"], [0, 50, 50])


def test_an_empty_curve():
    with pytest.raises(ValueError, match="step=0"):
        Curve().gain(0)
    assert Curve().steps == Curve().gains == []
    with pytest.raises(ValueError, match="must have points.*Received: none"):
        _ = Curve().best


def test_curves_share_nothing():
    first, second = Curve(), Curve()
    first.points.append(POINTS[0])
    first.higher_is_better["depth_rmse"] = False
    assert not second.points and not second.higher_is_better


def test_saves_what_load_reads(curve, tmp_path):
    path = tmp_path / "new" / "curve.json"
    curve.save(path)
    loaded = Curve.load(str(path))
    assert loaded.points == POINTS
    assert loaded.higher_is_better == DIRECTIONS
    assert loaded.gains == curve.gains
    assert [p.name for p in path.parent.iterdir()] == ["curve.json"]
    assert json.loads(path.read_text())["points"] == POINTS


def test_a_diverged_curve_survives_the_file(tmp_path):
    broken = {"step": 1, "semseg_miou": 0.1, "depth_rmse": float("nan")}
    Curve([POINTS[0], broken], DIRECTIONS).save(tmp_path / "curve.json")
    assert np.isnan(Curve.load(tmp_path / "curve.json").at(1)["depth_rmse"])


def test_what_cannot_be_written_leaves_the_old_file(curve, tmp_path):
    path = tmp_path / "curve.json"
    curve.save(path)
    before = path.read_text()
    curve.points.append({"step": 15, "semseg_miou": object()})
    with pytest.raises(TypeError):
        curve.save(path)
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_truncated_file_is_named(curve, tmp_path):
    path = tmp_path / "curve.json"
    curve.save(path)
    text = path.read_text().rstrip()
    for length in (0, 1, len(text) // 2, len(text) - 1):
        path.write_text(text[:length])
        with pytest.raises(ValueError, match=r"complete curve.*curve\.json"):
            Curve.load(path)


@pytest.mark.parametrize(
    "content",
    [
        [],
        "curve",
        {},
        {"points": POINTS},
        {"higher_is_better": DIRECTIONS},
        {"points": 3, "higher_is_better": DIRECTIONS},
        {"points": [3], "higher_is_better": DIRECTIONS},
        {"points": POINTS, "higher_is_better": 3},
        {"points": [{"semseg_miou": 1.0}], "higher_is_better": {}},
        {"points": POINTS, "higher_is_better": {"edge_rmse": False}},
        {
            "points": [{"step": 0, "edge_rmse": "low"}],
            "higher_is_better": {"edge_rmse": False},
        },
        {
            "points": [{"step": 0, "edge_rmse": None}],
            "higher_is_better": {"edge_rmse": False},
        },
    ],
)
def test_other_json_is_no_curve(content, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"complete curve.*other\.json"):
        Curve.load(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        Curve.load(tmp_path / "none.json")


def test_gains_are_undefined_relative_to_nothing():
    points = [{"step": 0, "a": 0.0}, {"step": 5, "a": 0.5}]
    assert np.isnan(Curve(points, {"a": True}).gains).all()
    with pytest.raises(ValueError, match="before adaptation"):
        Curve(points, {"a": True}).gain(5)
