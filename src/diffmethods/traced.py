"""Stand-ins for arrays: every NumPy call on one arrives in a single hook.

NumPy offers a call that involves a foreign array to that array first: ufuncs through
``__array_ufunc__`` (NEP 13), other functions through ``__array_function__`` (NEP 18).
`Traced` turns both, with operators, indexing and array methods, into `Traced.apply`.
"""

import copy
import functools
import inspect
import itertools
import math
import operator
import types
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

import numpy as np

from diffmethods.errors import (
    InputError,
    MissingRuleError,
    NotDifferentiableError,
    TracedValueError,
)

Function = Callable[..., Any]

LEVELS = itertools.count(1)  # every trace starts a level above those around it

REDUCTIONS: dict[np.ufunc, Function] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
ACCUMULATIONS: dict[np.ufunc, Function] = {np.add: np.cumsum, np.multiply: np.cumprod}
METHODS_NAMED_OTHERWISE: dict[str, Function] = {
    "conj": np.conjugate,
    "flatten": lambda a, order="C": np.copy(np.ravel(a, order)),
    "compress": lambda a, condition, **kwargs: np.compress(condition, a, **kwargs),
}
# What these return may share memory with their argument.
VIEWS: set[Function] = {
    *(np.reshape, np.ravel, np.transpose, np.matrix_transpose, np.swapaxes),
    *(np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims, np.broadcast_to),
    *(np.broadcast_arrays, np.diagonal, np.real, np.imag, np.flip, np.fliplr),
    *(np.flipud, np.rot90, np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit),
    *(np.atleast_1d, np.atleast_2d, np.atleast_3d, np.unstack),
}
# NumPy converts to arrays in these, which would take a stand-in apart.
AT_LEAST = {np.atleast_1d: 1, np.atleast_2d: 2, np.atleast_3d: 3}
# What functions do with `initial` or `where`; `diffmethods.definitions` says it.
OF_A_PART: dict[Function, Function] = {}
PARTLY = frozenset(("initial", "where"))
BY_NAME = PARTLY | {"append", "copy", "dtype", "out", "prepend", "to_begin", "to_end"}
AS_METHODS: set[Function] = set()
WITH_DTYPE: set[Function] = {
    *(np.sum, np.prod, np.mean, np.var, np.std, np.cumsum, np.cumprod, np.trace),
    *(np.max, np.min),  # no dtype, but out
}
IN_PLACE: set[Function] = {
    *(np.put, np.place, np.putmask, np.copyto, np.put_along_axis, np.fill_diagonal),
}


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """A stand-in for the array `value`; a subclass says what a call means.

    Subclasses keep `value`, the array stood in for, and `level`, the depth of the
    trace: where stand-ins of several traces meet, the innermost trace (the highest
    level) answers, and those outside are constants to it.
    """

    __slots__ = ("viewed",)  # True once part of it may be shared with another stand-in
    method: ClassVar[str]  # the name of the method it serves, for messages
    parts: ClassVar[tuple[str, ...] | None] = (
        None  # the slots that hold arrays, value first
    )
    level: int
    value: Any
    viewed: bool

    def apply(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Return ``function(*args, **kwargs)``, or NotImplemented without a rule."""
        raise NotImplementedError

    def arrays(self) -> list[Any]:
        """The arrays in its parts."""
        return [getattr(self, name) for name in self.parts or ()]

    def with_parts(self, arrays: list[Any]) -> Self:
        """The same stand-in made of other arrays."""
        new = copy.copy(self)
        for name, array in zip(self.parts or (), arrays, strict=True):
            setattr(new, name, array)
        return new

    @property
    def plain(self) -> Any:
        """The numbers at the bottom of all traces, for checks that no result needs."""
        value = self.value
        return value.plain if isinstance(value, Traced) else value

    # NumPy's two protocols

    def __array_ufunc__(
        self, ufunc: np.ufunc, how: str, *args: Any, **kwargs: Any
    ) -> Any:
        if kwargs.get("out") is not None:
            raise TracedValueError(
                f"np.{ufunc.__name__} was told to write into an array with out=; "
                f"{self.method} follows values, not memory: leave out= away"
            )
        match how:
            case "__call__":
                result = self._offer(ufunc, tuple(map(one_array, args)), kwargs)
                return self._refuse(ufunc) if result is NotImplemented else result
            case "reduce" if ufunc in REDUCTIONS:
                return REDUCTIONS[ufunc](*args, **({"axis": 0} | kwargs))
            case "accumulate" if ufunc in ACCUMULATIONS:
                given = {key: x for key, x in kwargs.items() if x is not None}
                return ACCUMULATIONS[ufunc](*args, **({"axis": 0} | given))
            case "reduce" | "accumulate" if (ufunc.nin, ufunc.nout) == (2, 1):
                result = folded(ufunc, how, *args, **kwargs)
                return self._refuse(ufunc, how) if result is NotImplemented else result
            case "outer":
                a, b = args
                return ufunc(
                    np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **kwargs
                )
        return self._refuse(ufunc, how)

    def __array_function__(
        self,
        function: Function,
        types_: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if function in IN_PLACE:
            self._cannot_write()
        if function in AT_LEAST:
            found = [with_axes(x, AT_LEAST[function]) for x in args]
            return found[0] if len(found) == 1 else tuple(found)
        if len(args) > 1 and len(args) > places(function):
            args, kwargs = by_name(function, args, kwargs)
        if kwargs and function in WITH_DTYPE:
            kwargs = {k: x for k, x in kwargs.items() if not self._is_idle(k, x)}
        if kwargs and function in OF_A_PART and not kwargs.keys().isdisjoint(PARTLY):
            result = OF_A_PART[function](*args, **kwargs)
            return self._refuse(function) if result is NotImplemented else result
        result = self._offer(function, args, kwargs)
        if function in VIEWS:
            for shared in leaves((result, args)):
                shared.viewed = True
        if result is not NotImplemented:
            return result
        numpys_own = getattr(function, "__wrapped__", None)
        if not isinstance(numpys_own, types.FunctionType) or function in AS_METHODS:
            self._refuse(function)  # NumPy would ask the method, and that NumPy
        try:
            return numpys_own(*args, **kwargs)  # Python made of simpler NumPy calls
        except (TypeError, AttributeError) as error:
            if isinstance(error, (MissingRuleError, TracedValueError)):
                raise
            return self._refuse(function, cause=error)

    def _is_idle(self, name: str, x: Any) -> bool:
        """Whether an argument asks for what happens anyway."""
        if name == "dtype" and x is not None:
            return bool(np.dtype(x) == np.dtype(float) and self.dtype.kind == "f")
        return name in ("dtype", "out") and x is None

    def _offer(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        args = joined(args)
        innermost = max(leaves((args, tuple(kwargs.values()))), key=level_of)
        return innermost.apply(function, args, kwargs)

    def _refuse(
        self, function: Function, how: str = "", cause: Exception | None = None
    ) -> NoReturn:
        from diffmethods.method import methods_for  # the registry builds on this module

        name = qualified_name(function) + (f".{how}" if how else "")
        able = [other for other in methods_for(function) if other != self.method]
        others = ", ".join(able) or "central_difference"
        raise MissingRuleError(
            f"{self.method} has no rule for {name}; methods that take it: {others}"
        ) from cause

    # What an array can do, with the methods that `_give_methods` adds

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __getitem__(self, index: Any) -> Any:
        index = joined(index)
        if isinstance(index, list):
            index = np.asarray(index)
        part = self.apply(operator.getitem, (self, index), {})
        if isinstance(part, Traced) and part.shape:
            self.viewed = part.viewed = True
        return part

    def _cannot_write(self, *_: Any, **__: Any) -> NoReturn:
        raise TracedValueError(
            f"{self.method} cannot follow an assignment into an array: make the new "
            "array with np.where, np.concatenate or np.stack (or np.sort for y.sort)"
        )

    __setitem__ = _cannot_write
    sort = partition = resize = put = fill = _cannot_write

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        if np.issubdtype(dtype, np.inexact):
            return copy.copy(self)  # a trace keeps its own precision
        return self.value.astype(dtype, **kwargs)  # whole numbers are locally constant

    def item(self, *index: int) -> Any:
        return self[index] if index else np.reshape(self, ())

    def __iadd__(self, other: Any) -> Any:
        return self._become(np.add(self, other))

    def __isub__(self, other: Any) -> Any:
        return self._become(np.subtract(self, other))

    def __imul__(self, other: Any) -> Any:
        return self._become(np.multiply(self, other))

    def __itruediv__(self, other: Any) -> Any:
        return self._become(np.divide(self, other))

    def __ipow__(self, other: Any) -> Any:
        return self._become(np.power(self, other))

    def _become(self, new: Any) -> Any:
        """Do what ``x += 1`` does: a number is bound anew, an array changes for all."""
        if not self.shape:
            return new
        shared = getattr(self, "viewed", False)
        if (
            shared
            or type(new) is not type(self)
            or (new.shape, new.level) != (self.shape, self.level)
        ):
            raise TracedValueError(
                f"{self.method} cannot follow this change of an array in place; write "
                "y = y + z instead of y += z"
            )
        for name in type(self).__slots__:
            setattr(self, name, getattr(new, name))
        return self

    def _not_a_number(self, *_: Any) -> NoReturn:
        raise TracedValueError(
            f"{self.method} follows NumPy calls, and a plain number was wanted: use "
            "np.sin, not math.sin; build arrays with np.array([...]) or np.stack, not "
            "by assigning to the items of np.zeros; leave float() and int() away"
        )

    __float__ = __int__ = __index__ = __complex__ = __round__ = _not_a_number
    __hash__ = object.__hash__  # the operators define ==, which would remove it

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"

    def __format__(self, form: str) -> str:
        return format(self.value, form) if form else repr(self)

    def __abs__(self) -> Any:
        return np.absolute(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(getattr(self.value, "shape", ()))

    @property
    def dtype(self) -> Any:
        return getattr(self.value, "dtype", np.dtype(float))

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape)))
    T = property(lambda self: np.transpose(self))
    real = property(lambda self: np.real(self))
    imag = property(lambda self: np.imag(self))
    mT = property(lambda self: np.matrix_transpose(self))
    flat = property(lambda self: np.ravel(self))


def folded(
    ufunc: np.ufunc,
    how: str,
    x: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    **others: Any,
) -> Any:
    """Apply a function of two again and again along an axis."""
    if axis is None and how == "reduce":
        shape = (1,) * np.ndim(x)
        y = folded(ufunc, how, np.ravel(x), 0, dtype, out, **others)
        return np.reshape(y, shape) if keepdims and y is not NotImplemented else y
    given = {*others} - {name for name, x in others.items() if x is True or x is None}
    if not isinstance(axis, (int, np.integer)) or given or dtype or out is not None:
        return NotImplemented
    rows = np.moveaxis(x, axis, 0)
    if not rows.shape[0]:
        return NotImplemented
    found = list(itertools.accumulate((row for row in rows), ufunc))
    if how == "accumulate":
        return np.moveaxis(np.stack(found), 0, axis)
    return np.expand_dims(found[-1], axis) if keepdims else found[-1]


@functools.cache
def places(function: Function) -> float:
    """How many arguments come before the first that rules know by its name alone."""
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return math.inf
    if any(p.kind == p.VAR_POSITIONAL for p in found.values()):
        return math.inf
    return next((k for k, name in enumerate(found) if name in BY_NAME), math.inf)


def by_name(function: Function, args: Any, kwargs: Any) -> tuple[Any, dict[str, Any]]:
    """The arguments up to that one, and the others by their names but for None."""
    count, names = int(places(function)), inspect.signature(function).parameters
    others = list(zip(names, args, strict=False))[count:]
    return args[:count], {name: x for name, x in others if x is not None} | kwargs


def _as_method(function: Function) -> Function:
    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    return method


def _give_methods() -> None:
    """``x.sum(axis=0)`` is ``np.sum(x, axis=0)``; object arrays ask for ``x.sin()``.

    They are methods of the class, since a ``__getattr__`` would slow down the look-up
    of every attribute, of those that are there, too.
    """
    for name, function in (vars(np) | METHODS_NAMED_OTHERWISE).items():
        wanted = isinstance(function, np.ufunc) or hasattr(np.ndarray, name)
        if wanted and callable(function) and name not in vars(Traced):
            setattr(Traced, name, _as_method(function))
            AS_METHODS.add(function)


_give_methods()


def with_axes(x: Any, count: int) -> Any:
    """At least that many axes, the new ones where NumPy puts them."""
    x = joined(x if isinstance(x, Traced) else np.asarray(x))
    missing = count - x.ndim
    if missing <= 0:
        return x
    after = 1 if count == 3 and x.ndim else 0
    return np.reshape(x, (1,) * (missing - after) + x.shape + (1,) * after)


def joined(tree: Any) -> Any:
    """Turn each object array that NumPy made of traced items into one traced array.

    ``np.array([x[0], np.sin(x[1])])`` cannot be intercepted: NumPy keeps the stand-ins
    as items of an array of objects.
    """
    if isinstance(tree, (tuple, list)):
        return (
            rebuilt(tree, map(joined, tree)) if any(map(_has_objects, tree)) else tree
        )
    if isinstance(tree, np.ndarray) and tree.dtype == object and tree.size:
        items = list(tree.flat)
        if any(isinstance(item, Traced) for item in items):
            return np.reshape(np.stack(items), tree.shape) if tree.ndim else items[0]
    return tree


def one_array(x: Any) -> Any:
    """A list of stand-ins as the array that NumPy would make of it."""
    in_list = isinstance(x, (tuple, list)) and leaves(x)
    return joined(np.array(x, dtype=object)) if in_list else x


def outcome(y: Any) -> Any:
    """What a differentiated function returned, joined; an error if not numbers."""
    y = joined(np.array(y) if isinstance(y, (tuple, list)) else y)
    kind = getattr(y.dtype, "kind", "f") if isinstance(y, Traced) else kind_of(y)
    if kind == "b":
        raise NotDifferentiableError("f(x) is True or False, which has no derivative")
    if kind not in "iufcO" or (kind == "O" and not isinstance(y, Traced)):
        raise InputError(
            f"f(x) must be a number or an array, not {y!r}: does f return its result?"
        )
    return y


def kind_of(y: Any) -> str:
    dtype = getattr(y, "dtype", None)  # of what may be lazy, or spread over devices
    return dtype.kind if isinstance(dtype, np.dtype) else np.asarray(y).dtype.kind


def is_foreign(x: Any) -> bool:
    """Whether x is an array of another library with NumPy's protocol, such as Dask's.

    It may be lazy: whatever looks at its items, or makes NumPy's array of it, computes.
    """
    known = isinstance(x, (np.ndarray, np.generic, Traced))
    return not known and hasattr(x, "__array_function__")


def rebuilt(tree: Any, items: Iterable[Any]) -> Any:
    """A tuple, named tuple or list like `tree`, with other items."""
    return tree._make(items) if hasattr(tree, "_make") else type(tree)(items)


def _has_objects(branch: Any) -> bool:
    return isinstance(branch, (tuple, list)) or getattr(branch, "dtype", "") == "O"


def leaves(tree: Any) -> list[Traced]:
    """Every traced value in nested arguments."""
    if isinstance(tree, (tuple, list)):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree] if isinstance(tree, Traced) else []


def origins(
    function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], level: int
) -> tuple[Any, list[Traced]]:
    """Say which item of its operands each item of a rearrangement is.

    A function that only moves items (reshape, concatenate, take, diag, an index) is run
    on item numbers in place of the stand-ins of a level in its first argument.  What
    comes out is all that its adjoint needs: each weight goes back to the number that it
    finds at its own place.

    Returns
    -------
    tuple
        The result in item numbers, which count from 1 through all operands and are 0
        where an item is a constant; and the operands in that order, each once.
    """
    first, *others = args
    operands = list(dict.fromkeys(x for x in leaves(first) if x.level == level))
    numbers: dict[Traced, Any] = {}
    start = 1
    for x in operands:
        numbers[x] = np.arange(start, start + x.size).reshape(x.shape)
        start += x.size

    def numbered(tree: Any) -> Any:
        if isinstance(tree, (tuple, list)):
            return rebuilt(tree, map(numbered, tree))
        known = isinstance(tree, Traced) and tree in numbers
        return numbers[tree] if known else np.zeros(np.shape(tree), int)

    return function(numbered(first), *others, **kwargs), operands


def parts(x: Traced) -> list[Any]:
    """The arrays that a stand-in is made of, its value first."""
    if x.parts is None:
        raise TracedValueError(
            f"no other method can work inside a derivative by {x.method}"
        )
    return x.arrays()


level_of = operator.attrgetter("level")


@functools.cache
def qualified_name(function: Function) -> str:
    """Say where a function is found, ``np.linalg.inv`` or ``scipy.special.erf``.

    A ufunc does not know its module, so it is looked up: a stranger that happens to be
    called ``sin`` is not NumPy's.
    """
    name = function.__name__
    if function is operator.getitem:
        return "getitem"
    if isinstance(function, np.ufunc):
        if getattr(np, name, None) is function:
            return f"np.{name}"
        import sys

        special = sys.modules.get("scipy.special")
        known = special is not None and getattr(special, name, None) is function
        return f"scipy.special.{name}" if known else f"the ufunc {name!r}"
    return f"{function.__module__}.{name}".replace("numpy", "np", 1)
