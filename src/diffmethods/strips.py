"""Strips: elementwise steps on long arrays, a few thousand items at a time.

A step on an array that does not fit into the processor's cache waits for memory.
Steps of one shape that depend on each other only item by item go through their arrays
together in strips, and what they hand to each other stays in a few buffers.
"""

import math
from collections import Counter
from typing import Any

import numpy as np

from diffmethods.steps import Constant, Step, each, placed
from diffmethods.writing import literal

ITEMS = 16384  # in a strip
LONG = 2 * ITEMS  # items from which an array is walked in strips
FEW = 2  # steps below which nothing is gained
FAST_POWERS = {
    2: np.square,
    -1: np.reciprocal,
    0.5: np.sqrt,
}  # NumPy's own choice for **


def scheduled(steps: list[Step], outputs: Any) -> list[Any]:
    """The steps in an order in which those that can share a strip stand together."""
    phases: dict[Step, int] = {}
    groups: dict[tuple[int, tuple[int, ...]], list[Step]] = {}
    member: dict[Step, tuple[int, tuple[int, ...]]] = {}
    for step in steps:
        phase = max(
            (phases.get(o, 0) + (o in member) for o in step.operands), default=0
        )
        group = None
        if is_elementwise(step):
            inside = [
                member[o][0]
                for o in step.operands
                if o in member and o.shape == step.shape
            ]
            others = [
                phases.get(o, 0) + (o in member)
                for o in step.operands
                if not (o in member and o.shape == step.shape)
            ]
            phase = max([*inside, *others], default=0)
            group = (phase, step.shape)
        elif absorbed := absorbing_group(step, member):
            phase, _ = group = absorbed
        phases[step] = phase
        if group:
            member[step] = group
            groups.setdefault(group, []).append(step)
    if not groups:
        return steps
    plain: dict[int, list[Any]] = {}
    for step in steps:
        if step not in member:
            plain.setdefault(phases[step], []).append(step)
    order: list[Any] = []
    for phase in range(max(phases.values()) + 1):
        order += plain.get(phase, [])
        for (its_phase, shape), members in groups.items():
            if its_phase == phase:
                few = sum(map(is_elementwise, members)) < FEW
                order += members if few else [Strip(members, shape, steps, outputs)]
    return order


def is_elementwise(step: Step) -> bool:
    """Whether a step computes each item of a long array from the items beside it."""
    function = step.function
    if (
        step.kwargs
        or not step.shape
        or step.size < LONG
        or step.dtype.kind not in "fbc"
    ):
        return False
    if function is np.where:
        if len(step.args) != 3:
            return False
    elif not isinstance(function, np.ufunc) or function.signature or function.nout > 1:
        return False
    return strip_of(step.shape) < step.shape[0]


def absorbing_group(step: Step, member: dict[Step, Any]) -> Any:
    """The group that a sum, or additions at slices, can be done along with."""
    if step.function is np.sum and len(step.args) == 1 and not step.kwargs:
        operand = step.args[0]
        return member.get(operand) if is_elementwise(operand) else None
    if step.function is not placed or step.args[1] is not None:
        return None
    groups = set()
    for index, value, repeats in step.args[2:]:
        if repeats or not isinstance(value, Step) or value not in member:
            return None
        if any(each(index)) or not is_elementwise(value):
            return None
        parts = index if isinstance(index, tuple) else (index,)
        if not all(
            isinstance(i, (int, slice, type(None), type(Ellipsis))) for i in parts
        ):
            return None
        if np.broadcast_to(0.0, step.args[0])[index].shape != value.shape:
            return None
        groups.add(member[value])
    return groups.pop() if len(groups) == 1 else None


