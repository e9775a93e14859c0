"""Programs: the steps that a result needs, written as straight-line NumPy source.

What nothing needs is left out; what one line alone needs is written there; elementwise
arithmetic on long arrays goes through them in strips that stay in the processor's
cache.
"""

import builtins
import functools
import inspect
import itertools
import keyword
import math
import operator
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.buffers import KEPT_ARRAYS, LARGE
from diffmethods.recording import Recording, named_at, written_at
from diffmethods.steps import (
    GUARDS,
    VIEWS,
    Constant,
    Step,
    each,
    expect_shape,
    expect_truth,
    filled,
    placed,
)
from diffmethods.strips import Strip, scheduled
from diffmethods.traced import outcome
from diffmethods.writing import ATOM, Text, Writer, array_literal, atom, literal

WIDTH = 88
COLUMN = 44  # where notes begin, at the latest
INLINE = 52  # characters of an expression that may stand inside another
SHORT = 12  # characters of one that may stand in several
RESERVED = {*keyword.kwlist, *dir(builtins), "lo", "hi"}

# A derivative made of these warns of nothing that the function would not warn of.
CALM = {np.add, np.subtract, np.multiply, np.negative, np.sum, placed, filled, "w", "v"}
CALM |= VIEWS

ANOTHER_BRANCH = '''\
class AnotherBranch(ValueError):
    """The function takes another branch at this x: write its derivative anew."""
'''


class Program:
    """What a recording found out, as a function of its inputs.

    Parameters
    ----------
    recording
        The steps.
    inputs
        The steps that are its arguments, in their order.
    outputs
        What it returns: stand-ins, arrays or numbers, possibly in a tuple.
    name
        What the function is called.
    about
        What it computes, for its docstring.
    names
        The names of the user's own arrays, by their id.
    """

    def __init__(
        self,
        recording: Recording,
        inputs: list[Step],
        outputs: Any,
        name: str,
        about: str = "",
        names: dict[int, str] | None = None,
    ):
        self.inputs = inputs
        self.name = name
        self.about = about
        self.outputs = fresh(recording, outputs)
        self.steps = needed(recording.steps, self.outputs)
        self.guarded = any(step.function in GUARDS for step in self.steps)
        self.calm = all(s.function in CALM for s in self.steps if s.slope)
        self.names = names or {}
        self.printed = recording.annotate
        for step in recording.steps:
            step.held = None

    @functools.cached_property
    def function(self) -> Callable[..., Any]:
        """What the source defines."""
        space: dict[str, Any] = {"np": np, "kept": KEPT_ARRAYS, **self.constants}
        for foreign, word in self.writer.unnamed.items():
            space[word] = getattr(foreign, "called", foreign)
        space |= {helper.__name__: helper for helper in self.writer.helpers}
        for line in self.writer.modules:
            exec(line, space)
        if self.guarded:
            space["AnotherBranch"] = AnotherBranch
        body = "\n".join(f"    {line.code}" for line in self.lines)
        names = ", ".join(step.function for step in self.inputs)
        exec(
            compile(f"def {self.name}({names}):\n{body}\n", "<numpy_source>", "exec"),
            space,
        )
        function: Callable[..., Any] = space[self.name]
        return function

    @functools.cached_property
    def _text(self) -> tuple[list["Line"], dict[str, Any], Writer]:
        """The lines, with what they refer to; written when somebody asks."""
        return Lines(self).written()

    lines = property(lambda self: self._text[0])
    constants = property(lambda self: self._text[1])
    writer = property(lambda self: self._text[2])

    def source(self) -> str:
        """A module that runs by itself."""
        definitions, arguments = [], []
        for name, array in self.constants.items():
            words = array_literal(array)
            if words is None:
                arguments.append((name, array))
            else:
                definitions.append(f"{name} = {words}\n")
        foreign = list(self.writer.unnamed.values())
        head = [
            "import numpy as np\n",
            *(f"{line}\n" for line in sorted(self.writer.modules)),
        ]
        blocks = ["".join(head)]
        if definitions:
            blocks.append("".join(definitions))
        blocks += ["\n" + inspect.getsource(helper) for helper in self.writer.helpers]
        if self.guarded:
            blocks.append("\n" + ANOTHER_BRANCH)
        blocks.append("\n" + self._function(arguments, foreign))
        return "\n".join(blocks)

    def _function(self, arguments: list[tuple[str, Any]], foreign: list[str]) -> str:
        names = [step.function for step in self.inputs] + [
            name for name, _ in arguments
        ]
        names += foreign
        text = f"def {self.name}({', '.join(names)}):\n"
        text += f'    """{self.about}'
        if arguments:
            text += "\n\n    Constants of the function that are too large to print:\n"
            for name, array in arguments:
                text += (
                    f"    {name}, an array of {array.dtype} of shape {array.shape}.\n"
                )
        if foreign:
            text += "\n\n    Functions that the source calls as they are:\n"
            text += f"    {', '.join(foreign)}.\n"
        if arguments or foreign:
            text += "    "
        text += '"""\n'
        for step in self.inputs:
            name, shape = step.function, step.shape
            kind = literal(step.dtype)[0]
            text += f"    {name} = np.positive({name}, dtype={kind})\n"
            text += f"    if {name}.shape != {shape}:\n"
            wanted = f"have shape {shape}" if shape else "be a number"
            text += (
                f'        raise ValueError(f"{name} must {wanted}, not '
                f'{"" if shape else "an array of shape "}{{{name}.shape}}")\n'
            )
        return text + "\n".join(annotated(self.lines)) + "\n"


