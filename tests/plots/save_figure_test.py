import ast
import pathlib

import matplotlib
import pytest
from matplotlib.figure import Figure
from PIL import Image

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


def test_matplotlib_is_imported_late_and_pyplot_never():
    import keras_s4t.plots

    folder = pathlib.Path(keras_s4t.plots.__file__).parent
    files = list(folder.glob("*.py"))
    assert len(files) >= 5
    for path in files:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{a.name}" for a in node.names]
            else:
                continue
            assert not any("pyplot" in name for name in names), path
            if node in tree.body:
                assert not any("matplotlib" in name for name in names), path
