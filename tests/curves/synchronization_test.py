import numpy as np
import pytest

from keras_s4t import curves as measures

CURVES = {
    "semseg": [0, 20, 40, 50, 130 / 3],
    "depth": [0, 5, 10, 12.5, 15],
    "normals": [0, 10, 20, 15, 5],
}
every_measure = pytest.mark.parametrize(
    "measure",
    [
        measures.step_variance,
        measures.dynamic_time_warping,
        measures.cosine_similarity,
        measures.synchronization,
    ],
)


def pair(first, second):
    return {first: CURVES[first], second: CURVES[second]}


def random_curves(seed, tasks=4, steps=9):
    rng = np.random.default_rng(seed)
    curves = np.cumsum(rng.normal(size=(tasks, steps)), axis=1)
    return {f"task {i}": curve for i, curve in enumerate(curves)}


def test_golden_step_variance():
    assert measures.step_variance(CURVES) == pytest.approx(2 / 3)


def test_golden_dynamic_time_warping():
    for names, expected in {
        ("semseg", "depth"): 105.8333,
        ("semseg", "normals"): 103.3333,
        ("depth", "normals"): 22.5,
    }.items():
        value = measures.dynamic_time_warping(pair(*names))
        assert value == pytest.approx(expected, abs=1e-4)
    value = measures.dynamic_time_warping(CURVES)
    assert value == pytest.approx(77.2222, abs=1e-4)


def test_golden_cosine_similarity():
    for names, expected in {
        ("semseg", "depth"): 0.8574929,
        ("semseg", "normals"): 0.7520710,
        ("depth", "normals"): 0.4385290,
    }.items():
        value = measures.cosine_similarity(pair(*names))
        assert value == pytest.approx(expected, abs=1e-6)
    value = measures.cosine_similarity(CURVES)
    assert value == pytest.approx(0.6826977, abs=1e-6)


def test_all_at_once():
    assert measures.synchronization(CURVES) == {
        "step_variance": measures.step_variance(CURVES),
        "dynamic_time_warping": measures.dynamic_time_warping(CURVES),
        "cosine_similarity": measures.cosine_similarity(CURVES),
    }


@pytest.mark.parametrize("seed", range(5))
def test_dynamic_time_warping_as_in_dtaidistance(seed):
    dtw = pytest.importorskip("dtaidistance.dtw")
    curves = random_curves(seed)
    values = list(curves.values())
    expected = np.mean(
        [
            dtw.distance(values[i], values[j], inner_dist="euclidean")
            for i in range(4)
            for j in range(i)
        ]
    )
    assert measures.dynamic_time_warping(curves) == pytest.approx(expected)


def test_dynamic_time_warping_over_all_paths():
    first, second = random_curves(0, tasks=2, steps=4).values()

    def best(a, b):
        """Lowest cost from a pair of steps to the end, by brute force."""
        here = abs(first[a] - second[b])
        if a == b == 3:
            return here
        moves = [(a + 1, b), (a, b + 1), (a + 1, b + 1)]
        return here + min(best(*m) for m in moves if max(m) < 4)

    value = measures.dynamic_time_warping({"a": first, "b": second})
    assert value == pytest.approx(best(0, 0))


def test_cosine_similarity_formula():
    curves = random_curves(1)
    changes = np.diff(list(curves.values()), axis=1)
    changes /= np.linalg.norm(changes, axis=1, keepdims=True)
    expected = (changes @ changes.T)[np.triu_indices(4, 1)].mean()
    assert measures.cosine_similarity(curves) == pytest.approx(expected)
    scaled = {task: 7 * curve for task, curve in curves.items()}
    assert measures.cosine_similarity(scaled) == pytest.approx(expected)


def test_step_variance_takes_the_first_of_equal_peaks():
    curves = {"a": [0, 3, 1, 3], "b": [0, 3, 3, 1], "c": [0, 1, 2, 5]}
    assert measures.step_variance(curves) == pytest.approx(np.var([1, 1, 3]))


def test_equal_curves_are_synchronized():
    curves = {task: CURVES["semseg"] for task in CURVES}
    assert measures.synchronization(curves) == {
        "step_variance": 0,
        "dynamic_time_warping": 0,
        "cosine_similarity": pytest.approx(1),
    }


def test_one_task():
    values = measures.synchronization({"depth": CURVES["depth"]})
    assert values["step_variance"] == 0
    assert np.isnan(values["dynamic_time_warping"])
    assert np.isnan(values["cosine_similarity"])


def test_flat_curve():
    curves = {**CURVES, "edge": [0, 0, 0, 0, 0]}
    with pytest.warns(
        UserWarning, match=r"Received: constant curves \['edge'\]"
    ):
        value = measures.cosine_similarity(curves)
    # Three of the six pairs have similarity 0.
    assert value == pytest.approx(0.6826977 / 2, abs=1e-6)


@every_measure
@pytest.mark.parametrize(
    "curves",
    [
        {},
        {"a": [], "b": []},
        {"a": 1.0},
        {"a": [[0.0, 1.0]]},
        {"a": [0, 1], "b": [0, 1, 2]},
        {"a": [0, 1], "b": [0, float("nan")]},
        {"a": [0, float("inf")]},
    ],
)
def test_wrong_curves(measure, curves):
    with pytest.raises(ValueError, match="`curves` must.*Received"):
        measure(curves)