def strip_of(shape: tuple[int, ...]) -> int:
    """How many rows make a strip."""
    return max(1, ITEMS // max(1, math.prod(shape[1:])))


class Strip:
    """Steps of one shape that go through their arrays together."""

    def __init__(
        self,
        members: list[Step],
        shape: tuple[int, ...],
        steps: list[Step],
        outputs: Any,
    ):
        self.members = [step for step in members if is_elementwise(step)]
        self.sums = [step for step in members if step.function is np.sum]
        self.placed = [step for step in members if step.function is placed]
        self.shape = shape
        inside = {*members}
        users = [o for step in steps if step not in inside for o in step.operands]
        self.kept = {*users, *each(outputs)} & {*self.members}

    def write(self, lines: Any) -> None:
        """Write the loop."""
        n, rows = self.shape[0], strip_of(self.shape)
        body = Body(lines, self)
        for step in self.placed:
            body.prepare_placed(step)
        for step in self.members:
            body.write(step)
        for step in self.sums:
            body.write_sum(step)
        body.write_placed()
        for line in body.before:
            lines.add(line)
        words = "strip by strip, each as long as fits into the processor's cache"
        lines.add(f"for lo in range(0, {n}, {rows}):", words)
        lines.add(f"    hi = min(lo + {rows}, {n})")
        for line, note in body.inside:
            lines.add(f"    {line}", note)
        for line in body.after:
            lines.add(line)


class Body:
    """What happens before, inside and after a loop over strips."""

    def __init__(self, lines: Any, strip: Strip):
        self.lines = lines
        self.strip = strip
        self.before: list[str] = []
        self.inside: list[tuple[str, str]] = []
        self.after: list[str] = []
        self.local: dict[Any, str] = {}  # names within a strip
        self.free: dict[Any, list[str]] = {}
        self.lands: dict[Any, str] = {}  # arrays that a result is computed into
        self.adding: list[tuple[str, str, Any]] = []  # what is added at the end
        self.places = Counter(v for s in strip.placed for _, v, _ in s.args[2:])
        self.owner: dict[Step, tuple[Any, str]] = {}
        self.last: dict[Step, Any] = {}
        for step in (*strip.members, *strip.sums, *strip.placed):
            for operand in step.operands:
                self.last[operand] = step

    def write(self, step: Step) -> None:
        args = [self.operand(x) for x in step.args]
        function = step.function
        if function is np.power and step.args[1] in FAST_POWERS:
            function, args = FAST_POWERS[step.args[1]], args[:1]
        for operand in dict.fromkeys(step.operands):
            self.release(operand, step)
        words = f"{self.lines.writer.name(function)}({', '.join(args)}"
        note = self.lines.note(step)
        here = step in self.strip.kept or step in self.lands
        if function is np.where and not here:
            self.local[step] = self.lines.local_name("w")
            self.inside.append((f"{self.local[step]} = {words})", note))
            return
        target = self.target(step)
        if function is np.where:
            self.inside.append((f"{target}[...] = {words})", note))
        else:
            self.inside.append((f"{words}, out={target})", note))

    def operand(self, x: Any) -> str:
        """A number, a buffer, the strip of an array, or an array without that axis."""
        if x in self.local if isinstance(x, (Step, Constant)) else False:
            return self.local[x]
        words: str = self.lines.writer.text(x)[0]
        shape: tuple[int, ...] = getattr(x, "shape", ())
        if len(shape) != len(self.strip.shape) or shape[0] != self.strip.shape[0]:
            return words
        return self.sliced(x, words)

    def sliced(self, x: Any, words: str) -> str:
        """Name the strip of a whole array."""
        if not words.isidentifier():
            whole = self.lines.local_name("v")
            self.before.append(f"{whole} = {words}")
            words = whole
        name: str = self.lines.local_name("s")
        self.local[x] = name
        self.inside.append((f"{name} = {words}[lo:hi]", ""))
        return name

    def target(self, step: Step) -> str:
        """Where a result goes: into its own array, or into a buffer that is free."""
        kind = literal(step.dtype)[0]
        if step in self.strip.kept:
            whole = self.lines.new_name(step)
            self.before.append(
                f"{whole} = {self.lines.fresh('empty', step.shape, kind)}"
            )
            return self.sliced(step, whole)
        if step in self.lands:
            return self.sliced(step, self.lands[step])
        free = self.free.setdefault(kind, [])
        if free:
            name = free.pop()
        else:
            whole, name = self.lines.local_name("b"), self.lines.local_name("r")
            size = (strip_of(step.shape), *step.shape[1:])
            self.before.append(f"{whole} = {self.lines.fresh('empty', size, kind)}")
            self.inside.append((f"{name} = {whole}[: hi - lo]", ""))
        self.local[step] = name
        self.owner[step] = (kind, name)
        return name

    def release(self, operand: Step, step: Step) -> None:
        """Give a buffer back after its last use."""
        if operand in self.owner and self.last[operand] is step:
            kind, name = self.owner.pop(operand)
            self.free[kind].append(name)

    def prepare_placed(self, step: Step) -> None:
        """Make the array that values are added into, and let one be computed there.

        It must be the one that begins last: then no strip of it comes where another
        value has been added before.
        """
        shape, kind = step.args[0], literal(step.dtype)[0]
        starts = [self.start(index, shape) for index, _, _ in step.args[2:]]
        name = self.lines.new_name(step)
        first = starts.index(max(starts)) if min(starts) >= 0 else None
        fresh = self.lines.fresh("zeros" if first is None else "empty", shape, kind)
        self.before.append(f"{name} = {fresh}")
        if first is not None:
            if starts[first]:
                self.before.append(f"{name}[:{starts[first]}] = 0.0")
            if (stop := starts[first] + self.strip.shape[0]) < shape[0]:
                self.before.append(f"{name}[{stop}:] = 0.0")
        for k, (index, value, _) in enumerate(step.args[2:]):
            view = self.lines.local_name("v")
            self.before.append(f"{view} = {name}[{self.lines.writer.index(index)}]")
            if k != first:
                self.adding.append((view, "+=", value))
            elif (
                value in self.strip.kept
                or self.places[value] > 1  # it would change before it is read again
                or value.dtype != step.dtype
            ):
                self.adding.insert(0, (view, "=", value))
            else:
                self.lands[value] = view

    def start(self, index: Any, shape: Any) -> int:
        """Where a plain slice of whole rows begins; -1 for another index."""
        if not isinstance(index, slice) or shape[1:] != self.strip.shape[1:]:
            return -1
        start, stop, step = index.indices(shape[0])
        return start if step == 1 and stop - start == self.strip.shape[0] else -1

    def write_placed(self) -> None:
        for view, sign, value in self.adding:
            note = self.lines.note(value)
            line = f"{view}[lo:hi] {sign} {self.operand(value)}"
            self.inside.append((line, note))

    def write_sum(self, step: Step) -> None:
        """Sum each strip, and then the sums."""
        parts = self.lines.local_name("p")
        self.before.append(f"{parts} = []")
        words = self.operand(step.args[0])
        self.inside.append((f"{parts}.append(np.sum({words}))", self.lines.note(step)))
        self.after.append(f"{self.lines.new_name(step)} = np.sum({parts})")
