"""What a function reads beside its argument, and whether it is still what it was.

A program that was written once holds only as long as the closures, globals and
attributes that the function reads stay the same.  `Surroundings` follows the names in
its code, and in that of the functions that it calls, to the things they stand for.
"""

import functools
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffmethods.tape import fingerprint

Function = Callable[..., Any]

MOST = 500  # things to watch; with more, recording anew costs no more than looking
ALIKE_FOREVER = (
    *(bool, int, float, complex, str, bytes, type(None), type(Ellipsis), slice, range),
    *(np.generic, np.ufunc, np.dtype, types.BuiltinFunctionType),
    *(types.MethodDescriptorType, types.WrapperDescriptorType, inspect.Signature),
)
FIXED = ("numpy", "scipy", "math", "cmath", "operator", "functools", "itertools")
RESTLESS = {"random", "time", "datetime", "secrets", "uuid"}  # names of what changes


class Surroundings:
    """The things that a function reads, as they are now.

    Attributes
    ----------
    steady
        Whether all of them could be followed; if not, nothing may be kept.
    """

    def __init__(self, f: Function):
        self.steady = True
        self.names: list[tuple[dict[str, Any], str, Any]] = []
        self.cells: list[tuple[Any, Any]] = []
        self.closed_over: list[tuple[str, Any]] = []  # the same, by name
        self.containers: list[tuple[Any, Any]] = []
        self.arrays: list[tuple[Any, bytes]] = []
        self.seen: dict[int, Any] = {}
        self._look(f, ())
        self.seen.clear()
        self.mutable = bool(self.containers or self.arrays)

    def unchanged(self) -> bool:
        """Whether every one of them is what it was."""
        for space, name, thing in self.names:
            if space.get(name, self) is not thing:
                return False
        try:
            for cell, thing in self.cells:
                if cell.cell_contents is not thing:
                    return False
        except ValueError:  # a name that has lost its value
            return False
        return not self.mutable or self._nothing_inside_changed()

    def _nothing_inside_changed(self) -> bool:
        for container, things in self.containers:
            if not same_items(contents(container), things):
                return False
        for array, held in self.arrays:
            if fingerprint(array) != held:
                return False
        return True

    def arrays_by_name(self) -> dict[int, str]:
        """The user's names of arrays, by id."""
        named = [(name, thing) for _, name, thing in self.names] + self.closed_over
        return {id(x): name for name, x in named if isinstance(x, np.ndarray)}

    def _look(self, thing: Any, names: tuple[str, ...]) -> None:
        if id(thing) in self.seen or not self.steady:
            return
        self.seen[id(thing)] = thing
        if len(self.names) + len(self.cells) + len(self.containers) > MOST:
            self.steady = False
        elif isinstance(thing, ALIKE_FOREVER):
            return
        elif isinstance(thing, types.FunctionType):
            self._look_at_code(thing)
        elif isinstance(thing, types.MethodType):
            self._look(thing.__func__, names)
            self._look(thing.__self__, names)
        elif isinstance(thing, functools.partial):
            self._look((thing.func, thing.args, thing.keywords), names)
        elif isinstance(thing, np.ndarray):
            self.steady = self.steady and not thing.dtype.hasobject
            self.arrays.append((thing, fingerprint(thing)))
        elif isinstance(thing, (types.ModuleType, type)):
            if not is_fixed(thing):
                self._look_up(vars(thing), names)
        elif isinstance(thing, (tuple, list, set, frozenset, dict)):
            self._look_into(thing, contents(thing), names)
        elif hasattr(thing, "__dict__") and not hasattr(type(thing), "__slots__"):
            self._look_into(thing, contents(thing), names)
            if not type(thing).__module__.startswith("diffmethods."):
                for kind in type(thing).__mro__[:-1]:
                    for item in vars(kind).values():
                        self._look(getattr(item, "fget", item), names)
        elif isinstance(thing, (property, classmethod, staticmethod)):
            return
        else:
            self.steady = isinstance(thing, np.lib.mixins.NDArrayOperatorsMixin)

    def _look_at_code(self, f: types.FunctionType) -> None:
        """What a function's own names mean, and those of functions inside it."""
        f_names = tuple(names_in(f.__code__))
        if RESTLESS & set(f_names):
            self.steady = False
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                thing = cell.cell_contents
            except ValueError:  # a name without a value yet
                self.steady = False
                continue
            self.cells.append((cell, thing))
            self.closed_over.append((name, thing))
            self._look(thing, f_names)
        self._look((f.__defaults__, f.__kwdefaults__), f_names)
        if not is_fixed(f):
            self._look_up(f.__globals__, f_names)

    def _look_up(self, space: Any, names: tuple[str, ...]) -> None:
        for name in names:
            if name in space:
                thing = space[name]
                self.names.append((space, name, thing))
                self._look(thing, names)

    def _look_into(self, thing: Any, items: Any, names: tuple[str, ...]) -> None:
        if not isinstance(thing, (tuple, frozenset)):
            self.containers.append((thing, items))
        for item in items:
            self._look(item, names)


def names_in(code: types.CodeType) -> Iterator[str]:
    """The names of globals and attributes in code, and in code inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names_in(constant)


def is_fixed(thing: Any) -> bool:
    """Whether it belongs to a library that does not change while a program runs."""
    name = thing.__name__ if isinstance(thing, types.ModuleType) else thing.__module__
    home = str(name).partition(".")[0]
    return (
        home in FIXED
        or home == "builtins"
        or (home == "diffmethods" and name != "diffmethods.problems")
    )


def contents(container: Any) -> list[Any]:
    """Everything in a container or an object, in a fixed order."""
    if isinstance(container, dict):
        return [*container, *container.values()]
    if isinstance(container, (tuple, list, set, frozenset)):
        return list(container)
    return contents(vars(container))


def same_items(now: list[Any], before: list[Any]) -> bool:
    return len(now) == len(before) and all(map(lambda a, b: a is b, now, before))
