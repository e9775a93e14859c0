"""Arrays made of traced items: `np.array([x[0], np.sin(x[1])])` as one stand-in.

NumPy offers that call to nobody.  It makes an array of objects, and `traced.joined`
joins it at the next call that a stand-in hears of.  But a call on that array alone, as
`np.linalg.det` or `np.mean`, NumPy tries by itself, and fails.  Then `joining(f)` is
the same function with another NumPy among its names, whose `array` joins at once.
"""

import builtins
import dis
import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.surroundings import is_fixed, names_in
from diffmethods.traced import joined, leaves

Function = Callable[..., Any]

MAKERS = (np.array, np.asarray, np.asanyarray)


def maker(make: Function) -> Function:
    """One of NumPy's ways to make an array, which joins stand-ins."""

    @functools.wraps(make)
    def run(items: Any, dtype: Any = None, **kwargs: Any) -> Any:
        floats = dtype is None or np.issubdtype(dtype, np.inexact)
        if floats and isinstance(items, (list, tuple)) and leaves(items):
            return joined(np.array(items, dtype=object))
        return make(items, dtype, **kwargs)

    return run


class JoiningNumPy(types.ModuleType):
    """NumPy, but for the functions that make arrays."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


NUMPY = JoiningNumPy("numpy")
REPLACED: dict[int, Any] = {id(np): NUMPY}
for make in MAKERS:
    REPLACED[id(make)] = maker(make)
    setattr(NUMPY, make.__name__, REPLACED[id(make)])


class Names(dict[str, Any]):
    """What the globals of a function stand for, looked up when they are read."""

    def __init__(self, names: dict[str, Any]):
        super().__init__(__builtins__=names.get("__builtins__", builtins))
        self.names = names

    def __missing__(self, name: str) -> Any:
        return rebound(self.names[name], {})


def joining(f: Function) -> Function | None:
    """The function with a NumPy that joins; None where that would change nothing."""
    if not makes_arrays(f, set()):
        return None
    new = rebound(f, {})
    return None if new is f else new


def makes_arrays(f: Any, seen: set[int]) -> bool:
    """Whether the code of a function, or of one that it calls, makes arrays."""
    f = underlying(f)
    if not isinstance(f, types.FunctionType) or is_fixed(f.__module__) or id(f) in seen:
        return False
    seen.add(id(f))
    names = {*names_in(f.__code__)[1], *f.__code__.co_freevars}
    if names & {make.__name__ for make in MAKERS}:
        return True
    called = [f.__globals__.get(name) for name in names]
    called += [contents(cell) for cell in f.__closure__ or ()]
    called = [g for g in called if g is not np]
    return any(id(g) in REPLACED or makes_arrays(g, seen) for g in called)


def underlying(f: Any) -> Any:
    """The function inside a partial, a method or an object that is called."""
    while isinstance(f, functools.partial):
        f = f.func
    if isinstance(f, (types.FunctionType, types.MethodType)):
        return getattr(f, "__func__", f)
    return getattr(type(f), "__call__", f)  # noqa: B004


def rebound(thing: Any, done: dict[int, Any]) -> Any:
    """A function of the user's with other names; anything else as it is."""
    if id(thing) in REPLACED:
        return REPLACED[id(thing)]
    if isinstance(thing, functools.partial):
        f = rebound(thing.func, done)
        return functools.partial(f, *thing.args, **thing.keywords)
    if isinstance(thing, types.MethodType):
        return types.MethodType(rebound(thing.__func__, done), thing.__self__)
    if not isinstance(thing, types.FunctionType):
        call = underlying(thing)
        own = isinstance(call, types.FunctionType) and not isinstance(thing, type)
        return types.MethodType(rebound(call, done), thing) if own else thing
    if is_fixed(thing.__module__) or stores(thing.__code__):
        return thing
    if id(thing) not in done:
        cells = tuple(types.CellType() for _ in thing.__closure__ or ())
        names = Names(thing.__globals__)
        done[id(thing)] = new = types.FunctionType(
            thing.__code__, names, thing.__name__, thing.__defaults__, cells
        )
        new.__kwdefaults__ = thing.__kwdefaults__
        for new_cell, cell in zip(cells, thing.__closure__ or (), strict=True):
            if (content := contents(cell)) is not EMPTY:
                new_cell.cell_contents = rebound(content, done)
    return done[id(thing)]


EMPTY = object()


def contents(cell: Any) -> Any:
    """What a name of the enclosing function stands for, if anything yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return EMPTY


@functools.cache
def stores(code: types.CodeType) -> bool:
    """Whether code writes to names outside it, which must stay those names."""
    for instruction in dis.get_instructions(code):
        outside = instruction.argval in code.co_freevars
        if instruction.opname == "STORE_GLOBAL" or (
            instruction.opname == "STORE_DEREF" and outside
        ):
            return True
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return any(map(stores, inner))