def annotated(lines: list["Line"]) -> list[str]:
    """Each line with its note beside it, or above it where there is no room."""
    codes = [f"    {line.code}".rstrip() for line in lines]
    beside = [
        len(code)
        for code, line in zip(codes, lines, strict=True)
        if line.note and len(code) + len(line.note) + 4 <= WIDTH
    ]
    column = max((n for n in beside if n <= COLUMN), default=0)
    found, last = [], ""
    for code, line in zip(codes, lines, strict=True):
        if line.note and line.note != last:
            last = line.note
            if max(len(code), column) + len(last) + 4 <= WIDTH:
                code = f"{code:{column}}  # {last}"
            elif len(code) + len(last) + 4 <= WIDTH:
                code = f"{code}  # {last}"
            else:
                indent = code[: len(code) - len(code.lstrip())]
                room = WIDTH - len(indent) - 2
                words = last if len(last) <= room else f"{last[: room - 4]} ..."
                found.append(f"{indent}# {words}")
        found.append(code)
    return found


class AnotherBranch(ValueError):
    """The function takes another branch at this point."""


def to_source(
    f: Callable[..., Any], x: Any, *, operator: str | None = None, order: int = 1
) -> str:
    """Write the derivative of a function as NumPy source that runs by itself.

    The function is run once at `x`, and its NumPy calls are recorded.  Where Python
    looked at a value (an ``if``, the number of items that a mask selects), the source
    looks again, and raises ``AnotherBranch`` if something else is found.

    Parameters
    ----------
    f : callable
        ``f(x)`` in plain NumPy.
    x : float, complex or ndarray
        The point; the source holds for all points of its shape that take the same
        branches.  At a complex one it is for complex points, where `f` must be
        holomorphic.
    operator : str, optional
        One of ``derivative``, ``gradient``, ``value_and_gradient``, ``jvp``, ``vjp``,
        ``hvp``, ``jacobian`` and ``hessian``.  By default ``derivative`` if `x` is a
        number, ``gradient`` if ``f(x)`` is one, and else ``vjp``.
    order : int
        Which derivative; for ``derivative`` only.

    Returns
    -------
    str
        A module with one function, called like the operator.  Its arguments are `x`,
        by the name that `f` has for it, what the operator takes besides, and what
        cannot be printed: large arrays, and functions with a rule of their own, as its
        docstring lists them.

    Raises
    ------
    OptionError
        If there is no source of that operator.
    MissingRuleError
        If `f` calls a function whose derivative is not known.
    NotDifferentiableError
        If `x` is complex, and `f` not holomorphic there.

    Examples
    --------
    >>> import numpy as np
    >>> from diffmethods.source import to_source
    >>> print(to_source(lambda x: np.sum(x[1:] * x[:-1]), np.ones(3)))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def gradient(x):
        \"""The gradient of f at x.\"""
        x = np.positive(x, dtype=float)
        if x.shape != (3,):
            raise ValueError(f"x must have shape (3,), not {x.shape}")
        g_x = np.zeros_like(x)
        g_x[:-1] = x[1:]
        g_x[1:] += x[:-1]
        return g_x
    <BLANKLINE>
    """
    from diffmethods.methods import numpy_source  # which builds on this module
    from diffmethods.operators import check_complex_derivative, check_holomorphic

    x = np.array(x, complex if np.iscomplexobj(x) else float)[()]
    if operator is None:
        y = outcome(f(x))
        scalar = "gradient" if not np.shape(y) else "vjp"
        operator = scalar if np.shape(x) else "derivative"
    if operator == "derivative":
        check_complex_derivative(numpy_source.METHOD, f, x, order, {})
    else:
        second = operator in ("hessian", "hvp")
        check_holomorphic(numpy_source.METHOD, f, x, {}, 2 if second else 1)
    return numpy_source.program_at(f, x, operator, order).source()


