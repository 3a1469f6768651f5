"""Which changes of a user's code count."""

import types

import keras
import pytest
from comparison.code_digest import code_of
from comparison.code_digest import is_of_library
from comparison.keys import signature

import keras_s4t

CODE = '''
import keras

RATE = 0.1


def scaled(x):
    return RATE * x


class Base:
    power = 2


class Mine(Base):
    def target_loss(self, images, weight=1.0):
        """Text."""
        def inner(x):
            return scaled(x) ** self.power
        try:
            return weight * inner(keras.ops.sum(images))
        except ValueError:
            return 0

    @property
    def names(self):
        return [name for name in ("a", "b") if name in {"a", "b", "c"}]

    @staticmethod
    def other():
        pass
'''


def digest(code, module="mine"):
    """The digest of `Mine` of a module with this code."""
    module = types.ModuleType(module)
    exec(compile(code, "mine.py", "exec"), vars(module))
    return signature(code_of(module.Mine))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Text."""', '"""Other\n        text."""'),
        ('        """Text."""\n', ""),
        ("    def inner(x):", '    def inner(x):\n            """Text."""'),
        ("    def other():", '    def other():\n        """Text."""'),
        ("RATE = 0.1", "# A comment.\n\n\nRATE = 0.1  # Another."),
        ("        try:", "        # A comment.\n\n        try:"),
        ("weight * inner(", "weight * inner(\n                "),
        ("class Base:", '"""Text."""\nUNUSED = 3\n\nclass Base:'),
        ("class Base:", 'class Base:\n    """Text."""'),
    ],
)
def test_what_does_not_count(old, new):
    assert CODE.count(old) == 1
    assert digest(CODE.replace(old, new)) == digest(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("weight * inner", "weight + inner"),
        ("weight=1.0", "weight=2.0"),
        ("return 0", "return 1"),
        ("** self.power", "** 2"),
        ("** self.power", "** self.other_power"),
        ("ops.sum", "ops.mean"),
        ("except ValueError", "except TypeError"),
        ('"b", "c"}', '"b", "d"}'),
        ("        pass", "        return 1"),
        ("@staticmethod", "@classmethod"),
        # In the same module, but outside the class.
        ("RATE = 0.1", "RATE = 0.2"),
        ("RATE * x", "RATE / x"),
        ("power = 2", "power = 3"),
    ],
)
def test_what_counts(old, new):
    assert CODE.count(old) == 1
    assert digest(CODE.replace(old, new)) != digest(CODE)


def test_closures_and_recursion_are_read():
    def make(rate):
        class Mine:
            def step(self, n):
                return rate if n == 0 else Mine().step(n - 1)

        return Mine

    digests = [signature(code_of(make(rate))) for rate in (1.0, 1.0, 2.0)]
    assert digests[0] == digests[1] != digests[2]


def test_the_package_is_not_read():
    class Mine(keras_s4t.methods.Tent):
        pass

    assert not is_of_library(Mine)
    assert is_of_library(keras_s4t.methods.Tent)
    assert is_of_library(keras.layers.Dense)
    assert len(str(code_of(Mine))) < 300
