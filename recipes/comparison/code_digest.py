"""What the code of a class does, without its comments.

Bytecode has neither comments nor line numbers, and no instruction reads a
docstring. It differs between versions of Python.
"""

import dis
import json
import types

# Their versions are part of every key, see `keys.py`.
LIBRARIES = ("builtins", "keras", "keras_hub", "keras_s4t")


def code_of(cls):
    """The code of a user's class, as nested lists for `signature`.

    Read are its functions and plain attributes, those of its base classes, and
    what they name in the same top-level package: functions, classes and plain
    values of a module.

    Args:
        cls: A class.

    Returns:
        list of JSON types.
    """
    return _Reader(cls.__module__).read(cls)


def is_of_library(cls):
    """Whether a class belongs to Keras or this package."""
    return cls.__module__.partition(".")[0] in LIBRARIES


class _Reader:
    def __init__(self, module):
        self.package = module.partition(".")[0]
        self.seen = set()

    def read(self, value):
        if isinstance(value, (list, tuple)):
            return [type(value).__name__, *map(self.read, value)]
        if isinstance(value, (set, frozenset)):
            # Their order changes from one process to the next.
            return ["set", *sorted(map(json.dumps, map(self.read, value)))]
        if isinstance(value, dict):
            return ["dict", *map(self.read, value.items())]
        if isinstance(value, types.CodeType):
            return self._code(value, {})
        if isinstance(value, (staticmethod, classmethod)):
            return [type(value).__name__, self.read(value.__func__)]
        if isinstance(value, property):
            return ["property", *map(self.read, (value.fget, value.fset))]
        if isinstance(value, (types.FunctionType, type)):
            return self._definition(value)
        if isinstance(
            value, (type(None), bool, int, float, complex, str, bytes)
        ):
            return [type(value).__name__, repr(value)]
        return ["object", type(value).__module__, type(value).__qualname__]

    def _definition(self, value):
        name = [value.__module__, value.__qualname__]
        is_own = str(value.__module__).partition(".")[0] == self.package
        if not is_own or id(value) in self.seen:
            return name
        self.seen.add(id(value))
        if isinstance(value, type):
            bases = [self._definition(base) for base in value.__bases__]
            return ["class", bases, *self._members(value)]
        cells = zip(
            value.__code__.co_freevars, value.__closure__ or (), strict=True
        )
        return [
            "function",
            self.read(value.__defaults__),
            self.read(value.__kwdefaults__),
            [[cell_name, self._cell(cell)] for cell_name, cell in cells],
            self._code(value.__code__, value.__globals__),
        ]

    def _members(self, cls):
        for name, member in vars(cls).items():
            is_special = name.startswith("__") and name.endswith("__")
            if not is_special or isinstance(member, types.FunctionType):
                yield [name, self.read(member)]

    def _cell(self, cell):
        try:
            return self.read(cell.cell_contents)
        except ValueError:
            # A name that is not bound yet.
            return None

    def _code(self, code, module):
        instructions, named = [], {}
        for instruction in dis.get_instructions(code):
            if instruction.opname == "EXTENDED_ARG":
                continue
            argument = instruction.argval
            if instruction.opname.startswith("LOAD_GLOBAL"):
                named[argument] = module.get(argument)
            if isinstance(argument, types.CodeType):
                argument = self._code(argument, module)
            else:
                argument = self.read(argument)
            instructions.append([instruction.opname, argument])
        return [
            code.co_argcount,
            code.co_kwonlyargcount,
            code.co_exceptiontable.hex(),
            instructions,
            [[name, self.read(named[name])] for name in sorted(named)],
        ]
