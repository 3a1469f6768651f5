"""What a key depends on, and what it does not."""

import dataclasses
import json
import pathlib

import keras
import numpy as np
import pytest
import tiny
import tiny_config
from comparison import contenders
from comparison import keys
from comparison.keys import Keys
from comparison.keys import signature
from comparison.keys import without_counters
from comparison.settings import Settings

import keras_s4t


def make_settings(config=None, **changes):
    return Settings(
        config=config or tiny_config.make_config(),
        **{**tiny_config.SETTINGS, **changes},
    )


METHODS = ("Tent", "TTT", "TTTFlow", "ActMAD")


def keys_of(settings, methods=METHODS):
    """The keys of everything, by name: trained, adapted and tuned."""
    own = Keys(settings)
    sources, runs, tuning = {}, {}, {}
    for contender in contenders.make_contenders(methods, settings):
        name = contender.name
        sources[name] = own.source(0, contender)
        runs[name] = own.run(0, contender, contender, None, settings.targets[0])
        tuning[name] = own.tuning(contender)
    return sources, runs, tuning


def changed(first, second):
    """Per kind of key, the names whose key is another."""
    return [
        {name for name in a if a[name] != b[name]}
        for a, b in zip(first, second, strict=True)
    ]


PLAIN = {"SourceOnly", "BatchNormOnly", "BatchNormBatch", "Tent", "ActMAD"}
TRAINED = {"TTT", "TTTFlow"}
ALL = {*PLAIN, *TRAINED}


def test_keys_are_the_same_again():
    # Layers have other names the second time.
    assert keys_of(make_settings()) == keys_of(make_settings())


def test_contenders_share_the_plain_source_model_only():
    sources, runs, tuning = keys_of(make_settings())
    assert len({sources[name] for name in PLAIN}) == 1
    assert len(set(sources.values())) == 3
    assert len({*runs.values(), *tuning.values()}) == 2 * len(ALL)
    own = Keys(make_settings())
    tent = contenders.make_contender("Tent", "Tent", own.settings)
    assert own.source(0, tent) != own.source(1, tent)
    assert own.run(0, tent, tent, 0.1, "tiny/dusk") != runs["Tent"]
    assert own.run(0, tent, tent, None, "tiny/dawn") != runs["Tent"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"epochs": 2}, (ALL, ALL, ALL)),
        ({"num_source": 4}, (ALL, ALL, ALL)),
        ({"source_batch_size": 8}, (ALL, ALL, ALL)),
        ({"steps_per_epoch": 1}, (ALL, ALL, ALL)),
        ({"source": "tiny/other"}, (ALL, ALL, ALL)),
        ({"method_epochs": 1}, (TRAINED, TRAINED, TRAINED)),
        ({"steps": 3}, (set(), ALL, ALL)),
        ({"batch_size": 2}, (set(), ALL, ALL)),
        ({"protocol": "online"}, (set(), ALL, ALL)),
        ({"num_target": 4}, (set(), ALL, set())),
        ({"split": "train"}, (set(), ALL, set())),
        ({"num_tuning": 4}, (set(), set(), ALL)),
        ({"factors": (1.0,)}, (set(), set(), ALL)),
        ({"num_statistics": 4}, (set(), {"ActMAD"}, {"ActMAD"})),
        ({"workers": 2, "cache": "elsewhere"}, (set(), set(), set())),
    ],
)
def test_settings(change, expected):
    before, after = keys_of(make_settings()), keys_of(make_settings(**change))
    assert changed(before, after) == list(expected)


def test_a_later_option_counts_only_when_it_is_used():
    """Else every source model would be trained again."""
    _, fields = json.loads(
        json.dumps(keras_s4t.data.Augmentation(), default=keys._plain)
    )
    assert set(fields) == {
        "flip",
        "zoom",
        "brightness",
        "contrast",
        "saturation",
        "hue",
    }
    used = keras_s4t.data.Augmentation(corruption=0.5)
    assert signature(used) != signature(keras_s4t.data.Augmentation())


def test_a_raised_version_of_the_numerics_changes_every_key(monkeypatch):
    before = keys_of(make_settings())
    monkeypatch.setattr(keys, "NUMERICS", keys.NUMERICS + 1)
    assert changed(before, keys_of(make_settings())) == [ALL, ALL, ALL]


