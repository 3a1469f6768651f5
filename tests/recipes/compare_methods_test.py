"""A comparison as a user would make it, with the tiny network."""

import json

import keras
import numpy as np
import pytest
import tiny
import tiny_config
from tiny_config import Entropy

import keras_s4t


class Joint(Entropy):
    """Trained with the network."""

    needs_source = ("training",)

    def source_loss(self, trainer, images, features, supervise):
        return {"norm": 10.0 * keras.ops.mean(keras.ops.square(features["P2"]))}


class Frozen(Entropy):
    """Learns on the trained network, and what it learns is counted."""

    needs_source = ("training",)
    frozen_network = True

    def build(self, features_shape):
        self.mean = self.add_weight(shape=(), initializer="zeros", name="mean")
        self.built = True

    def source_loss(self, trainer, images, features, supervise):
        x = keras.ops.stop_gradient(features["P2"])
        return {"distance": keras.ops.mean(keras.ops.square(x - self.mean))}


class Statistics(Joint):
    """Collects on the source, after training with the network."""

    needs_source = ("training", "statistics")

    def build(self, features_shape):
        self.count = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="count"
        )
        self.built = True

    def collect(self, features):
        self.count.assign_add(1.0)


class Batch(Entropy):
    """Predicts with the statistics of every batch."""

    bn_mode = "batch"


def runs_of(results, **values):
    return [
        run
        for run in results["runs"].values()
        if all(run[name] == value for name, value in values.items())
    ]


def test_a_method_of_ones_own(compare, tmp_path):
    results = compare({"Mine": Entropy}, targets=["tiny/dusk"])
    assert list(results["contenders"]) == [
        "SourceOnly",
        "BatchNormOnly",
        "Mine",
    ]
    for name in results["contenders"]:
        runs = runs_of(results, contender=name)
        assert [run["seed"] for run in runs] == [0, 1]
        steps = [0] if name == "SourceOnly" else [0, 1, 2]
        assert all(run["curve"]["step"] == steps for run in runs)
    mine, control = (
        runs_of(results, contender=name, seed=0)[0]["curve"]
        for name in ("Mine", "BatchNormOnly")
    )
    assert mine["depth_rmse"][0] == control["depth_rmse"][0]
    assert mine["depth_rmse"][1] != control["depth_rmse"][1]
    folder = tmp_path / "comparison"
    assert json.loads((folder / "results.json").read_text()) == results
    text = (folder / "tables.md").read_text()
    for name in ("Base", "BatchNormOnly", "Mine"):
        assert f"\n| {name} | " in text
    assert {path.name for path in folder.iterdir()} == {
        "costs.csv",
        "curves_tiny_dusk.pdf",
        "curves_tiny_dusk.png",
        "metrics.csv",
        ".results.json.lock",
        "results.json",
        "sources",
        "synchronization_tiny_dusk.pdf",
        "synchronization_tiny_dusk.png",
        "tables.md",
    }


def test_points_are_those_of_an_adapter(compare, loader, load_recipe):
    """The same adaptation without any recipe."""
    results = compare({"Mine": Entropy}, targets=["tiny/dawn"], seeds=[1])
    settings = load_recipe("comparison.settings").Settings(
        config=tiny_config.make_config(),
        output=results["settings"]["output"],
        **tiny_config.SETTINGS,
    )
    sources = load_recipe("comparison.source_models").SourceModels(
        settings, results
    )
    network = sources.trained(1, sources.plain).network
    adapter = keras_s4t.TargetAdapter(network, Entropy())
    adapter.compile()
    target = loader("tiny/dawn", "test", network.tasks, 4, num_examples=8)
    logs = [adapter.evaluate(target, verbose=0, return_dict=True)]
    images = next(iter(target))[0]
    for _ in range(2):
        adapter.fit(np.asarray(images), batch_size=4, verbose=0)
        logs.append(adapter.evaluate(target, verbose=0, return_dict=True))
    (run,) = runs_of(results, contender="Mine")
    for key in ("semseg_miou", "depth_rmse"):
        expected = [log[key] for log in logs]
        np.testing.assert_allclose(run["curve"][key], expected, rtol=2e-5)


class Interruption:
    """Counts calls of a function, and breaks one of them off."""

    def __init__(self, function, at=None):
        self.function, self.at, self.calls = function, at, 0

    def __call__(self, *args, **kwargs):
        if self.calls == self.at:
            raise KeyboardInterrupt
        self.calls += 1
        return self.function(*args, **kwargs)


