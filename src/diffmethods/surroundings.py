"""What a function reads beside its argument, and whether it is still what it was.

A program that was written once holds only as long as the closures, globals and
attributes that the function reads stay the same.  `Surroundings` follows the names in
its code, and in that of the functions that it calls, to the things they stand for.  It
knows a few kinds of things; where it meets another, nothing is kept of the function.
`memory_of` hands out what is kept, as long as it holds.
"""

import abc
import dis
import functools
import inspect
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffmethods.tape import fingerprint
from diffmethods.traced import Traced

Function = Callable[..., Any]

FUNCTIONS = 512  # functions of which something is kept
MOST = 500  # things to watch; with more, recording anew costs no more than looking
MISSING = object()  # a name that stands for nothing
ALIKE_FOREVER = {
    *(bool, int, float, complex, str, bytes, type(None), type(Ellipsis), slice, range),
    *(type(NotImplemented), np.ufunc, type(np.sum), inspect.Signature),
}
CONTAINERS = {tuple, list, set, frozenset, dict}
CLASSES = {type, abc.ABCMeta}
# Modules that do not change while a program runs, and always give the same.
FIXED = {"math", "cmath", "operator", "functools", "itertools", "builtins", "abc"}
FIXED_PACKAGES = ("numpy", "scipy.special", "scipy.linalg", "scipy.fft", "diffmethods")
# Names of what gives now this, now that, and of what reads what no name tells.
RESTLESS = {
    *("random", "time", "datetime", "secrets", "uuid"),
    *("load", "loadtxt", "genfromtxt", "fromfile", "memmap"),
    *("eval", "exec", "compile", "globals", "locals", "vars", "dir", "id"),
    *("getattr", "hasattr", "__import__", "input", "open"),
    *("attrgetter", "methodcaller", "__dict__", "__globals__", "__closure__"),
}
ASKING = {"getattr", "hasattr"}
# What a class holds that says nothing about what its methods compute.
ASIDE = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__annotations__"),
    *("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__repr__"),
    *("__orig_bases__", "__parameters__", "__slots__", "_abc_impl"),
    *("__static_attributes__", "__firstlineno__", "__abstractmethods__", "__replace__"),
}


