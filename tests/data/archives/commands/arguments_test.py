import pytest

from keras_s4t.data.__main__ import main

FOLDER = ["--manual-dir", "downloads"]


@pytest.mark.parametrize(
    "command",
    [
        ["verify", "nyud_mt", *FOLDER, "--sample", "0"],
        ["verify", "nyud_mt", *FOLDER, "--sample", "-1"],
        ["check-normals", "nyud_mt", *FOLDER, "--num", "0"],
        ["check-normals", "nyud_mt", *FOLDER, "--field-of-view", "0"],
        ["check-normals", "nyud_mt", *FOLDER, "--field-of-view", "180"],
        ["show", "synth_rooms/source", "--num", "0"],
        ["show", "synth_rooms/source", "--size", "0"],
    ],
)
def test_numbers_have_a_range(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert command[-2] in error and f"Received: {command[-1]}" in error


def test_a_size_has_two_sides(capsys):
    command = ["show", "synth_rooms/source", "--size", "32", "32", "3"]
    assert main(command) == 1
    assert "`--size` must be" in capsys.readouterr().err


def test_configs_are_listed(tmp_path, capsys):
    command = ["build", "taskonomy_mt", "--manual-dir", str(tmp_path)]
    assert main([*command, "--config", "huge"]) == 1
    error = capsys.readouterr().err
    assert "'tiny_256'" in error and "Received: huge" in error


def test_what_is_not_installed_is_named(monkeypatch, capsys):
    """As where the extra with the dependency was left out."""

    def run(arguments):
        raise ImportError("Install it with `pip install scipy`.")

    monkeypatch.setattr("keras_s4t.data.archives.commands.verify.run", run)
    assert main(["verify", "nyud_mt", *FOLDER]) == 1
    assert "pip install scipy" in capsys.readouterr().err