@pytest.fixture
def interrupted(load_recipe, monkeypatch):
    """Interrupts what trains or adapts at a given call of it.

    Nothing is drawn, which takes longer than all the rest.
    """
    recipe = load_recipe("compare_methods")
    monkeypatch.setattr(recipe, "draw", lambda *args: None)
    recipes = {
        "adapt": (load_recipe("comparison.comparison"), "measure_curve"),
        "train": (
            load_recipe("comparison.source_models").SourceModels,
            "_train",
        ),
        "time": (load_recipe("comparison.comparison"), "measure_costs"),
    }
    originals = {k: getattr(*place) for k, place in recipes.items()}

    def interrupted(**at):
        counters = {}
        for name, (owner, attribute) in recipes.items():
            counter = Interruption(originals[name], at.get(name))
            counters[name] = counter
            monkeypatch.setattr(
                owner,
                attribute,
                # A function, so that it is bound to what it belongs to.
                lambda *args, counter=counter, **kw: counter(*args, **kw),
            )
        return counters

    return interrupted


@pytest.mark.slow
def test_an_interrupted_comparison_repeats_nothing(compare, interrupted):
    methods = {"Mine": Entropy, "Joint": Joint}
    counters = interrupted()
    whole = compare(methods, "whole", seeds=[0])
    total = {name: counter.calls for name, counter in counters.items()}
    # Base, control and Mine on the plain network, control and Joint on the
    # other, two targets.
    assert total == {"adapt": 10, "train": 2, "time": 4}

    calls = dict.fromkeys(total, 0)
    for stop in ({"adapt": 4}, {"time": 0}, {"train": 0}, {"adapt": 2}, {}):
        counters = interrupted(**stop)
        if stop:
            with pytest.raises(KeyboardInterrupt):
                compare(methods, seeds=[0])
        else:
            again = compare(methods, seeds=[0])
        for name, counter in counters.items():
            calls[name] += counter.calls
    assert calls == total
    for part in ("plan", "contenders", "tasks"):
        assert again[part] == whole[part]
    assert set(again["runs"]) == set(whole["runs"])
    for key, run in whole["runs"].items():
        assert {**again["runs"][key], "seconds": 0} == {**run, "seconds": 0}

    counters = interrupted()
    compare(methods, seeds=[0])
    assert [counter.calls for counter in counters.values()] == [0, 0, 0]


def test_only_what_a_setting_changes_is_done_again(compare, interrupted):
    def calls(**settings):
        counters = interrupted()
        options = {"seeds": (0,), "targets": ["tiny/dusk"], **settings}
        results = compare({"Mine": options.pop("mine", Entropy)}, **options)
        assert len(results["plan"]) == 3 * len(options["targets"])
        return counters["adapt"].calls, counters["train"].calls

    assert calls() == (3, 1)
    assert calls() == (0, 0)
    assert calls(targets=["tiny/dusk", "tiny/dawn"]) == (3, 0)
    assert calls(steps=1) == (3, 0)
    assert calls(num_source=4) == (3, 1)
    assert calls(protocol="episodic") == (3, 0)
    # The first setting is still there, until it is to be forgotten.
    assert calls() == (0, 0)
    assert calls(fresh=True) == (3, 1)


MINE = """
import keras
import keras_s4t


class Mine(keras_s4t.methods.Method):
    bn_mode = "update"
    needs_source = ("training",)

    def source_loss(self, trainer, images, features, supervise):
        return {"norm": 1.0 * keras.ops.mean(features["P2"])}

    def target_loss(self, adapter, images, features):
        return keras.ops.mean(features["P2"])
"""


@pytest.mark.slow
def test_a_changed_line_counts_and_a_changed_comment_does_not(
    compare, interrupted, monkeypatch, load_recipe
):
    def calls(text=MINE):
        module = {"__name__": "mine"}
        exec(compile(text, "mine.py", "exec"), module)
        counters = interrupted()
        compare({"Mine": module["Mine"]}, seeds=(0,), targets=["tiny/dusk"])
        return counters["adapt"].calls, counters["train"].calls

    # Base and the control on the plain model, the control and Mine on Mine's.
    assert calls() == (4, 2)
    assert calls(f"# A comment.\n{MINE}") == (0, 0)
    line = "def target_loss(self, adapter, images, features):\n"
    text = MINE.replace(line, f'{line}        """Text."""\n')
    assert text != MINE and calls(text) == (0, 0)
    assert calls(MINE.replace("1.0 *", "2.0 *")) == (2, 1)
    keys = load_recipe("comparison.keys")
    monkeypatch.setattr(keys, "NUMERICS", keys.NUMERICS + 1)
    assert calls() == (4, 2)


