"""The tape: write down every operation, then read it backwards.

A `Node` stands in for an array.  Each NumPy call on one appends an entry to the tape of
its trace: a function that pulls a cotangent back through the call, the places of the
operands on the tape, and what the function needs to know.  A `Sweep` reads the entries
from the last to the first.  `diffmethods.fast_tape` does the same in less time for the
commonest calls on real numbers.
"""

import functools
import inspect
import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.buffers import FLOAT, SMALL, Arithmetic
from diffmethods.cotangents import SparseRows, fold, scatter, whole
from diffmethods.definitions import DEFINITIONS
from diffmethods.errors import TracedValueError
from diffmethods.pullbacks import MOVES, ONE_AT_A_TIME, PULLBACKS, REWRITES
from diffmethods.traced import LEVELS, Traced, leaves, origins, parts, rebuilt

Function = Callable[..., Any]
Entry = tuple[Any, ...]  # (pull, ...), called as pull(sweep, cotangent, entry)

SAVES_NOTHING = {np.add, np.subtract}
EXACTLY = 2**17  # bytes up to which a watched array is compared as a whole
WEIGHTS = np.sqrt(np.arange(1.0, 1025.0))


class Tape:
    """Every operation of one trace in order, as far as going back needs it."""

    __slots__ = (
        "add",
        "arithmetic",
        "entries",
        "level",
        "mul",
        "poles",
        "real_node",
        "sub",
        "watched",
    )

    def __init__(
        self, real_node: type["Node"] | None = None, arithmetic: Arithmetic = SMALL
    ):
        self.level = next(LEVELS)
        self.entries: list[Entry] = []
        self.real_node = real_node or Node
        self.poles = False  # whether a slope may be infinite
        self.arithmetic = arithmetic
        self.add, self.sub, self.mul = arithmetic.add, arithmetic.sub, arithmetic.mul
        self.watched: dict[int, tuple[Any, Any]] = {}

    def record(self, y: Any, entry: Entry = ()) -> "Node":
        """Append an entry, and return the stand-in for its result."""
        dtype = getattr(y, "dtype", None)
        if dtype is None:
            y = np.asarray(y)[()]
            dtype = y.dtype
        kind = self.real_node if dtype is FLOAT else Node
        self.poles = bool(self.entries)
        return kind(y, self, entry)

    def values(self, tree: Any) -> Any:
        """Replace every node of this tape in nested arguments by its value."""
        if isinstance(tree, Node) and tree.tape is self:
            return tree.value
        if isinstance(tree, (tuple, list)):
            return rebuilt(tree, map(self.values, tree))
        return tree

    def varies(self, tree: Any) -> bool:
        """Whether any of nested arguments is a node of this tape."""
        return any(leaf.level == self.level for leaf in leaves(tree))

    def watch(self, tree: Any) -> None:
        """Remember what constant arrays held: an entry refers to them."""
        if isinstance(tree, (tuple, list)):
            for branch in tree:
                self.watch(branch)
        elif isinstance(tree, np.ndarray):
            known = self.watched.get(id(tree))
            if known is None:
                self.watched[id(tree)] = tree, fingerprint(tree)
            elif not unchanged(*known):
                raise changed(tree)

    def check_watched(self) -> None:
        """Refuse to go back through arrays that are not what they were."""
        for array, held in self.watched.values():
            if not unchanged(array, held):
                raise changed(array)


