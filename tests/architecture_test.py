"""The rooms of the package: what each may import, and what belongs where."""

import ast
import pathlib

import pytest

import keras_s4t

ROOT = pathlib.Path(keras_s4t.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# What each room may import from this package, from the top floor down.
MAY_IMPORT = {
    "live": {
        "backend",
        "batches",
        "checks",
        "curves",
        "data",
        "files",
        "methods",
        "state",
        "training",
        "version",
    },
    "data": {
        "batches",
        "checks",
        "files",
        "imagenet",
        "layers",
        "plots",
        "tasks",
        "version",
    },
    "plots": {"curves", "files", "tasks"},
    "callbacks": {"curves", "state", "tasks"},
    "training": {
        "backend",
        "batches",
        "checks",
        "export",
        "layers",
        "methods",
        "models",
        "presets",
        "state",
    },
    "methods": {"checks", "layers", "losses", "vectors"},
    "models": {
        "backend",
        "checks",
        "export",
        "imagenet",
        "layers",
        "presets",
        "state",
    },
    "export": {"backend", "files", "state"},
    "presets": {"files", "version"},
    "tasks": {"backend", "losses", "metrics", "vectors"},
    "curves": {"files"},
    "layers": set(),
    "losses": {"backend", "checks", "vectors"},
    "metrics": {"backend", "vectors"},
    "optimizers": set(),
    "state": {"backend"},
    "backend": set(),
    "batches": set(),
    "checks": {"imagenet"},
    "files": set(),
    "imagenet": set(),
    "processor": set(),
    "vectors": set(),
    "version": set(),
}
# Rooms whose files serve at least two others. Every method is a room.
SHARED = ("layers", "losses")

# The backends, and what only the data path needs.
HEAVY = {"tensorflow", "jax", "torch", "tensorflow_datasets"}
# The release's checkpoints are PyTorch's, whatever the backend.
READS_PYTORCH = "models/release/file.py"
# Exports are TensorFlow's, whatever the backend.
WRITES_TENSORFLOW = "export/formats.py"
# So is the writer of TensorBoard's files.
WRITES_TENSORBOARD = "live/monitors/tensorboard_log.py"
MAY_IMPORT_HEAVY = (
    "backend/",
    "data/",
    "batches.py",
    READS_PYTORCH,
    WRITES_TENSORFLOW,
    WRITES_TENSORBOARD,
)


def name_of(path):
    """The path within the package, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


def room(path):
    """The top-level name that a module belongs to, without the suffix."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def inner_room(path):
    """As `room`, but every method is one of its own."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "/".join(parts[:2]) if parts[0] == "methods" else parts[0]


def imports(path, top_level_only=False):
    """The absolute names that a module imports."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"relative import in {path}"
            yield from (f"{node.module}.{a.name}" for a in node.names)


def own_files(name):
    """The files of this package that an imported name comes from."""
    parts = name.split(".")[1:]
    for count in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:count])
        if path.with_suffix(".py").exists():
            return {path.with_suffix(".py")}
        if (path / "__init__.py").exists():
            return {path / "__init__.py"}
    return {ROOT / "__init__.py"}


def used_files(path):
    """The files that a module imports, `losses.x` being the file of `x`."""
    tree = ast.parse(path.read_text())
    attributes = {
        f"keras_s4t.{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in SHARED
    }
    files = set()
    for name in {*imports(path), *attributes}:
        if name.split(".")[0] != "keras_s4t":
            continue
        (file,) = own_files(name)
        if file.name == "__init__.py":
            # Where the package got it from.
            exported = {
                imported.rpartition(".")[2]: imported
                for imported in imports(file)
                if imported.startswith("keras_s4t.")
            }
            name = exported.get(name.rpartition(".")[2], "")
            files |= own_files(name) if name else set()
        else:
            files.add(file)
    return files


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module(path):
    name = name_of(path)
    assert "keras.src" not in path.read_text()
    for imported in imports(path):
        head, *rest = imported.split(".")
        if head in HEAVY:
            assert name.startswith(MAY_IMPORT_HEAVY), imported
        if head == "keras_s4t" and name != "__init__.py":
            assert rest[0] in MAY_IMPORT[room(path)] | {room(path)}, imported


def test_every_room_has_its_rule():
    assert {room(path) for path in MODULES} - {"__init__"} == set(MAY_IMPORT)


def test_the_rules_have_no_circle():
    floors = list(MAY_IMPORT)
    for i, name in enumerate(floors):
        assert not MAY_IMPORT[name] & set(floors[:i]), name


def test_methods_do_not_import_each_other():
    for path in MODULES:
        if room(path) != "methods" or inner_room(path) == "methods/__init__":
            continue
        for used in used_files(path):
            if room(used) == "methods" and inner_room(used) != inner_room(path):
                assert used.name in ("method.py", "requirements.py"), path


@pytest.mark.parametrize("shared", SHARED)
def test_a_shared_file_serves_two_rooms(shared):
    users = {path: used_files(path) for path in MODULES}
    for file in (ROOT / shared).glob("*.py"):
        if file.name == "__init__.py":
            continue
        # Files of the same room pass on what they serve.
        serving, rooms = {file}, set()
        while serving:
            found = {p for p, used in users.items() if used & serving}
            found = {p for p in found if p.name != "__init__.py"}
            rooms |= {inner_room(p) for p in found if room(p) != shared}
            serving = {p for p in found if room(p) == shared} - serving
        assert len(rooms) >= 2, f"{name_of(file)} serves {rooms} alone"


def test_the_data_path_imports_tensorflow_lazily():
    builders = ROOT / "data" / "builders"
    for path in sorted((ROOT / "data").rglob("*.py")):
        if builders not in path.parents:
            top_level = {n.split(".")[0] for n in imports(path, True)}
            assert not top_level & HEAVY, path


@pytest.mark.parametrize(
    "name, backend",
    [
        (READS_PYTORCH, "torch"),
        (WRITES_TENSORFLOW, "tensorflow"),
        (WRITES_TENSORBOARD, "tensorflow"),
    ],
)
def test_files_of_one_library_import_it_lazily(name, backend):
    path = ROOT / name
    heads = {n.split(".")[0] for n in imports(path)}
    assert heads & HEAVY == {backend}
    assert not {n.split(".")[0] for n in imports(path, True)} & HEAVY


def test_keras_is_imported_first():
    for path in MODULES:
        names = [n.split(".")[0] for n in imports(path, True)]
        heavy = [i for i, name in enumerate(names) if name in HEAVY]
        if heavy and "keras" in names:
            assert names.index("keras") < heavy[0], path


def test_no_task_is_named_outside_its_table():
    table = set(keras_s4t.tasks.TASKS)
    for path in MODULES:
        if room(path) == "tasks" or "synth_rooms" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                constants = {
                    child.value
                    for child in ast.walk(node)
                    if isinstance(child, ast.Constant)
                    and isinstance(child.value, str)
                }
                assert not constants & table, f"{path}:{node.lineno}"


def test_everything_exported_has_a_docstring():
    for module in (
        keras_s4t.callbacks,
        keras_s4t.curves,
        keras_s4t.data,
        keras_s4t.layers,
        keras_s4t.live,
        keras_s4t.losses,
        keras_s4t.methods,
        keras_s4t.metrics,
        keras_s4t.models,
        keras_s4t.plots,
        keras_s4t.tasks,
    ):
        for name in module.__all__:
            value = getattr(module, name)
            assert isinstance(value, (dict, tuple)) or value.__doc__, name
