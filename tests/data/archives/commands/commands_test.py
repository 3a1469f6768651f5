"""The commands on generated archives, whole and with planted faults."""

import numpy as np
import pytest
from generated_archives import nyud
from generated_archives import pascal
from generated_archives import taskonomy
from PIL import Image

from keras_s4t.data.__main__ import main


def save(array, path):
    Image.fromarray(array).save(path)


def write_nyud(folder):
    root, _ = nyud.write(folder, "v3_png")
    return {
        "image": root / "images/0001.png",
        "mask": root / "segmentation/0001.png",
        "normals": root / "normals/0001.png",
        "numbers": root / "depth/0001.npy",
        "wrong": lambda path: np.save(path, np.full((24, 32), "far")),
        "out": 41,
    }


def write_pascal(folder):
    root, _ = pascal.write(folder)
    return {
        "image": root / "JPEGImages/2008_000001.jpg",
        "mask": root / "semseg/pascal-context/2008_000001.png",
        "normals": root / "normals_distill/2008_000001.png",
        "numbers": root / "normals_distill/2008_000002.png",
        "wrong": lambda path: save(np.zeros((24, 32), "uint8"), path),
        "out": 21,
    }


def write_taskonomy(folder):
    taskonomy.write(folder)
    taskonomy.write_table(folder, taskonomy.split_of_buildings())
    view = taskonomy.VIEWS["train"][0]
    return {
        "image": taskonomy.file(folder, view, "rgb"),
        "mask": taskonomy.file(folder, view, "segment_semantic"),
        "normals": taskonomy.file(folder, view, "normal"),
        "numbers": taskonomy.file(folder, view, "depth_zbuffer"),
        "wrong": lambda path: save(np.zeros((64, 64), "uint8"), path),
        "out": 18,
    }


WRITERS = {
    "nyud_mt": write_nyud,
    "pascal_mt": write_pascal,
    "taskonomy_mt": write_taskonomy,
}
every_dataset = pytest.mark.parametrize("dataset", WRITERS)


def verify(dataset, folder):
    return main(["verify", dataset, "--manual-dir", str(folder)])


@every_dataset
def test_nothing_is_wrong_with_a_whole_archive(dataset, tmp_path, capsys):
    WRITERS[dataset](tmp_path)
    assert verify(dataset, tmp_path) == 0
    output = capsys.readouterr().out
    images = 5 if dataset == "taskonomy_mt" else 3
    assert f"No fault in {images} images." in output
    assert "train: " in output and " files, " in output


def plant_missing(facts):
    facts["normals"].unlink()
    return facts["normals"]


def plant_truncated(facts):
    path = facts["normals"]
    path.write_bytes(path.read_bytes()[:-200])
    return path


def plant_wrong_dtype(facts):
    facts["wrong"](facts["numbers"])
    return facts["numbers"]


def plant_palette(facts):
    """A mask with colors for its ids; in PASCAL, of colors for its ids."""
    path = facts["mask"]
    image = Image.fromarray(np.array(Image.open(path)))
    image.putpalette(np.random.default_rng(0).bytes(768))
    if path.parent.name == "pascal-context":
        image = image.convert("RGB")
    image.save(path)
    return path


def plant_id(facts):
    ids = np.array(Image.open(facts["mask"]))
    ids[0, 0] = facts["out"]
    save(ids, facts["mask"])
    return facts["mask"]


PLANTERS = (
    plant_missing,
    plant_truncated,
    plant_wrong_dtype,
    plant_palette,
    plant_id,
)


@every_dataset
@pytest.mark.parametrize("plant", PLANTERS)
def test_a_planted_fault_is_named(dataset, plant, tmp_path, capsys):
    path = plant(WRITERS[dataset](tmp_path))
    assert verify(dataset, tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    (fault,) = (line for line in lines if line.startswith("- "))
    assert str(path) in fault


@every_dataset
def test_no_fault_hides_another(dataset, tmp_path, capsys):
    facts = WRITERS[dataset](tmp_path)
    planters = (plant_truncated, plant_wrong_dtype, plant_id)
    paths = {plant(facts) for plant in planters}
    assert verify(dataset, tmp_path) == 1
    output = capsys.readouterr().out
    assert all(str(path) in output for path in paths)
    assert "3 faults" in output


def test_labels_of_a_damaged_image_are_looked_for(tmp_path, capsys):
    facts = write_nyud(tmp_path)
    facts["image"].write_bytes(b"no image")
    facts["normals"].unlink()
    assert verify("nyud_mt", tmp_path) == 1
    output = capsys.readouterr().out
    assert f"{facts['image']} cannot be read" in output
    assert f"{facts['normals']} is missing" in output


def test_a_sample(tmp_path, capsys):
    write_nyud(tmp_path)
    command = ["verify", "nyud_mt", "--manual-dir", str(tmp_path)]
    assert main([*command, "--sample", "1"]) == 0
    output = capsys.readouterr().out
    assert "No fault in 2 images." in output
    assert "train: 2 images, of 795 that were published" in output


@every_dataset
def test_nothing_there(dataset, tmp_path, capsys):
    assert verify(dataset, tmp_path / "nowhere") == 1
    assert "nowhere" in capsys.readouterr().err
    command = ["build", dataset, "--manual-dir", str(tmp_path / "nowhere")]
    assert main([*command, "--data-dir", str(tmp_path / "data")]) == 1
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.eager
@every_dataset
def test_builds_and_shows(dataset, tmp_path, capsys):
    WRITERS[dataset](tmp_path / "download")
    config = ["--config", "debug"] if dataset == "taskonomy_mt" else []
    data_dir = ["--data-dir", str(tmp_path / "data")]
    folder = ["--manual-dir", str(tmp_path / "download")]
    assert main(["build", dataset, *folder, *data_dir, *config]) == 0
    assert "train: 2 images" in capsys.readouterr().out

    sheet = tmp_path / "sheet.png"
    command = ["show", "/".join([dataset, *config[1:]]), *data_dir]
    command += ["--output", str(sheet), "--num", "2", "--size", "32", "64"]
    assert main(command) == 0
    assert np.ptp(np.asarray(Image.open(sheet).convert("L"))) > 200


def test_images_of_several_sizes_need_one(tmp_path, capsys):
    write_pascal(tmp_path)
    data_dir = ["--data-dir", str(tmp_path / "data")]
    main(["build", "pascal_mt", "--manual-dir", str(tmp_path), *data_dir])
    sheet = str(tmp_path / "sheet.png")
    assert main(["show", "pascal_mt", *data_dir, "--output", sheet]) == 1
    assert "give `--size`" in capsys.readouterr().err


def test_unknown_datasets_are_not_shown(capsys):
    assert main(["show", "cityscapes"]) == 1
    assert "'nyud_mt'" in capsys.readouterr().err
