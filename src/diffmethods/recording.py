"""Recordings: every NumPy call that a function makes, as a flat list of steps.

A `Recorded` stands in for an array and computes with it; beside that, each call on one
becomes a `Step` of its `Recording`, and the same call made again is the same step.
What Python itself learns about a value (which way an ``if`` goes, which item an index
takes, how many items a mask selects) becomes a step, too: a guard, which says what must
be so again for the list to hold at another point.
"""

import functools
import operator
import sys
from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.algebra import simplified
from diffmethods.definitions import DEFINITIONS
from diffmethods.errors import TracedValueError
from diffmethods.pullbacks import MOVES, PULLBACKS, REWRITES
from diffmethods.steps import (
    OWN,
    Constant,
    Step,
    each,
    expect_shape,
    expect_truth,
    expect_value,
    is_constant,
    part,
    placed,
)
from diffmethods.tape import changed, fingerprint, takes
from diffmethods.traced import LEVELS, Traced, leaves, rebuilt

Function = Callable[..., Any]

NO_KEYWORDS: Mapping[str, Any] = MappingProxyType({})
SMALL = 2**17  # bytes; a larger constant is not copied

# What these say of an array they say of its shape and type alone.
ABOUT_SHAPE = {
    *(np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj),
    *(np.zeros_like, np.ones_like, np.empty_like),
}
# NumPy's own Python makes simpler calls of these.
LEFT_TO_NUMPY = {
    *(np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit),
    *(np.fliplr, np.flipud, np.flip),
}


OF_ALL_ITEMS = {np.sum, np.max, np.min, np.prod, np.mean, np.linalg.norm}
# How many items these give depends on the values.
COUNTING = {np.nonzero, np.argwhere, np.unique, np.repeat, np.compress, np.extract}

OURS = (
    "numpy",
    *("diffmethods." + name for name in ("traced", "recording", "adjoints", "algebra")),
    *("diffmethods." + name for name in ("definitions", "pullbacks", "rules", "steps")),
    *("diffmethods." + name for name in ("special", "operators", "cotangents")),
    *("diffmethods." + name for name in ("custom_rules", "implicit")),
    "diffmethods.methods.dual_numbers",
)

# Frames of these lie between the user's code and a step of its own.
DIRECTLY = {"diffmethods.recording", "diffmethods.traced", "numpy.lib.mixins"}