def fingerprint(array: Any) -> Any:
    """All bytes of a small array; of a large one, sums that a change of it changes.

    The sum of the bits of each 1,024 floats shows any change of one; their sum with
    weights shows an exchange.
    """
    if array.nbytes <= EXACTLY or array.dtype.hasobject:
        as_it_lies = array.dtype is FLOAT and array.flags.c_contiguous
        return bytearray(array) if as_it_lies else array.tobytes()
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype.kind not in "fc" or flat.itemsize % 8:
        return zlib.crc32(flat.data).to_bytes(4)
    floats = flat.view(float)
    rows = floats[: floats.size // 1024 * 1024].reshape(-1, 1024)
    sums = rows.view(np.int64).sum(axis=1), rows @ WEIGHTS, floats[rows.size :]
    return b"".join(part.tobytes() for part in sums)


def unchanged(array: Any, held: Any) -> bool:
    """Whether an array has the fingerprint that it had."""
    if held.__class__ is bytearray:  # it can look at the array's memory itself
        return held.__eq__(array) is True
    return bool(fingerprint(array) == held)


def changed(array: Any) -> TracedValueError:
    return TracedValueError(
        f"an array of shape {array.shape} was changed in place after f had computed "
        "with it, and reverse_tape needs it as it was: change a copy instead"
    )


class Node(Traced):
    """A value, and the place of the operation that made it on the tape."""

    __slots__ = ("index", "tape", "value")
    method = "reverse_tape"

    def __init__(self, value: Any, tape: Tape, entry: Entry):
        entries = tape.entries
        self.value = value
        self.tape = tape
        self.index = len(entries)
        entries.append(entry)

    @property
    def level(self) -> int:  # type: ignore[override]
        return self.tape.level

    def apply(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        tape = self.tape
        if function in DEFINITIONS:
            return DEFINITIONS[function](*args, **kwargs)
        if function in rules.CONSTANT and function not in rules.PUSHFORWARDS:
            named = {key: tape.values(item) for key, item in kwargs.items()}
            return function(*tape.values(args), **named)
        if function in REWRITES:
            result = REWRITES[function](*args, **kwargs)
            if result is not NotImplemented:
                return result
        if tape.varies(tuple(kwargs.values())):
            return NotImplemented
        if function in PULLBACKS:
            result = self._pull_back(function, args, kwargs)
            if result is not NotImplemented:
                return result
        if function in MOVES:
            return self._move(function, args, kwargs)
        if rules.partials(function) and "where" not in kwargs:
            return self._chain_rule(function, args, kwargs)
        if function in rules.PUSHFORWARDS:
            return self._transpose(function, args, kwargs)
        return NotImplemented

    def _chain_rule(self, function: Function, args: Any, kwargs: Any) -> Any:
        """The cotangent times the partial derivative by each operand."""
        tape = self.tape
        xs = [np.array(x) if isinstance(x, list) else tape.values(x) for x in args]
        y = function(*xs, **kwargs)
        partials = rules.partials(function, y) or ()
        if function not in SAVES_NOTHING:
            tape.watch([x for x in args if not isinstance(x, Node)])
        return tape.record(y, (pull_partials, self._targets(args, partials), y, xs))

    def _pull_back(self, function: Function, args: Any, kwargs: Any) -> Any:
        """A rule of its own for the cotangent of each operand."""
        tape, pulls = self.tape, PULLBACKS[function]
        if any(pull and not takes(pull, args, kwargs) for pull in pulls[: len(args)]):
            return NotImplemented
        targets = self._targets(args, pulls)
        if len(targets) < sum(tape.varies(x) for x in args):
            return NotImplemented
        return self._by_rule(function, targets, args, kwargs)

    def _by_rule(self, function: Function, targets: Any, args: Any, kwargs: Any) -> Any:
        tape = self.tape
        tape.watch([x for x in args if not isinstance(x, Node)])
        xs = [np.array(x) if isinstance(x, list) else tape.values(x) for x in args]
        y = function(*xs, **kwargs)
        return tape.record(y, (pull_by_rule, function, targets, y, xs, kwargs))

    def _targets(self, args: Any, pulls: Any) -> list[tuple[Any, ...]]:
        return [
            (x.index, pull, np.shape(x.value), not np.iscomplexobj(x.value))
            for x, pull in zip(args, pulls, strict=False)
            if pull and isinstance(x, Node) and x.tape is self.tape
        ]

    def _move(self, function: Function, args: Any, kwargs: Any) -> Any:
        """Cotangents go back to the items that were moved."""
        tape, (first, *others) = self.tape, args
        if tape.varies(others):
            return NotImplemented
        source, operands = origins(function, args, kwargs, tape.level)
        y = function(tape.values(first), *others, **kwargs)
        places, start = [], 0
        for x in operands:
            real = not np.iscomplexobj(x.value)
            places.append((x.index, start, start + x.size, x.shape, real))
            start += x.size

        def recorded(y: Any, source: Any) -> Any:
            if isinstance(y, (tuple, list)):
                return rebuilt(y, map(recorded, y, source))
            numbers = np.asarray(source, int)
            return tape.record(y, (pull_moved, numbers, places, start))

        return recorded(y, source)

    def _transpose(self, function: Function, args: Any, kwargs: Any) -> Any:
        """A pushforward is linear in the tangents: read it backwards, too."""
        tape, count = self.tape, rules.OPERANDS.get(function, 1)
        operands, others = args[:count], args[count:]
        if tape.varies(others):
            return NotImplemented
        tape.watch([x for x in args if not isinstance(x, Node)])
        inner, inputs, tangents = Tape(tape.real_node), [], []
        for x in operands:
            value = tape.values(x)
            tangent: Any = np.zeros(np.shape(value), complex_or_float(value))
            if isinstance(x, Node) and x.tape is tape:
                inputs.append(x.index)
                tangent = inner.record(tangent)
            tangents.append(tangent)
        with np.errstate(all="ignore"):
            push = rules.PUSHFORWARDS[function]
            pushed = push(*tape.values(operands), *tangents, *others, **kwargs)

        def recorded(y: Any, dy: Any) -> Any:
            if isinstance(y, (tuple, list)):
                return rebuilt(y, map(recorded, y, dy))
            if not (isinstance(dy, Node) and dy.tape is inner):
                return y  # a constant
            return tape.record(y, (pull_transposed, inner, dy.index, inputs))

        return pushed if pushed is NotImplemented else recorded(*pushed)

    def _become(self, new: Any) -> Any:
        """Stand for another entry from now on; those that used the old one keep it."""
        became = super()._become(new)
        if became is self:
            self.value, self.index = new.value, new.index
        return became


def complex_or_float(x: Any) -> type:
    return complex if np.iscomplexobj(x) else float


def takes(pull: Function, args: Any, kwargs: Any) -> bool:
    """Whether a rule has parameters for these arguments."""
    least, most, names = parameters(pull)
    return least <= len(args) + 2 and len(args) + 2 <= most and kwargs.keys() <= names


@functools.cache
def parameters(pull: Function) -> tuple[int, float, set[str]]:
    found = inspect.signature(pull).parameters.values()
    places = [
        p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    most: float = len(places)
    if any(p.kind == p.VAR_POSITIONAL for p in found):
        most = float("inf")
    return sum(p.default is p.empty for p in places), most, {p.name for p in found}


class Sweep:
    """One reading of a tape from an entry back to its inputs.

    Parameters
    ----------
    tape
        What to read.
    rows
        How many cotangents are pulled back at once; 0 for one without an axis of rows.
    careful
        Whether a weight of 0 stays 0 even where the partial derivative is not finite,
        as behind the branch that ``np.where`` did not take.
    """

    __slots__ = (
        "add",
        "careful",
        "cotangents",
        "mul",
        "neg",
        "owned",
        "rows",
        "tape",
        "zeros",
    )

    def __init__(self, tape: Tape, rows: int = 0, careful: bool = False):
        self.tape = tape
        self.rows = rows
        self.careful = careful
        self.owned: set[int] = set()  # entries whose cotangents were made here
        self.cotangents: list[Any] = []
        arithmetic = SMALL if rows else tape.arithmetic
        self.add, self.neg, self.zeros = (
            arithmetic.add,
            arithmetic.neg,
            arithmetic.zeros,
        )
        self.mul = mul_carefully if careful else arithmetic.mul

    def back(
        self, index: int, w: Any, inputs: int = 1, keep: bool = False
    ) -> list[Any]:
        """Pull `w` from an entry back to the first entries, and return what arrives.

        Entries are dropped with all they hold as soon as they are read, unless `keep`.
        """
        if self.tape.poles:
            with np.errstate(all="ignore"):
                return self._back(index, w, inputs, keep)
        return self._back(index, w, inputs, keep)

    def _back(self, index: int, w: Any, inputs: int, keep: bool) -> list[Any]:
        entries, cotangents = self.tape.entries, [None] * (max(index, inputs - 1) + 1)
        self.cotangents = cotangents
        cotangents[index] = w
        if not keep:
            del entries[len(cotangents) :]
        pop_entry, pop_cotangent = entries.pop, cotangents.pop
        for k in range(index, inputs - 1, -1):
            entry = entries[k] if keep else pop_entry()
            w = pop_cotangent()
            if w is None:
                continue
            w = entry[0](self, w, entry)
            if w is not None:
                first = entry[1]
                if cotangents[first] is None:
                    cotangents[first] = w
                else:
                    self.give(first, w)
        return cotangents

    def give(self, k: int, w: Any) -> None:
        """Add a contribution to the cotangent of an entry."""
        total = self.cotangents[k]
        if total is None:
            self.cotangents[k] = w
        elif k not in self.owned:
            total = self.cotangents[k] = self.add(total, w)
            if total.__class__ is np.ndarray:
                self.owned.add(k)
        elif w.__class__ is float or (
            w.__class__ is np.ndarray and w.dtype is total.dtype
        ):
            total += w
        else:
            self.owned.discard(k)
            self.cotangents[k] = total + w

    def give_folded(self, k: int, w: Any, shape: tuple[int, ...], real: bool) -> None:
        """The same for one that broadcasting made too large, or that became complex."""
        if isinstance(w, SparseRows):
            if w.shape != shape:
                size = math.prod(shape)
                items = np.broadcast_to(np.arange(size).reshape(shape), w.shape)
                w = w.moved(items.ravel()[w.items], shape)
            self.give(k, w)
            return
        w = fold(w, shape, 1 if self.rows else 0)
        self.give(k, np.real(w) if real and np.iscomplexobj(w) else w)

    def part_of(self, k: int, shape: tuple[int, ...]) -> Any:
        """The cotangent of an entry as an array to add to in place, or None."""
        total = self.cotangents[k]
        if k in self.owned:
            return total
        if isinstance(total, (SparseRows, Traced)):
            return None
        own = self.zeros((self.rows, *shape) if self.rows else shape)
        if total is not None:
            own += total
        self.cotangents[k] = own
        self.owned.add(k)
        return own


def pull_partials(sweep: Sweep, w: Any, entry: Entry) -> None:
    """dx = w * partial, for an elementwise function."""
    _, targets, y, xs = entry
    shape = np.shape(y)
    if not isinstance(w, SparseRows):
        w = whole(w, shape)
    elif any(np.iscomplexobj(x) for x in (y, *xs)):
        w = w.dense()
    for k, partial, its_shape, real in targets:
        sweep.give_folded(k, sweep.mul(w, partial(y, *xs)), its_shape, real)


def pull_by_rule(sweep: Sweep, w: Any, entry: Entry) -> None:
    """dx by a rule out of PULLBACKS; row by row if it knows of no rows."""
    _, function, targets, y, xs, kwargs = entry
    if isinstance(w, SparseRows) and not stays_sparse(function, targets, xs):
        w = w.dense()
    w = w if isinstance(w, SparseRows) else whole(w, np.shape(y))
    for k, pull, shape, real in targets:
        if sweep.rows and function in ONE_AT_A_TIME:
            dx = np.stack([pull(row, y, *xs, **kwargs) for row in w])
        else:
            dx = pull(w, y, *xs, **kwargs)
        sweep.give_folded(k, dx, shape, real)


def stays_sparse(function: Function, targets: Any, xs: Any) -> bool:
    """Whether the rule is that of a constant matrix times a vector."""
    of_vector = len(targets) == 1 and targets[0][1] is PULLBACKS[np.matmul][1]
    return of_vector and (np.ndim(xs[0]), np.ndim(xs[1])) == (2, 1)


def pull_moved(sweep: Sweep, w: Any, entry: Entry) -> None:
    """Add each weight to the item that stood in its place."""
    _, source, places, total = entry
    if not (isinstance(w, SparseRows) and len(places) == 1):
        w = whole(w, source.shape)
    flat = scatter(w, source, (total,), 1 if sweep.rows else 0)
    for k, start, stop, shape, real in places:
        if isinstance(flat, SparseRows):
            part: Any = flat.moved(flat.items, shape)
        else:
            part = flat[..., start:stop]
            part = np.reshape(part, (*np.shape(part)[:-1], *shape))
        sweep.give(k, np.real(part) if real and np.iscomplexobj(part) else part)


def pull_transposed(sweep: Sweep, w: Any, entry: Entry) -> None:
    """Read the tape of the pushforward backwards."""
    _, inner, index, inputs = entry
    again = Sweep(inner, sweep.rows, sweep.careful)
    arrived = again.back(index, w, len(inputs), keep=True)
    for k, dx in zip(inputs, arrived, strict=False):
        if dx is not None:
            sweep.give(k, dx)


def mul_carefully(w: Any, partial: Any) -> Any:
    """The product, in which a weight of 0 wins against infinity and NaN."""
    finite = np.isfinite(partial)
    if not np.all(finite):
        partial = np.where(~finite & vanishes(w), 0.0, partial)
    return w * partial


def vanishes(w: Any) -> Any:
    """Where a weight is 0, together with all derivatives that it carries."""
    if isinstance(w, SparseRows):
        return False
    if not isinstance(w, Traced):
        return w == 0
    if w.parts is None:
        return False
    return functools.reduce(np.logical_and, map(vanishes, parts(w)))