CONFIGURATION = '''
import keras
import tiny
from configs.configuration import Configuration

import keras_s4t


class Mine(Configuration):
    """Text."""

    name, source, targets = "mine", "tiny/source", ("tiny/dusk",)

    def load_options(self, dataset):
        return {"size": self.size}

    def augmentation(self, dataset):
        return keras_s4t.data.Augmentation(hue=0.1)

    def make_tasks(self):
        return [keras_s4t.tasks.semseg(4), keras_s4t.tasks.depth(weight=1.0)]

    def make_network(self, seed=0):
        keras.utils.set_random_seed(seed)
        return keras_s4t.models.MultiTaskModel(
            tiny.TinyBackbone(filters=6), self.make_tasks()
        )

    def make_method(self, name, seed=0):
        options = {"TTT": {"hidden_dim": 8}}
        return keras_s4t.methods.get(name, **options.get(name, {}))

    def make_source_optimizer(self, num_steps, stage="network"):
        peak = {"network": 2e-3, "joint": 5e-4, "method": 1e-3}[stage]
        return keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(peak, num_steps)
        )

    def make_optimizer(self, learning_rate=None):
        return keras.optimizers.SGD(learning_rate or 1e-2)
'''


def keys_of_text(text):
    """The keys of a configuration of this text."""
    module = {"__name__": "mine"}
    exec(compile(text, "mine.py", "exec"), module)
    return keys_of(make_settings(module["Mine"](tiny.SIZE)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Text."""', '"""Other text."""'),
        ("        peak =", "        # A comment.\n\n        peak ="),
        ("(self, num_steps, stage", "(\n        self, num_steps, stage"),
        ("options = {", "unused = 3\n        options = {"),
    ],
)
def test_the_text_of_a_configuration_does_not_count(old, new):
    assert CONFIGURATION.count(old) == 1
    before = keys_of_text(CONFIGURATION)
    after = keys_of_text(CONFIGURATION.replace(old, new))
    assert changed(before, after) == [set(), set(), set()]


@pytest.mark.parametrize(
    ("old", "new", "sources"),
    [
        ("weight=1.0", "weight=2.0", ALL),
        ("filters=6", "filters=8", ALL),
        ('"network": 2e-3', '"network": 3e-3', ALL),
        ('"method": 1e-3', '"method": 2e-3', {"TTTFlow"}),
        ('"hidden_dim": 8', '"hidden_dim": 16', {"TTT"}),
        ("hue=0.1", "hue=0.2", ALL),
    ],
)
def test_the_values_of_a_configuration_count(old, new, sources):
    assert CONFIGURATION.count(old) == 1
    before = keys_of_text(CONFIGURATION)
    after = keys_of_text(CONFIGURATION.replace(old, new))
    assert changed(before, after) == [sources, sources, sources]


def test_options_of_the_target_change_its_runs_only():
    before = keys_of_text(CONFIGURATION)
    text = CONFIGURATION.replace(
        '        return {"size"',
        '        if "dusk" in dataset:\n            return {"size": 8}\n'
        '        return {"size"',
    )
    assert changed(before, keys_of_text(text)) == [set(), ALL, set()]


def test_options_of_a_configuration_count(load_recipe):
    configs = load_recipe("configs")
    plain = configs.get("nyud_taskonomy", preset="tiny", size=32)
    small = {"source": "nyud_mt", "targets": ("taskonomy_mt",)}
    before = keys_of(make_settings(plain, **small), ["TIPI"])
    for options in (
        {"legacy": ("feature_grid",)},
        {"legacy": ("inputs",)},
        {"legacy": ("affine_rmse",)},
        {"size": 64},
    ):
        other = dataclasses.replace(plain, **options)
        after = keys_of(make_settings(other, **small), ["TIPI"])
        everything = [set(keys) for keys in before]
        assert changed(before, after) == everything, options


def test_names_are_counted_from_0_and_stay_apart():
    def model():
        inputs = keras.Input((4,))
        x = keras.layers.Dense(3)(inputs)
        y = keras.layers.Dense(3)(x)
        return keras.Model(inputs, x + y)

    first, second = (
        keras.saving.serialize_keras_object(model()) for _ in range(2)
    )
    assert signature(first) == signature(second)
    config = [
        {"name": "dense_7"},
        {"name": "dense_9", "inputs": ["dense_7", 0, 0], "mode": "dense_7"},
        ["dense_8", 0, 0],
    ]
    assert without_counters(config) == [
        {"name": "dense#0"},
        {"name": "dense#1", "inputs": ["dense#0", 0, 0], "mode": "dense_7"},
        ["dense_8", 0, 0],
    ]


def test_signatures_of_values():
    values = [
        1,
        1.5,
        "1",
        None,
        [1, 2],
        np.arange(3),
        pathlib.Path("a"),
        {"a": 1},
        keras_s4t.data.Augmentation(),
        keras_s4t.data.Augmentation(hue=0.1),
    ]
    digests = [signature(value) for value in values]
    assert len(set(digests)) == len(values)
    assert digests == [signature(value) for value in values]
    assert signature(np.float64(1.5)) == signature(1.5)
    assert signature({"a": 1, "b": 2}) == signature({"b": 2, "a": 1})