class Recording:
    """The steps of one trace.

    Parameters
    ----------
    annotate
        Whether to note from which place in the user's code each step comes.
    """

    def __init__(self, annotate: bool = False):
        self.level = next(LEVELS)
        self.steps: list[Step] = []
        self.known: dict[Any, Step] = {}
        self.constants: dict[Any, Constant] = {}
        self.watched: list[tuple[Any, bytes]] = []
        self.private = False  # True once it holds values of an outer trace
        self.pulling: Step | None = None  # the step whose slope is being written
        self.annotate = annotate

    def input(self, value: Any, name: str, slope: bool = False) -> "Recorded":
        """The stand-in for an argument."""
        if isinstance(value, Traced) or not isinstance(value, (np.ndarray, np.generic)):
            self.private = True
        step = self._append(name, (), {}, value)
        step.slope = slope
        stand_in: Recorded = self.wrap(step)
        return stand_in

    def call(self, function: Function, args: Any, kwargs: dict[str, Any]) -> Any:
        """Record a call; its result, or what simpler calls give."""
        stored = tuple(map(self.stored, args))
        named = {key: self.stored(item) for key, item in kwargs.items()}
        slope = bool(self.pulling) or any(step.slope for step in each(stored))
        easier = simplified(self, function, stored, named, slope)
        if easier is not NotImplemented:
            return easier
        return self.wrap(self.step(function, stored, named))

    def step(self, function: Function, args: Any, kwargs: Any = NO_KEYWORDS) -> Step:
        """The step that calls `function`; the same one for the same call."""
        key = (function, token(args), token(tuple(kwargs.items())))
        step = self.known.get(key)
        if step is None:
            named = {key: self.held(item) for key, item in kwargs.items()}
            y = function(*self.held(args), **named)
            step = self.known[key] = self._append(function, args, kwargs, y)
            step.slope = self.pulling is not None or any(s.slope for s in step.operands)
            if depends_in_shape(step):
                self.guard(expect_shape, step, step.shape)
        return step

    def _append(self, function: Any, args: Any, kwargs: Any, y: Any) -> Step:
        step = Step(len(self.steps), function, args, kwargs, y)
        if self.annotate and not isinstance(function, str):
            step.note = self.pulling.note if self.pulling else whereabouts()
        self.steps.append(step)
        return step

    def guard(self, function: Function, step: Step, expected: Any) -> None:
        """Note what Python learned about the value of a step."""
        if not self.private:
            self.step(function, (step, self.stored(expected)))

    def wrap(self, step: Step) -> Any:
        """The stand-in for a step's result, or one for each of its results."""
        if isinstance(step.held, (tuple, list)):
            several = (
                self.wrap(self.step(part, (step, k))) for k in range(len(step.held))
            )
            return rebuilt(step.held, several)
        return (Discrete if step.fixed else Recorded)(step, self)

    def stored(self, tree: Any) -> Any:
        """Arguments as steps and constants."""
        if isinstance(tree, Recorded) and tree.recording is self:
            return tree.step
        if isinstance(tree, Traced):
            self.private = True
            return tree
        if isinstance(tree, np.ndarray):
            return self.constant(tree) if tree.ndim else tree[()]
        if isinstance(tree, (tuple, list)):
            return rebuilt(tree, map(self.stored, tree))
        if isinstance(tree, slice):
            return slice(*map(self.stored, (tree.start, tree.stop, tree.step)))
        return tree

    def constant(self, array: Any) -> Constant:
        """An array that does not depend on the point, as it is now."""
        small = array.nbytes <= SMALL and not array.dtype.hasobject
        content = array.tobytes() if small else id(array)
        key = (content, array.shape, array.dtype.str)
        known = self.constants.get(key)
        if known is None:
            known = self.constants[key] = Constant(
                array.copy() if small else array, array
            )
            if not small:
                self.watched.append((array, fingerprint(array)))
        return known

    def check_watched(self) -> None:
        """Refuse constants that are not what they were."""
        for array, content in self.watched:
            if fingerprint(array) != content:
                raise changed(array)

    def held(self, tree: Any) -> Any:
        """The values of what `stored` gave."""
        if isinstance(tree, Step):
            return tree.held
        if isinstance(tree, Constant):
            return tree.array
        if isinstance(tree, (tuple, list)):
            return rebuilt(tree, map(self.held, tree))
        if isinstance(tree, slice):
            return slice(*map(self.held, (tree.start, tree.stop, tree.step)))
        return tree

    def restored(self, tree: Any) -> Any:
        """The stand-ins and arrays of what `stored` gave."""
        if isinstance(tree, Step):
            return self.wrap(tree)
        if isinstance(tree, Constant):
            return tree.array
        if isinstance(tree, (tuple, list)):
            return rebuilt(tree, map(self.restored, tree))
        if isinstance(tree, slice):
            return slice(*map(self.restored, (tree.start, tree.stop, tree.step)))
        return tree


class Recorded(Traced):
    """A value that a recording follows."""

    __slots__ = ("recording", "step")
    method = "numpy_source"

    def __init__(self, step: Step, recording: Recording):
        self.step = step
        self.recording = recording

    @property
    def level(self) -> int:  # type: ignore[override]
        return self.recording.level

    @property
    def value(self) -> Any:
        """The array stood in for; who looks at it, depends on every item."""
        self.recording.guard(expect_value, self.step, self.step.held)
        return self.step.held

    @property
    def plain(self) -> Any:
        """The numbers, without a guard."""
        held = self.step.held
        return held.plain if isinstance(held, Traced) else held

    @property
    def shape(self) -> tuple[int, ...]:
        return self.step.shape

    @property
    def dtype(self) -> Any:
        return self.step.dtype

    def apply(self, function: Function, args: Any, kwargs: dict[str, Any]) -> Any:
        recording, level = self.recording, self.level
        if function in rules.PARTIALS and not kwargs:
            if any(type(x) is Recorded and x.level == level for x in args):
                return recording.call(function, args, kwargs)
        ours = [x for x in leaves((args, tuple(kwargs.values()))) if x.level == level]
        if function is np.matrix_transpose and np.ndim(args[0]) == 2:
            function = np.transpose
        kwargs = {k: v for k, v in kwargs.items() if not is_default(function, k, v)}
        if function is np.zeros_like and {"shape"}.issuperset(kwargs):
            if self.dtype == float and not recording.pulling:
                return Zeros(kwargs.get("shape", self.shape), recording)
        if function in ABOUT_SHAPE:
            stored = recording.stored((args, tuple(kwargs.values())))
            args, items = recording.held(stored)
            return function(*args, **dict(zip(kwargs, items, strict=True)))
        if all(isinstance(x, Discrete) for x in ours):
            return recording.call(function, args, kwargs)
        if function is np.interp:
            args = tuple(map(self._followed, args))
        if function in DEFINITIONS:
            return DEFINITIONS[function](*args, **kwargs)
        if is_constant(function):
            return recording.call(function, args, kwargs)
        if function in REWRITES:
            result = REWRITES[function](*args, **kwargs)
            if result is not NotImplemented:
                return result
        if function in LEFT_TO_NUMPY or any(map(leaves, kwargs.values())):
            return NotImplemented
        if has_rule(function, args, kwargs) or self._can_push(function, args, kwargs):
            return recording.call(function, args, kwargs)
        return NotImplemented

    def _can_push(self, function: Function, args: Any, kwargs: dict[str, Any]) -> bool:
        """Whether the function's pushforward takes these arguments."""
        push, count = rules.PUSHFORWARDS.get(function), rules.OPERANDS.get(function, 1)
        if push is None or any(map(leaves, args[count:])):
            return False
        xs = self.recording.held(self.recording.stored(args))
        tangents = [np.zeros(np.shape(x)) for x in xs[:count]]
        with np.errstate(all="ignore"):
            pushed = push(*xs[:count], *tangents, *xs[count:], **kwargs)
        return pushed is not NotImplemented

    def _followed(self, x: Any) -> Any:
        """A table as a step, so that it can be looked up at a place that varies."""
        if isinstance(x, (tuple, list)) and not leaves(x):
            x = np.asarray(x)
        if isinstance(x, np.ndarray) and x.ndim:
            return self.recording.wrap(
                self.recording.step(np.array, (self.recording.constant(x),))
            )
        return x

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        if np.issubdtype(dtype, np.inexact):
            return self.recording.wrap(self.step)
        return self.recording.call(np.ndarray.astype, (self, np.dtype(dtype)), {})

    def __bool__(self) -> bool:
        truth = bool(self.step.held)
        self.recording.guard(expect_truth, self.step, truth)
        return truth

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.step.held!r})"

    def _become(self, new: Any) -> Any:
        became = super()._become(new)
        if became is self:
            self.step = new.step
        return became


