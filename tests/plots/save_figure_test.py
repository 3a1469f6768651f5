import pathlib
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from PIL import Image

from keras_s4t import plots
from keras_s4t import tasks
from keras_s4t.plots.save_figure import check_figure_path
from keras_s4t.plots.save_figure import save_figure


class BreakingFigure:
    def savefig(self, path, **kwargs):
        pathlib.Path(path).write_bytes(b"half")
        raise OSError("The disk is full.")


@pytest.fixture
def figure():
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().set_title("A title")
    return figure


def test_png_in_a_new_folder(figure, tmp_path):
    save_figure(figure, tmp_path / "new" / "figure.PNG")
    with Image.open(tmp_path / "new" / "figure.PNG") as image:
        assert image.format == "PNG"
        assert image.size == (600, 300)
    assert [p.name for p in tmp_path.rglob("*")] == ["new", "figure.PNG"]


def test_pdf_embeds_whole_fonts_and_repeats_itself(figure, tmp_path):
    before = matplotlib.rcParams["pdf.fonttype"]
    save_figure(figure, str(tmp_path / "a.pdf"))
    save_figure(figure, str(tmp_path / "b.pdf"))
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Type3" not in content
    assert content == (tmp_path / "b.pdf").read_bytes()
    assert matplotlib.rcParams["pdf.fonttype"] == before


def test_failure_keeps_the_old_file_and_nothing_else(figure, tmp_path):
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="full"):
        save_figure(BreakingFigure(), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_formats_raise(figure, tmp_path):
    check_figure_path(None)
    with pytest.raises(ValueError, match="must end in one of .* Received"):
        check_figure_path("figure.jpg")
    with pytest.raises(ValueError, match="must end in one of .* Received"):
        save_figure(figure, tmp_path / "new" / "figure")
    assert not list(tmp_path.iterdir())


def test_figures_do_not_belong_to_pyplot(tmp_path):
    task_list = [tasks.depth()]
    depth = {"depth": np.ones((1, 4, 4, 1), "float32")}
    curve = SimpleNamespace(
        points=[{"step": step, "depth_rmse": 1.0} for step in (0, 1)]
    )
    measures = {
        "gain": 1.0,
        "step_variance": 1.0,
        "dynamic_time_warping": 1.0,
        "cosine_similarity": 0.5,
    }
    path = tmp_path / "figure.png"
    plots.adaptation_curves({"S4T": curve}, task_list, path=path)
    plots.prediction_grid(
        np.zeros((1, 4, 4, 3), "float32"), {"S4T": depth}, task_list, path=path
    )
    plots.synchronization({"S4T": measures, "Tent": measures}, path)
    # Pyplot keeps its figures, and would open windows with them.
    assert not pyplot.get_fignums()