class Line:
    """A line of source, and the expression of the user's that it comes from."""

    __slots__ = ("code", "note")

    def __init__(self, code: str, note: str = ""):
        self.code = code
        self.note = note


def fresh(recording: Recording, tree: Any) -> Any:
    """What to return, so that no result is a view of an argument or a constant."""
    if isinstance(tree, tuple):
        return tuple(fresh(recording, branch) for branch in tree)
    stored = recording.stored(tree)
    seen = stored
    while isinstance(seen, Step) and seen.function is np.reshape:
        seen = seen.args[0]
    lent = isinstance(seen, Constant) or (
        isinstance(seen, Step)
        and seen.shape
        and (seen.function in VIEWS or isinstance(seen.function, str))
    )
    return recording.step(np.copy, (stored,)) if lent else stored


def needed(steps: list[Step], outputs: Any) -> list[Step]:
    """The steps that the outputs and the guards depend on, in order."""
    wanted = {step.index for step in each(outputs)}
    kept = []
    for step in reversed(steps):
        if step.index in wanted or step.function in GUARDS:
            wanted.update(operand.index for operand in step.operands)
            kept.append(step)
    return kept[::-1]


class Lines:
    """Writes a program, line by line."""

    def __init__(self, program: Program):
        self.program = program
        self.printed = program.printed
        self.turned = False  # once the lines are about slopes
        self.writer = Writer(self.operand, self.foreign_name)
        self.lines: list[Line] = []
        self.names: dict[Any, str] = {}
        self.constants: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()
        self.inlined: dict[Step, Text] = {}
        self.taken = {"np", "AnotherBranch", "special", "kept", program.name}
        self.becomes: dict[Step, Step] = {}  # what a sum in place starts from
        self.uses = Counter(operand for s in program.steps for operand in s.operands)
        self.uses.update(each(program.outputs))
        for step in program.inputs:
            self.names[step] = step.function
            self.taken.add(step.function)

    def written(self) -> tuple[list[Line], dict[str, Any], Writer]:
        steps = [s for s in self.program.steps if not isinstance(s.function, str)]
        for step in steps:
            if step.function is placed and self.starts(step) and not self.printed:
                self.becomes[step.args[1]] = step
        for item in scheduled(steps, self.program.outputs):
            if isinstance(item, Strip):
                item.write(self)
            else:
                self.write(item)
        outputs = self.program.outputs
        if isinstance(outputs, tuple):
            words = ", ".join(self.writer.text(x)[0] for x in outputs)
        else:
            words = self.result(outputs)
        self.lines.append(Line(f"return {words}"))
        return self.lines, self.constants, self.writer

    def result(self, x: Any) -> str:
        if isinstance(x, (Step, Constant)):
            return self.writer.text(x)[0]
        kind = "complex128" if np.iscomplexobj(x) else "float64"
        return f"np.{kind}({literal(x)[0]})"

    def operand(self, x: Any) -> Text:
        """A name, or the expression of a step that is written where it is used."""
        if x in self.inlined:
            return self.inlined[x]
        if isinstance(x, Constant) and x not in self.names:
            self.names[x] = self.constant_name(x)
        return self.names[x], ATOM

    def constant_name(self, constant: Constant) -> str:
        name = self.program.names.get(id(constant.origin))
        if name is None or name in self.taken or re.fullmatch(r"[tg]\d+|g_\w*", name):
            name = self.local_name("c")
        self.taken.add(name)
        self.constants[name] = constant.array
        return name

    def new_name(self, step: Step) -> str:
        """The user's own name, or ``g_x`` for the cotangent of x, or t1, t2, ..."""
        if step in self.becomes:
            name = self.names[step] = self.new_name(self.becomes[step])
            return name
        name = f"g_{self.names[step.of]}" if step.of in self.names else ""
        if mine := self.users_name(step):
            counts = (mine if k == 1 else f"{mine}_{k}" for k in itertools.count(1))
            name = next(name for name in counts if name not in self.taken)
        elif not name or name in self.taken:
            name = self.local_name("t")
        self.taken.add(name)
        self.names[step] = name
        return name

    def users_name(self, step: Step) -> str:
        """What the function itself calls a step's result."""
        name = "" if step.slope else named_at(step.note)
        return "" if name in RESERVED or re.fullmatch(r"[a-z]\d+|g_\w*", name) else name

    def is_plain_part(self, step: Step) -> bool:
        """Whether ``x[1:]`` or ``x.T`` may be written again wherever it is used."""
        operand = step.args[0] if step.args else None
        return (
            self.printed
            and operand in self.program.inputs
            and len(step.operands) == 1
            and step.function in (np.transpose, operator.getitem)
        )

    def write(self, step: Step) -> None:
        """A line for a step, unless it can stand in the one that uses it."""
        if step.function in GUARDS:
            self.write_guard(step)
        elif step.function is placed:
            self.write_placed(step)
        else:
            text = self.writer.expression(step)
            short = len(text[0]) <= (SHORT if self.is_plain_part(step) else INLINE)
            again = self.uses[step] == 1 or self.is_plain_part(step)
            if short and again and not step.several and not self.users_name(step):
                self.inlined[step] = text
            else:
                self.assign(self.new_name(step), text[0], step)

    def add(self, code: str, words: str = "") -> None:
        self.lines.append(Line(code, words))

    def note(self, step: Step) -> str:
        return note(step, "")

    def foreign_name(self, function: Any) -> str:
        """The name of a function that is not NumPy's, if it is free."""
        name = str(function.__name__)
        if not name.isidentifier() or name in self.taken | RESERVED:
            name = self.local_name("function")
        self.taken.add(name)
        return name

    def local_name(self, letter: str) -> str:
        """A name for what lives within a loop."""
        name = ""
        while not name or name in self.taken:
            self.counts[letter] += 1
            name = f"{letter}{self.counts[letter]}"
        self.taken.add(name)
        return name

    def fresh(self, how: str, shape: Any, kind: str) -> str:
        """A new array; a large one may be an old one that nobody holds any more."""
        if math.prod(shape) >= LARGE and kind == "float" and not self.printed:
            return f"kept.{how}({tuple(shape)})"
        return f"np.{how}({sized(shape)}{'' if kind == 'float' else f', {kind}'})"

    def assign(self, name: str, words: str, step: Step, sign: str = "=") -> None:
        if step.slope and not self.turned:
            self.turned = True
            if self.printed and self.lines:
                self.lines.append(Line(""))
        self.lines.append(Line(f"{name} {sign} {words}", note(step, words)))

    def write_guard(self, step: Step) -> None:
        value, expected = step.args
        words = self.writer.text(value)
        if step.function is expect_truth:
            condition = f"not {atom(words, 1)}" if expected else words[0]
        elif step.function is expect_shape:
            condition = f"{atom(words, ATOM)}.shape != {expected}"
        elif value.shape:
            known = self.writer.text(expected)[0]
            condition = f"not np.array_equal({words[0]}, {known}, equal_nan=True)"
            if value.dtype.kind in "biu":
                condition = f"not np.array_equal({words[0]}, {known})"
        else:
            condition = f"{atom(words, 2)} != {self.writer.text(expected)[0]}"
        self.lines.append(Line(f"if {condition}:", note(value, condition)))
        self.lines.append(Line("    raise AnotherBranch"))

    def starts(self, step: Step) -> bool:
        """Whether a sum can go on in the array of its first term."""
        whole = step.args[1]
        return (
            isinstance(whole, Step)
            and self.uses[whole] == 1
            and whole.function not in VIEWS
            and not isinstance(whole.function, str)
            and (whole.shape, whole.dtype) == (step.shape, step.dtype)
        )

    def write_placed(self, step: Step) -> None:
        """A zero array, or the first term, with the others added at their indices."""
        shape, whole, *pairs = step.args
        word = literal(step.dtype)[0]
        kind, size = "" if step.dtype == float else f", {word}", sized(shape)
        started = False
        x = self.program.inputs[0]
        alike = self.printed and step.dtype == x.dtype
        if alike:
            like = "" if x.shape == step.shape else f", shape={size}"
            first, started = f"np.zeros_like({self.names[x]}{like})", True
        elif whole is None:
            first, started = self.fresh("zeros", shape, word), True
        elif not isinstance(whole, (Step, Constant)) or whole.shape != step.shape:
            first = f"np.full({size}, {self.writer.text(whole)[0]}{kind})"
        elif self.starts(step):
            first = self.writer.text(whole)[0]
        else:
            first = f"np.array({self.writer.text(whole)[0]}{kind})"
        texts = [(self.writer.text(v), self.writer.index(i), r) for i, v, r in pairs]
        name = self.names.get(step) or self.new_name(step)
        if name != first:
            self.assign(name, first, step)
        if alike and whole is not None:
            full = ":" if len(shape) == 1 else "..."
            self.assign(f"{name}[{full}]", self.writer.text(whole)[0], step)
            started = False
        for ((words, binding), index, repeats), (_, value, _) in zip(
            texts, pairs, strict=True
        ):
            known = words.isidentifier() or not isinstance(value, Step)
            origin = step if known else value
            if repeats:
                code = f"np.add.at({name}, {index_argument(index)}, {words})"
                self.lines.append(Line(code, note(origin, "")))
            else:
                sign = "=" if started else "+="
                if not started and words.startswith("-") and binding >= 5:
                    sign, words = "-=", words[1:]
                self.assign(f"{name}[{index}]", words, origin, sign)
            started = False


def sized(shape: Any) -> str:
    return str(shape[0]) if len(shape) == 1 else str(tuple(shape))


def index_argument(index: str) -> str:
    """An index as an argument of a call."""
    if ":" in index:
        return f"np.s_[{index}]"
    return (
        f"({index})" if "," in index and not index.startswith(("np.", "[")) else index
    )


def note(step: Step, words: str) -> str:
    """The user's expression that a line comes from, if it says more than the line."""
    written = written_at(step.note)
    if not written or written in re.sub(r"(\b[^\W\d]\w*)_\d+\b", r"\1", words):
        return ""
    return f"back through {written}" if step.slope else written