class Discrete(Recorded):
    """A value that changes in steps: Python may look at it, under guard."""

    __slots__ = ()
    __hash__ = Traced.__hash__

    def __int__(self) -> int:  # type: ignore[override]
        return int(self.value)

    def __index__(self) -> int:  # type: ignore[override]
        return operator.index(self.value)

    def __float__(self) -> float:  # type: ignore[override]
        return float(self.value)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.value, dtype)


class Zeros(Recorded):
    """What ``np.zeros_like`` gives: it takes values until it is first used."""

    __slots__ = ("filled", "lengths", "pairs", "used")
    __hash__ = Traced.__hash__

    def __init__(self, shape: Any, recording: Recording):
        self.lengths = tuple(np.atleast_1d(shape).tolist()) if shape != () else ()
        self.recording = recording
        self.pairs: list[Any] = []
        self.filled = np.zeros(self.lengths, bool)
        self.used: Step | None = None

    @property
    def step(self) -> Step:  # type: ignore[override]
        if self.used is None:
            self.used = self.recording.step(placed, (self.lengths, None, *self.pairs))
        return self.used

    @property
    def shape(self) -> tuple[int, ...]:
        return self.lengths

    def __getitem__(self, index: Any) -> Any:
        if self.used is None and not leaves(index):
            return PartOfZeros(self, index)
        return super().__getitem__(index)

    def __setitem__(self, index: Any, item: Any) -> None:  # type: ignore[override]
        if not (isinstance(item, PartOfZeros) and item.grown and item.whole is self):
            self.add(index, item, again=False)

    def add(self, index: Any, item: Any, again: bool) -> None:
        """Add a value; only with `again` where there is one already."""
        stored = self.recording.stored(item)
        items: Any = [] if leaves(index) else np.ravel(self._numbers(index))
        if (
            self.used is not None
            or leaves(index)
            or len(set(items)) < len(items)
            or (not again and self.filled[index].any())
            or np.iscomplexobj(self.recording.held(stored))
        ):
            raise TracedValueError(
                "numpy_source follows assignments into np.zeros_like(...) as long as "
                "nothing was computed with it, and no item has a value already; "
                "otherwise use np.where, np.concatenate or np.stack"
            )
        self.filled[index] = True
        self.pairs.append((self.recording.stored(index), stored, False))

    def _numbers(self, index: Any) -> Any:
        return np.arange(self.filled.size).reshape(self.lengths)[index]