@pytest.mark.slow
def test_who_starts_from_which_source_model(compare, interrupted, load_recipe):
    counters = interrupted()
    methods = [Joint, Frozen, Statistics, Batch]
    results = compare(
        {method.__name__: method for method in methods},
        seeds=(0,),
        targets=["tiny/dusk"],
    )
    networks = {
        name: contender["network"]
        for name, contender in results["contenders"].items()
    }
    assert networks == {
        "SourceOnly": "plain",
        "BatchNormOnly": "plain",
        "BatchNormBatch": "plain",
        "Joint": "Joint",
        "Frozen": "plain",
        "Statistics": "Statistics",
        "Batch": "plain",
    }
    assert counters["train"].calls == 4
    on = [run["network"] for run in runs_of(results, contender="BatchNormOnly")]
    assert on == ["plain", "Joint", "Statistics"]
    starts = {}
    for run in results["runs"].values():
        start = [values[0] for values in run["curve"].values()]
        starts.setdefault(run["network"], []).append(start)
    for points in starts.values():
        assert all(point == points[0] for point in points)
    assert starts["plain"][0] != starts["Joint"][0]

    settings = load_recipe("comparison.settings").Settings(
        config=tiny_config.make_config(),
        output=results["settings"]["output"],
        **tiny_config.SETTINGS,
    )
    sources = load_recipe("comparison.source_models").SourceModels(
        settings, results
    )
    contenders = {
        contender.name: contender
        for contender in load_recipe("comparison.contenders").make_contenders(
            {method.__name__: method for method in methods}, settings
        )
    }
    plain = sources.trained(0, contenders["SourceOnly"]).network
    weights = tiny.numpy_values(plain.weights)
    network, frozen = sources.get(0, contenders["Frozen"], contenders["Frozen"])
    assert not tiny.moved(network.weights, weights)
    assert tiny.numpy_values([frozen.mean])[0] != 0
    assert not frozen.missing
    network, _ = sources.get(
        0, contenders["Joint"], contenders["BatchNormOnly"]
    )
    assert tiny.moved(network.weights, weights)


@pytest.mark.slow
def test_tuning_never_sees_a_target(compare, loader, load_recipe, monkeypatch):
    comparison = load_recipe("comparison.comparison")
    tuning = load_recipe("shared.tuning")
    counter = Interruption(tuning.adapt)
    monkeypatch.setattr(tuning, "adapt", counter)
    per_method = {}
    original = comparison.tune

    def tune(network, method, *args):
        before = counter.calls
        choice = original(network, method, *args)
        per_method[type(method).__name__] = counter.calls - before
        assert not set(loader.names) & set(tiny_config.TARGETS)
        return choice

    monkeypatch.setattr(comparison, "tune", tune)
    options = dict(seeds=(0,), targets=["tiny/dusk"], tune=True)
    methods = {"Mine": Entropy, "Joint": Joint}
    results = compare(methods, **options)
    # Six corruptions; the control has no learning rate to choose.
    assert per_method == {"BatchNormOnly": 6, "Entropy": 12, "Joint": 12}
    assert len(results["budget"]["corruptions"]) == 6
    for name in ("Mine", "Joint"):
        contender = results["contenders"][name]
        tuned = results["tuning"][contender["tuning"]]
        assert contender["default_learning_rate"] == pytest.approx(0.1)
        assert tuned["learning_rates"] == pytest.approx([0.1, 1.0])
        gains = np.array(tuned["mean_gains"], "float64")
        assert gains.shape == (2, 3)
        assert (gains[:, 0] == 0).all()
        rate = tuned["learning_rates"].index(contender["learning_rate"])
        step = tuned["steps"].index(contender["step"])
        assert step > 0
        assert gains[rate, step] == gains[:, 1:].max()
    before = dict(per_method)
    compare(methods, **options)
    assert per_method == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"methods": ["Nothing"]}, "Nothing"),
        ({"methods": {"Mine": dict}}, "makes a `Method`.*Mine"),
        ({"methods": {"plain": Entropy}}, "shared source model.*'plain'"),
        ({"methods": {"Base": Entropy}}, "`SourceOnly`.*'Base'"),
        ({"protocol": "nothing"}, "protocol='nothing'"),
        ({"steps": 0}, "steps=0"),
        ({"seeds": ()}, "seeds"),
        ({"num_statistics": 3}, "num_statistics=3"),
        ({"costs": "nowhere.json"}, "nowhere.json"),
    ],
)
def test_bad_settings(compare, settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        compare(**{"methods": {"Mine": Entropy}, **settings})
    assert not (tmp_path / "comparison" / "results.json").exists()