class Surroundings:
    """The things that a function reads, as they are now.

    Attributes
    ----------
    steady
        Whether all of them could be followed; if not, nothing may be kept.
    """

    def __init__(self, f: Function):
        self.steady = True
        self.names: list[tuple[Any, str, Any]] = []
        self.cells: list[tuple[Any, Any]] = []
        self.closed_over: list[tuple[str, Any]] = []  # the same, by name
        self.functions: list[tuple[Any, Any, Any]] = []  # None is f itself
        self.containers: list[tuple[Any, Any]] = []
        self.arrays: list[tuple[Any, Any, Any, bytes]] = []
        self.seen: dict[Any, Any] = {}
        self.root: Any = f  # who keeps what is known of f must not keep f alive
        if type(f) is types.FunctionType:
            self._look_at_function(f)
        else:
            self._look(f, ())
        self.seen.clear()
        self.root = None

    def unchanged(self, f: Function) -> bool:
        """Whether every one of them is what it was."""
        for function, code, defaults in self.functions:
            function = f if function is None else function
            if function.__code__ is not code or function.__defaults__ is not defaults:
                return False
        for space, name, thing in self.names:
            if space.get(name, MISSING) is not thing:
                return False
        try:
            for cell, thing in self.cells:
                if cell.cell_contents is not thing:
                    return False
        except ValueError:  # a name that has lost its value
            return False
        for container, things in self.containers:
            now = contents(f if container is None else container)
            if not same_items(now, things):
                return False
        for array, shape, dtype, held in self.arrays:
            if array.shape != shape or array.dtype is not dtype:
                return False
            if fingerprint(array) != held:
                return False
        return True

    def arrays_by_name(self) -> dict[int, str]:
        """The user's names of arrays, by id."""
        named = [(name, thing) for _, name, thing in self.names] + self.closed_over
        return {id(x): name for name, x in named if isinstance(x, np.ndarray)}

    def _kept(self, thing: Any) -> Any:
        return None if thing is self.root else thing

    def _look(self, thing: Any, names: tuple[str, ...]) -> None:
        """Follow a thing that code with these names can reach."""
        kind = type(thing)
        if kind in ALIKE_FOREVER or not self.steady or thing is MISSING:
            return
        by_name = isinstance(thing, types.ModuleType)
        key = (id(thing), names if by_name else None)
        if key in self.seen:
            return
        self.seen[key] = thing
        if len(self.names) + len(self.cells) + len(self.containers) > MOST:
            self.steady = False
        elif by_name:
            self._look_at_module(thing, names)
        elif isinstance(thing, type):
            self._look_at_class(thing, names)
        elif kind is types.FunctionType:
            self._look_at_function(thing)
            self._look(vars(thing), names)  # whoever knows it can read these
        elif kind is types.BuiltinFunctionType:
            self._look_at_builtin(thing, names)
        elif kind is types.MethodType:
            self._look(thing.__func__, names)
            self._look(thing.__self__, names)
        elif kind is functools.partial:
            self._look((thing.func, thing.args, thing.keywords), names)
            self._look(vars(thing), names)
        elif kind is np.ndarray:
            self.steady = self.steady and not thing.dtype.hasobject
            held = fingerprint(thing)
            self.arrays.append((thing, thing.shape, thing.dtype, held))
        elif kind in CONTAINERS:
            self._look_into(thing, names)
        elif kind in (property, functools.cached_property, staticmethod, classmethod):
            for name in ("fget", "func", "__func__"):
                self._look(getattr(thing, name, None), names)
        elif isinstance(thing, (np.generic, np.dtype)) and kind.__module__ in (
            *("numpy", "numpy.dtypes"),
        ):
            return
        elif not isinstance(thing, Traced):  # of a trace outside this one
            self._look_at_object(thing, names)

    def _look_at_function(self, f: types.FunctionType) -> None:
        """What a function's own names mean, and those of functions inside it."""
        space = getattr(f.__globals__, "names", f.__globals__)  # `item_arrays.Names`
        fixed = is_fixed(space.get("__name__"))
        read, names = names_in(f.__code__)
        self.functions.append((self._kept(f), f.__code__, f.__defaults__))
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                thing = cell.cell_contents
            except ValueError:  # a name without a value yet
                self.steady = False
                continue
            self.cells.append((cell, thing))
            self.closed_over.append((name, thing))
            self._look(thing, names)
        self._look(f.__defaults__, names)
        self._look(f.__kwdefaults__, names)
        if fixed:
            return
        if RESTLESS.intersection(names):
            self.steady = False
        self._look_up(space, read, names)

    def _look_at_builtin(self, f: Any, names: tuple[str, ...]) -> None:
        """Of a module, or a method of something that may change."""
        owner = f.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            home = f.__module__ if owner is None else owner.__name__
            self.steady = self.steady and is_fixed(home) and f.__name__ not in RESTLESS
        else:
            self._look(owner, names)

    def _look_up(
        self, space: Any, read: tuple[str, ...], names: tuple[str, ...]
    ) -> None:
        for name in read:
            thing = space.get(name, MISSING)
            self.names.append((space, name, thing))
            self._look(thing, names)

    def _look_at_module(self, module: types.ModuleType, names: tuple[str, ...]) -> None:
        """The names that the code could mean."""
        if not is_fixed(module.__name__):
            space = vars(module)
            self.steady = self.steady and "__getattr__" not in space
            self._look_up(space, names, names)

    def _look_at_class(self, thing: type, names: tuple[str, ...]) -> None:
        """All that a class defines or inherits: what calls it, may not name it."""
        for kind in thing.__mro__:
            if is_fixed(kind.__module__):
                continue
            space = vars(kind)
            self.containers.append((kind, contents(kind)))
            if type(kind) not in CLASSES or any(
                map(space.__contains__, ("__getattr__", "__getattribute__"))
            ):
                self.steady = False
            for name, item in space.items():
                field = type(item) is types.MemberDescriptorType or (
                    name in getattr(kind, "_fields", ())
                )
                if name not in ASIDE and not field:
                    self._look(item, names)

    def _look_at_object(self, thing: Any, names: tuple[str, ...]) -> None:
        """What an object of a class written in Python has, and its class."""
        kind = type(thing)
        if kind.__module__.startswith("diffmethods.") and hasattr(thing, "__dict__"):
            self._look_into(thing, names)  # our own classes stay as they are
            return
        named_tuple = isinstance(thing, tuple) and not hasattr(thing, "__dict__")
        bases = (object, tuple) if named_tuple else (object,)
        if is_fixed(kind.__module__) or not all(
            base in bases or is_python(base) for base in kind.__mro__
        ):
            self.steady = False
        else:
            self._look(kind, names)
            self._look_into(thing, names)

    def _look_into(self, thing: Any, names: tuple[str, ...]) -> None:
        items = contents(thing)
        if not isinstance(thing, (tuple, frozenset)):
            self.containers.append((self._kept(thing), items))
        for item in items:
            self._look(item, names)