class PartOfZeros(Recorded):
    """A part of zeros: a view as long as something is added to it in place."""

    __slots__ = ("grown", "index", "whole")
    __hash__ = Traced.__hash__

    def __init__(self, whole: Zeros, index: Any):
        self.whole = whole
        self.index = index
        self.recording = whole.recording
        self.grown = False

    @property
    def step(self) -> Step:  # type: ignore[override]
        stored = self.recording.stored(self.index)
        return self.recording.step(operator.getitem, (self.whole.step, stored))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(np.shape(self.whole.filled[self.index]))

    def __iadd__(self, other: Any) -> Any:
        self.whole.add(self.index, other, again=True)
        self.grown = True
        return self

    def __isub__(self, other: Any) -> Any:
        return self.__iadd__(np.negative(other))


def is_default(function: Function, name: str, value: Any) -> bool:
    """Whether a keyword says nothing: a trace keeps its own precision."""
    if name == "dtype":
        return value is None or np.issubdtype(value, np.inexact)
    if value is None:
        return name in ("out", "initial") or (
            name == "axis" and function in OF_ALL_ITEMS
        )
    return (
        name == "optimize" or value is np._NoValue or (name == "keepdims" and not value)
    )


def has_rule(function: Function, args: Any, kwargs: dict[str, Any]) -> bool:
    """Whether the slope of a call is known."""
    pulls = PULLBACKS.get(function)
    if pulls is not None and all(
        pull is None or takes(pull, args, kwargs) for pull in pulls[: len(args)]
    ):
        return True
    if function in MOVES or function in OWN or function is rules.cofactors_by_svd:
        return True
    return bool(rules.partials(function)) and "where" not in kwargs


def depends_in_shape(step: Step) -> bool:
    """Whether another point may give a result of another shape."""
    if step.function in COUNTING:
        return not isinstance(step.held, (tuple, list))
    if step.function is part:
        return step.args[0].function in COUNTING
    if step.function is operator.getitem:
        return any(s.dtype.kind == "b" for s in each(step.args[1]))
    return False


def token(tree: Any) -> Any:
    """What tells the arguments of one call from those of another."""
    if isinstance(tree, (Step, Constant)):
        return tree
    if isinstance(tree, (tuple, list)):
        return (type(tree).__name__, *map(token, tree))
    if isinstance(tree, slice):
        return ("slice", token(tree.start), token(tree.stop), token(tree.step))
    if isinstance(tree, (bool, int, float, complex, str, np.generic)):
        return (type(tree), repr(tree))
    return id(tree) if tree is not None else None


def whereabouts() -> Any:
    """The place in the user's code that is running: its code and the instruction.

    And whether the step is all that happens there.
    """
    frame, alone = sys._getframe(2), True
    while frame:
        name = frame.f_globals.get("__name__", "")
        if name == "diffmethods.methods.numpy_source":  # f itself is one of NumPy's own
            return None
        if is_users(name):
            return frame.f_code, frame.f_lasti, alone
        alone = alone and name in DIRECTLY
        frame = frame.f_back  # type: ignore[assignment]
    return None


@functools.cache
def is_users(module: str) -> bool:
    return not any(module == name or module.startswith(name + ".") for name in OURS)


def placed_at(note: Any) -> tuple[Any, list[str]]:
    """Lines and columns of a step's expression, and all lines of its file."""
    if note is None:
        return None, []
    import linecache

    code, instruction, _ = note
    place = next(islice(code.co_positions(), instruction // 2, None), None)
    lines = linecache.getlines(code.co_filename)
    if place is None or None in place or len(lines) < place[1]:
        return None, []
    return place, lines


def written_at(note: Any) -> str:
    """The expression in the user's code that a step comes from, on one line."""
    place, lines = placed_at(note)
    if place is None:
        return ""
    first, last, start, stop = place
    lines = lines[first - 1 : last]
    words = [line.encode() for line in lines]  # columns count bytes
    words[-1] = words[-1][:stop]
    words[0] = words[0][start:]
    return " ".join(b" ".join(words).decode(errors="replace").split())


def named_at(note: Any) -> str:
    """The name that the user gives to what a step computes, if any."""
    place, lines = placed_at(note)
    return names_given("".join(lines)).get(place, "") if place and note[2] else ""


@functools.lru_cache(maxsize=8)
def names_given(text: str) -> dict[Any, str]:
    """The names of the assigned expressions in a file, by their place."""
    import ast

    try:
        tree = ast.parse(text)
    except SyntaxError:  # of a notebook's own, say
        return {}
    found = {}

    def note(target: Any, value: Any) -> None:
        if isinstance(target, ast.Name):
            place = value.lineno, value.end_lineno, value.col_offset
            found[(*place, value.end_col_offset)] = target.id
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for pair in zip(target.elts, value.elts, strict=False):
                note(*pair)

    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            note(node.targets[0], node.value)
        elif isinstance(node, ast.AugAssign):
            note(node.target, node)
    return found
