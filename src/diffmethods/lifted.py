"""Plain NumPy code on another library's arrays: each call becomes the library's own."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from diffmethods.definitions import DEFINITIONS
from diffmethods.errors import (
    DiffmethodsError,
    InputError,
    MissingRuleError,
    OptionError,
)
from diffmethods.pullbacks import MOVES, REWRITES
from diffmethods.traced import (
    Traced,
    origins,
    outcome,
    parts,
    qualified_name,
    rebuilt,
)

DEVICE = (
    'Where to compute, in the library\'s words: "cpu", or the name of an accelerator'
)


def no_device(library: str, name: str, known: Iterable[str]) -> OptionError:
    """The error for a device that does not exist."""
    return OptionError(f"{library} has no device {name!r}; it has {', '.join(known)}")


class Library(dict[str, Callable[..., Any]]):
    """NumPy's functions, by dotted name, as another library spells them.

    Parameters
    ----------
    name
        The method that the library serves, for messages.
    homes
        Where functions of each namespace are found:
        ``{"np": jax.numpy, "scipy.special": jax.scipy.special}``.
    asarray
        Turns a NumPy array or number into the library's array.
    mend
        Functions that the library lacks, or means differently, by dotted name without
        ``np``.
    apart
        Names that mean something else in the library, and that NumPy's own Python or
        `diffmethods.definitions` makes of simpler calls.
    gather
        ``gather(arrays, numbers)`` gives the items of those numbers out of arrays laid
        end to end; with it, functions that only move items need no counterpart.
    settled
        NumPy's array of a native one whose items are whole numbers or truth values, and
        so a constant; None where it has to stay as it is.
    real_parts
        Of a result and the point: the result as an array of float64 in a list, or its
        real and its imaginary part.
    native
        What makes a function of the library's own safe to be called.
    refusals
        The errors by which the library says that it does not take some arguments.
    """

    def __init__(
        self,
        name: str,
        homes: Mapping[str, Any],
        asarray: Callable[[Any], Any],
        mend: Mapping[str, Callable[..., Any]] = {},
        *,
        apart: Iterable[str] = (),
        gather: Callable[[list[Any], Any], Any] | None = None,
        settled: Callable[[Any], Any] = lambda y: None,
        real_parts: Callable[[Any, Any], list[Any]] = lambda y, base: [y],
        native: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda f: f,
        refusals: tuple[type[Exception], ...] = (TypeError, NotImplementedError),
    ):
        super().__init__({"getitem": operator.getitem} | dict(mend))
        self.name = name
        self.homes = homes
        self.asarray = asarray
        self.apart = frozenset(apart)
        self.gather = gather
        self.settled = settled
        self.real_parts = real_parts
        self.native = native
        self.refusals = refusals

    symbolic = False  # True where the library's arrays hold formulas

    def __missing__(self, name: str) -> Callable[..., Any]:
        for namespace, home in self.homes.items():
            if name.startswith(f"{namespace}."):
                inner = name.removeprefix(f"{namespace}.")
                if inner in self:
                    return self.setdefault(name, self[inner])
                try:
                    if inner not in self.apart:
                        return self.setdefault(name, operator.attrgetter(inner)(home))
                except AttributeError:
                    break
        raise KeyError(name)

    def knows(self, function: Callable[..., Any]) -> bool:
        """Whether the library can do what a NumPy function does."""
        try:
            return bool(self[qualified_name(function)])
        except KeyError:
            simpler = function in DEFINITIONS or function in REWRITES
            return simpler or self.moves(function)

    def moves(self, function: Callable[..., Any]) -> bool:
        """Whether it can be done by moving items."""
        return self.gather is not None and function in MOVES

    def operand(self, x: Any) -> Any:
        """What a ufunc is called with."""
        return self.asarray(x)

    def lift(self, result: Any) -> Any:
        """Wrap every array in a call's result."""
        if isinstance(result, (tuple, list)):
            return rebuilt(result, [self.lift(item) for item in result])
        if isinstance(result, (bool, int, str, type(None))):
            return result
        constant = self.settled(result)
        return Lifted(result, self) if constant is None else constant

    def lower(self, tree: Any) -> Any:
        """Replace NumPy's arrays and lifted ones by this library's."""
        if isinstance(tree, Lifted):
            if tree.library is not self:
                raise InputError(
                    f"{self.name} cannot differentiate through values of "
                    f"{tree.library.name}; nest them the other way round, or use one "
                    "method for both"
                )
            return tree.value
        if isinstance(tree, (np.ndarray, np.generic)):
            return self.asarray(tree)
        if isinstance(tree, (tuple, list)):
            return rebuilt(tree, [self.lower(item) for item in tree])
        return tree

    def call(self, f: Callable[..., Any], x: Any, base: Any) -> Any:
        """Evaluate `f` at `x` with the native array `base` as its innermost value.

        `f` is plain NumPy; or, when it refuses a lifted array, code of this very
        library.
        """
        try:
            return outcome(f(with_base(x, Lifted(base, self))))
        except DiffmethodsError:
            raise
        except (TypeError, AttributeError, ValueError) as error:
            if isinstance(x, Traced) and not isinstance(x, Lifted):
                raise
            try:
                y = self.native(f)(base)
            except DiffmethodsError:
                raise
            except Exception as other:
                if str(other) == str(error) or "truth value" in str(error):
                    raise error from error.__cause__  # which may say it better
                raise InputError(
                    f"f fails with arrays of {self.name}. Read as plain NumPy: "
                    f"{first_line(error)} Read as code of {self.name}: "
                    f"{first_line(other)}"
                ) from error
            if y is None:
                raise
            return self.lift(y)