@functools.lru_cache(maxsize=1024)
def names_in(code: types.CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of globals in code and in code inside it; and with them all others."""
    read: dict[str, None] = {}
    names: dict[str, None] = {}
    for part in codes(code):
        names.update(dict.fromkeys(set(part.co_names) - ASKING))
        imported: dict[str, None] = {}
        instructions = list(dis.get_instructions(part))
        for k, instruction in enumerate(instructions):
            word = instruction.argval
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                read[word] = None
                if word in ASKING:  # for an attribute that is spelled out, or not
                    names[spelled_out(instructions[k + 1 : k + 3]) or word] = None
            elif instruction.opname == "IMPORT_NAME":
                home = word
                imported[home] = None
            elif instruction.opname == "IMPORT_FROM":
                imported.pop(home, None)
                imported[f"{home}.{word}"] = None
        if not all(map(is_fixed, imported)):
            names["__import__"] = None
    return tuple(read), tuple(names)


def spelled_out(instructions: list[dis.Instruction]) -> str:
    """The name in ``getattr(x, "name")``, given what follows ``getattr``."""
    loads = [i.opname.startswith("LOAD_") for i in instructions]
    name = instructions[-1].argval
    known = loads == [True, True] and instructions[-1].opname == "LOAD_CONST"
    return name if known and isinstance(name, str) else ""


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Code, and what is defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def is_fixed(module: Any) -> bool:
    """Whether a module does not change while a program runs."""
    name = str(module)
    if name in FIXED:
        return True
    if name.startswith(("numpy.random", "diffmethods.problems")):
        return False
    return any(name == home or name.startswith(home + ".") for home in FIXED_PACKAGES)


def is_python(kind: type) -> bool:
    """Whether a class is written in Python: its methods are functions."""
    hidden = (types.WrapperDescriptorType, types.MethodDescriptorType)
    return not any(isinstance(item, hidden) for item in vars(kind).values())


def contents(container: Any) -> list[Any]:
    """Everything in a container, a class or an object, in a fixed order."""
    if isinstance(container, dict):
        return [*container, *container.values()]
    if isinstance(container, (tuple, list, set, frozenset)):
        return list(container)
    if isinstance(container, type):
        return [item for key, item in vars(container).items() if key not in ASIDE]
    slots = (
        item.__get__(container)
        for kind in type(container).__mro__
        for item in vars(kind).values()
        if type(item) is types.MemberDescriptorType
    )
    try:
        return [*contents(getattr(container, "__dict__", {})), *slots]
    except AttributeError:  # a slot without a value
        return [MISSING]


def same_items(now: list[Any], before: list[Any]) -> bool:
    return len(now) == len(before) and all(map(lambda a, b: a is b, now, before))


class Memory:
    """The programs made of one function."""

    def __init__(self, f: Function):
        self.surroundings = Surroundings(f)
        self.programs: dict[Any, Any] = {}  # by what each is for
        self.by_rows: set[Any] = set()  # matrices that have no program
        if isinstance(f, np.ufunc):  # they live forever, and take no weak reference
            self.f: Function = lambda: f
        else:
            self.f = weakref.ref(f)


MEMORIES: dict[int, Memory] = {}
LOCK = threading.Lock()


def memory_of(f: Function) -> Memory | None:
    """What is known of a function; None if nothing may be kept of it."""
    memory = MEMORIES.get(id(f))
    if memory is not None and memory.f() is f and memory.surroundings.unchanged(f):
        return memory
    try:
        memory = Memory(f)
    except TypeError:  # no weak reference to it can be made
        return None
    if not memory.surroundings.steady:
        return None
    with LOCK:
        for key in [key for key, other in MEMORIES.items() if other.f() is None]:
            del MEMORIES[key]
        if len(MEMORIES) >= FUNCTIONS:
            del MEMORIES[next(iter(MEMORIES))]
        MEMORIES[id(f)] = memory
    return memory
