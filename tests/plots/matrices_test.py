import numpy as np
import pytest

from keras_s4t.plots import mask_grid
from keras_s4t.plots import matrices

AFFINITY = [[1.0, 0.25], [0.25, 1.0]]


def test_numbers_stand_in_the_cells():
    figure = matrices(
        {"before": AFFINITY, "after": np.eye(2)}, ["semseg", "depth"]
    )
    before, after, _ = figure.axes
    assert before.get_title() == "before"
    texts = [text.get_text() for text in before.texts]
    assert texts == ["1.00", "0.25", "0.25", "1.00"]
    assert [text.get_text() for text in after.texts][1] == "0.00"
    assert [t.get_text() for t in before.get_xticklabels()] == [
        "semseg",
        "depth",
    ]


def test_bad_matrices(tmp_path):
    with pytest.raises(ValueError, match=r"shape \(2, 2\).*\(3, 3\)"):
        matrices({"before": np.eye(3)}, ["semseg", "depth"])
    matrices({"a": AFFINITY}, ["a", "b"], tmp_path / "matrices.png")
    assert (tmp_path / "matrices.png").stat().st_size


def test_a_row_per_strategy_and_a_column_per_task():
    mask = np.array([[1, 0, 0], [0, 1, 1]])
    figure = mask_grid(
        {
            "shared": {"depth": mask, "edge": mask},
            "random": {"depth": mask, "edge": 1 - mask},
        }
    )
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "shared",
        "",
        "random",
        "",
    ]
    assert [ax.get_title() for ax in figure.axes] == ["depth", "edge", "", ""]
    shown = [ax.images[0].get_array() for ax in figure.axes]
    np.testing.assert_array_equal(shown[0], mask)
    np.testing.assert_array_equal(shown[3], 1 - mask)


def test_bad_masks(tmp_path):
    mask = np.ones((2, 2))
    with pytest.raises(ValueError, match="same tasks.*'edge'"):
        mask_grid({"a": {"depth": mask}, "b": {"edge": mask}})
    mask_grid({"a": {"depth": mask}}, tmp_path / "masks.pdf")
    assert (tmp_path / "masks.pdf").stat().st_size
