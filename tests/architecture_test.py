"""The shape of the package: import direction, file sizes, names."""

import ast
import pathlib

import pytest

import keras_s4t

ROOT = pathlib.Path(keras_s4t.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
MAX_LINES = 200

# What each part may import from this package, strictly downwards.
ALLOWED = {
    "files": set(),
    "version": set(),
    "backend": set(),
    "checks": set(),
    "colors": set(),
    "functional": set(),
    "snapshot": set(),
    "losses": set(),
    "metrics": {"files"},
    "optimizers": set(),
    "layers": {"backend", "losses"},
    "tasks": {"colors", "losses", "metrics"},
    "models": {"backend", "checks", "functional", "layers", "tasks"},
    "methods": {"layers", "losses"},
    "training": {"backend", "checks", "functional", "layers", "snapshot"},
    "callbacks": {"metrics", "snapshot"},
    "plots": {"files", "metrics"},
    "data": {"checks", "files", "plots", "tasks", "version"},
}
# The backends, and what only the data path may need.
HEAVY = {"tensorflow", "jax", "torch", "tensorflow_datasets"}
# The release's checkpoints are PyTorch's, whatever the backend.
READS_PYTORCH = "models/release_file.py"
MAY_IMPORT_HEAVY = ("backend/", "data/", READS_PYTORCH)


def part(path):
    """The top-level name a module belongs to, without the suffix."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path, top_level_only=False):
    """The absolute names a module imports."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"relative import in {path}"
            yield from (f"{node.module}.{a.name}" for a in node.names)


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda p: str(p.relative_to(ROOT))
)
def test_module(path):
    name = str(path.relative_to(ROOT))
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    assert "keras.src" not in text
    for imported in imports(path):
        head, *rest = imported.split(".")
        if head in HEAVY:
            assert name.startswith(MAY_IMPORT_HEAVY), imported
        if head == "keras_s4t" and name != "__init__.py":
            allowed = ALLOWED[part(path)] | {part(path)}
            assert rest[0] in allowed, imported


def test_every_part_has_its_rule():
    parts = {part(path) for path in MODULES} - {"__init__"}
    assert parts == set(ALLOWED)


def test_the_data_path_imports_tensorflow_lazily():
    builders = ROOT / "data" / "builders"
    for path in sorted((ROOT / "data").rglob("*.py")):
        if builders not in path.parents:
            top_level = {n.split(".")[0] for n in imports(path, True)}
            assert not top_level & HEAVY, path


def test_checkpoints_import_pytorch_lazily():
    path = ROOT / READS_PYTORCH
    heads = {n.split(".")[0] for n in imports(path)}
    assert heads & HEAVY == {"torch"}
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
        if part(path) == "tasks" or "synth_rooms" in path.parts:
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
        keras_s4t.data,
        keras_s4t.layers,
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
