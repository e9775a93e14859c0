"""Plain NumPy code on another library's arrays: each call becomes the library's own."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from diffmethods.definitions import DEFINITIONS
from diffmethods.errors import DiffmethodsError, InputError, MissingRuleError
from diffmethods.traced import Traced, outcome, parts, qualified_name, rebuilt


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
    """

    def __init__(
        self,
        name: str,
        homes: Mapping[str, Any],
        asarray: Callable[[Any], Any],
        mend: Mapping[str, Callable[..., Any]] = {},
    ):
        super().__init__({"getitem": operator.getitem} | dict(mend))
        self.name = name
        self.homes = homes
        self.asarray = asarray

    symbolic = False  # True where the library's arrays hold formulas

    def __missing__(self, name: str) -> Callable[..., Any]:
        for namespace, home in self.homes.items():
            if name.startswith(f"{namespace}."):
                inner = name.removeprefix(f"{namespace}.")
                if inner in self:
                    return self.setdefault(name, self[inner])
                try:
                    return self.setdefault(name, operator.attrgetter(inner)(home))
                except AttributeError:
                    break
        raise KeyError(name)

    def knows(self, function: Callable[..., Any]) -> bool:
        """Whether the library can do what a NumPy function does."""
        try:
            return bool(self[qualified_name(function)])
        except KeyError:
            return function in DEFINITIONS

    def operand(self, x: Any) -> Any:
        """What a ufunc is called with."""
        return self.asarray(x)

    def lift(self, result: Any) -> Any:
        """Wrap every array in a call's result."""
        if isinstance(result, (tuple, list)):
            return rebuilt(result, [self.lift(item) for item in result])
        if isinstance(result, (bool, int, str, type(None))):
            return result
        return Lifted(result, self)

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
        except TypeError:
            if isinstance(x, Traced) and not isinstance(x, Lifted):
                raise
            try:
                y = f(base)
            except Exception:
                y = None
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
            definition = DEFINITIONS.get(function)
            return definition(*args, **kwargs) if definition else NotImplemented
        native = library.lower(args)
        if function is operator.getitem:
            np.broadcast_to(0.0, self.shape)[
                indices(args[1])
            ]  # libraries may clamp silently
        if isinstance(function, np.ufunc):
            native = map(library.operand, native)
        lowered = {key: library.lower(value) for key, value in kwargs.items()}
        try:
            result = counterpart(*native, **lowered)
        except DiffmethodsError:
            raise
        except (TypeError, NotImplementedError) as error:
            raise MissingRuleError(
                f"{library.name} does not take {qualified_name(function)} with these "
                f"arguments: {error}"
            ) from error
        return library.lift(result)


def indices(tree: Any) -> Any:
    """An index of plain numbers; a lifted mask or index array by its value."""
    if isinstance(tree, tuple):
        return tuple(map(indices, tree))
    return np.asarray(tree.value) if isinstance(tree, Lifted) else tree


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
