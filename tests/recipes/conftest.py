import importlib

import keras
import pytest
import tiny_config

import keras_s4t

# Recipes name no backend: they are tested on PyTorch, which need not compile,
# and what measures or compares backends on all.
if keras.backend.backend() != "torch":
    collect_ignore_glob = [
        "adapt_images_test.py",
        "compare_methods_test.py",
        "comparison/*",
        "continual_test.py",
        "draw_figures_test.py",
        "live_video_test.py",
        "synchronizer_accuracy_test.py",
        "train_source_test.py",
    ]


@pytest.fixture
def load_recipe():
    """Imports a program or a module of its machinery, by its name."""
    return importlib.import_module


@pytest.fixture
def loader(monkeypatch):
    """Random images instead of datasets."""
    loader = tiny_config.Loader()
    monkeypatch.setattr(keras_s4t.data, "load", loader)
    return loader


@pytest.fixture
def compare(load_recipe, loader, tmp_path):
    """`compare_methods` with the tiny network, into a folder of the test."""
    recipe = load_recipe("compare_methods")

    def compare(methods, output="comparison", **options):
        return recipe.compare_methods(
            methods,
            config=tiny_config.make_config(),
            output=tmp_path / output,
            **{**tiny_config.SETTINGS, **options},
        )

    return compare