class Lifted(Traced):
    """Another library's array, standing in for NumPy's."""

    __slots__ = ("library", "value")
    level = 0

    def __init__(self, value: Any, library: Library):
        self.value = value
        self.library = library

    @property
    def method(self) -> str:  # type: ignore[override]
        return self.library.name

    @property
    def dtype(self) -> Any:
        """NumPy's name for the type of the items."""
        dtype = getattr(self.value, "dtype", np.dtype(float))
        return dtype if isinstance(dtype, np.dtype) else numpys(dtype)

    def __bool__(self) -> bool:
        if self.size > 1:  # in NumPy's words, which libraries have others for
            raise ValueError("The truth value of an array is ambiguous")
        return bool(self.value)

    def __array_ufunc__(
        self, ufunc: np.ufunc, how: str, *args: Any, **kwargs: Any
    ) -> Any:
        """The short way for a call on this library's arrays and plain numbers."""
        if how != "__call__" or kwargs:
            return super().__array_ufunc__(ufunc, how, *args, **kwargs)
        library = self.library
        native = []
        for x in args:
            if x.__class__ is Lifted and x.library is library:
                native.append(x.value)
            elif x.__class__ in NUMBERS or is_numeric(x):
                native.append(library.operand(x))
            else:
                return super().__array_ufunc__(ufunc, how, *args)
        try:
            counterpart = library[qualified_name(ufunc)]
        except KeyError:
            return super().__array_ufunc__(ufunc, how, *args)
        try:
            return library.lift(counterpart(*native))
        except DiffmethodsError:
            raise
        except library.refusals as error:
            raise self.refusal(ufunc, error) from error

    def apply(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        library = self.library
        try:
            counterpart = library[qualified_name(function)]
        except KeyError:
            if rule := DEFINITIONS.get(function) or REWRITES.get(function):
                return rule(*args, **kwargs)
            if library.moves(function):
                return moved(library, function, args, kwargs)
            return NotImplemented
        try:
            native = library.lower(args)
            if isinstance(function, np.ufunc):
                native = map(library.operand, native)
            lowered = {key: library.lower(value) for key, value in kwargs.items()}
            return library.lift(counterpart(*native, **lowered))
        except DiffmethodsError:
            raise
        except library.refusals as error:
            raise self.refusal(function, error) from error

    def refusal(self, function: Callable[..., Any], error: Exception) -> Exception:
        return MissingRuleError(
            f"{self.library.name} does not take {qualified_name(function)} with these "
            f"arguments: {error}"
        )


NUMBERS = frozenset((float, int, complex, np.float64))


def is_numeric(x: Any) -> bool:
    return x.__class__ is np.ndarray and x.dtype.kind != "O"


def first_line(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    return text if text.endswith(".") else f"{text}."


def numpys(dtype: Any) -> Any:
    """The NumPy dtype that PyTorch or TensorFlow calls by the same name."""
    return np.dtype(getattr(dtype, "name", str(dtype).rpartition(".")[2]))


def moved(
    library: Library,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Run a function that moves items on their numbers, and gather the items so."""
    numbers, operands = origins(function, args, kwargs, Lifted.level)
    values = library.lower(operands)
    constants = function(without(args[0]), *args[1:], **kwargs)

    def gathered(numbers: Any, constants: Any) -> Any:
        if isinstance(numbers, (tuple, list)):
            return rebuilt(numbers, map(gathered, numbers, constants))
        items = library.gather(values, np.maximum(numbers, 1) - 1)  # type: ignore[misc]
        items = Lifted(items, library)
        return items if np.all(numbers) else np.where(numbers > 0, items, constants)

    return gathered(numbers, constants)


def without(tree: Any) -> Any:
    """Zeros in place of lifted arrays."""
    if isinstance(tree, (tuple, list)):
        return rebuilt(tree, map(without, tree))
    return np.zeros(tree.shape) if isinstance(tree, Lifted) else tree


def running_products(home: Any) -> Callable[..., Any]:
    """`numpy.cumprod` for a library whose rule divides by the items, which may be 0.

    It multiplies with items twice as far away each time, by the library's `home`.
    """

    def cumprod(x: Any, axis: int | None = None, dtype: None = None) -> Any:
        x = home.ravel(x) if axis is None else home.moveaxis(x, axis, 0)
        away = 1
        while away < len(x):
            x = home.concatenate([x[:away], x[away:] * x[:-away]])
            away *= 2
        return x if axis is None else home.moveaxis(x, 0, axis)

    return cumprod


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Take an outer trace's stand-in apart into arrays, and say how to put others in.

    A dual number is a pair: what differentiates its two parts differentiates the whole,
    so a library that knows nothing of dual numbers can work inside a derivative by
    them.
    """
    if not isinstance(tree, Traced) or isinstance(tree, Lifted):
        return [tree], lambda leaves: leaves[0]
    arrays: list[Any] = []
    rebuilds = []
    for part in parts(tree):
        flat, rebuild = flatten(part)
        rebuilds.append((slice(len(arrays), len(arrays) + len(flat)), rebuild))
        arrays += flat
    return arrays, lambda leaves: tree.with_parts(
        [put(leaves[s]) for s, put in rebuilds]
    )


def base_of(x: Any) -> Any:
    """The innermost value of nested stand-ins: an array, or a lifted one."""
    while isinstance(x, Traced) and not isinstance(x, Lifted):
        x = x.value
    return x


def with_base(x: Any, base: Any) -> Any:
    """The same stand-ins around another innermost value."""
    if not isinstance(x, Traced) or isinstance(x, Lifted):
        return base
    leaves, rebuild = flatten(x)
    return rebuild([base, *leaves[1:]])


class Native:
    """A function as a library's own: from the innermost array of x to real arrays.

    Where f or x carry stand-ins of an outer trace, or f is complex at a real point, the
    result has several parts; `joined` puts what became of them together.
    """

    def __init__(self, library: Library, f: Callable[..., Any], x: Any):
        self.library, self.f, self.x = library, f, x
        self.rebuild: Callable[[list[Any]], Any] = list
        self.lengths: list[int] = []

    def __call__(self, base: Any) -> list[Any]:
        library = self.library
        leaves, self.rebuild = flatten(library.call(self.f, self.x, base))
        natives = [library.asarray(library.lower(leaf)) for leaf in leaves]
        found = [library.real_parts(y, base) for y in natives]
        self.lengths = list(map(len, found))
        return [part for pair in found for part in pair]

    def joined(self, results: Iterable[Any]) -> Any:
        items = iter(results)
        pairs = [[next(items) for _ in range(length)] for length in self.lengths]
        return self.rebuild([a[0] if len(a) == 1 else a[0] + 1j * a[1] for a in pairs])


def value_of(
    natively: Callable[..., Any], f: Callable[..., Any], x: Any, **options: Any
) -> Any:
    """f(x) by NumPy, or by the library where f is code of its own."""
    try:
        y = f(x)
        if isinstance(y, (*NUMBERS, np.ndarray, np.generic, list, tuple, type(None))):
            return outcome(y)
    except DiffmethodsError:
        raise
    except Exception:  # the library says better what is wrong
        pass
    return natively(called, f, x, **options)


def called(native: Callable[..., Any], base: Any) -> Any:
    return native(base)
