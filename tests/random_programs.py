"""Random programs in NumPy, and their derivatives in 80 digits of mpmath.

A program is source text: up to eight steps, each made of the ones before, with
broadcasting, indexing, reductions, linear algebra, loops and branches.  Run with
`numpy` it computes in floats; run with `Exact` in place of NumPy it computes with
mpmath's numbers, and a central difference of step 1e-30 is its derivative to more
digits than a float has.  Every step keeps its values small and its slopes moderate, so
that a method can be held to nearly all its digits.
"""

import itertools
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from hypothesis import strategies as st

DIGITS = 80
STEP = mpmath.mpf(10) ** -30
COUNTER = itertools.count()

UNARY = [
    "np.sin({a})",
    "np.cos({a})",
    "np.tanh({a})",
    "np.arctan({a})",
    "np.exp(-{a} * {a})",
    "np.sqrt(1.0 + {a} ** 2)",
    "np.log1p({a} * {a})",
    "{a} / (1.0 + np.square({a}))",
    "np.abs({a} - {c})",
    "np.maximum({a}, {c})",
    "np.where({a} > {c}, np.sin({a}), {a} * 0.5)",
    "np.where({a} > {c}, np.sqrt(np.abs({a}) + 1.0), 2.0 - {a})",
    "(2.0 + np.tanh({a})) ** {c}",
    "-{a}",
]
BINARY = [
    "np.sin({a} + {b})",
    "np.tanh({a} * {b})",
    "np.arctan({a} - {b})",
    "{a} / (2.0 + np.cos({b}))",
    "np.exp(-{a} * {a}) * {b}",
    "np.hypot({a}, 1.0 + {b} * {b})",
    "np.minimum({a}, {b} + {c})",
    "np.where({a} < {b} + {c}, {a}, np.cos({b}))",
    "np.arctan2({a}, 3.0 + np.sin({b}))",
    "np.logaddexp({a}, {b})",
]
# Each with the ranks that it takes, and the shape of its result.
REDUCTIONS = [
    "np.mean({a})",
    "np.max({a})",
    "np.tanh(np.sum({a}))",
    "np.sin(np.prod({a}))",
    "np.sqrt(1.0 + np.sum({a} ** 2))",
    "np.std(np.append({a}, 1.5))",  # never of one number alone
    "np.linalg.norm({a} + 0.7)",
]
BY_AXIS = ["np.mean({a}, axis={k})", "np.min({a}, axis={k})", "np.sin({a}.sum({k}))"]
MOVES_OF_VECTORS = [
    ("{a}[::-1]", lambda n: (n,)),
    ("{a}[1:]", lambda n: (n - 1,)),
    ("{a}[[0, -1, 0]]", lambda n: (3,)),
    ("np.concatenate([{a}, {a}[:1]])", lambda n: (n + 1,)),
    ("np.tanh(np.cumsum({a}))", lambda n: (n,)),
    ("{a}[:, None]", lambda n: (n, 1)),
    ("np.stack([{a}, np.sin({a})])", lambda n: (2, n)),
    ("np.sin(np.outer({a}, {a}))", lambda n: (n, n)),
    ("np.array([{a}[0], {a}[-1] * {a}[0]])", lambda n: (2,)),
    ("np.roll({a}, 1)", lambda n: (n,)),
    ("np.diff(np.append({a}, 0.5))", lambda n: (n,)),
]
MOVES_OF_MATRICES = [
    ("{a}.T", lambda m, n: (n, m)),
    ("{a}[0]", lambda m, n: (n,)),
    ("{a}[:, -1]", lambda m, n: (m,)),
    ("np.reshape({a}, -1)", lambda m, n: (m * n,)),
    ("np.sin({a} @ {a}.T)", lambda m, n: (m, m)),
    ("np.tanh({a} @ np.arctan({a}[0]))", lambda m, n: (m,)),
]
SQUARE = [
    (
        "np.linalg.solve(3.0 * np.eye({n}) + np.tanh({a}) / {n}, np.sin({a}[0]))",
        lambda n: (n,),
    ),
    ("np.tanh(np.linalg.det(2.0 * np.eye({n}) + np.sin({a}) / {n}))", lambda n: ()),
    ("np.linalg.inv(3.0 * np.eye({n}) + np.tanh({a}) / {n})", lambda n: (n, n)),
    ("np.tanh(np.trace({a}))", lambda n: ()),
]


@dataclass(frozen=True)
class Program:
    """The source of ``f(x)``, and a point away from its kinks, most likely."""

    source: str
    x: Any

    def __repr__(self) -> str:
        return f"x = np.array({self.x.tolist()})\n{self.source}"

    def function(self, numpy: Any = np) -> Callable[[Any], Any]:
        """The program, with its source where `inspect` finds it."""
        name = f"<program {next(COUNTER)}>"
        linecache.cache[name] = (
            len(self.source),
            None,
            self.source.splitlines(keepends=True),
            name,
        )
        space = {"np": numpy}
        exec(compile(self.source, name, "exec"), space)
        return space["f"]

    def slope(self, v: Any) -> float:
        """The exact derivative along v at x."""
        with mpmath.workdps(DIGITS):
            f = self.function(Exact())
            x = np.vectorize(mpmath.mpf, otypes=[object])(self.x)
            ahead, behind = f(x + STEP * v), f(x - STEP * v)
            return float((ahead - behind) / (2 * STEP))


@st.composite
def programs(draw: Any, deepest: int = 8) -> Program:
    """Programs that end in one number, and whose steps all count."""
    n = draw(st.integers(2, 4))
    shapes, lines = {"x": (n,)}, []
    names = iter("abcdefgh")
    newest = "x"

    def number() -> str:
        return repr(draw(st.integers(-9, 9)) / 8 + 1 / 64)

    for _ in range(draw(st.integers(1, deepest))):
        # Most steps go on from the newest one, which makes programs deep.
        a = draw(st.sampled_from([newest, newest, *shapes]))
        text, shape = draw(step(a, shapes, number))
        name = next(names)
        kind = draw(st.sampled_from(["plain"] * 4 + ["loop", "branch"]))
        if kind == "loop" and shape:
            lines += [
                f"{name} = {text}",
                f"for k in range({draw(st.integers(1, 3))}):",
                f"    {name} = np.tanh({name} + {a_number_of(a, shapes)}) + 0.25 * k",
            ]
        elif kind == "branch":
            lines += [
                f"if np.sum({a}) > {number()}:",
                f"    {name} = {text}",
                "else:",
                f"    {name} = np.sin({text})",
            ]
        else:
            lines += [f"{name} = {text}"]
        shapes[name], newest = shape, name
    total = " + ".join(draw(summed(name, shape)) for name, shape in shapes.items())
    body = "".join(f"    {line}\n" for line in lines)
    source = f"def f(x):\n{body}    return {total}\n"
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Program(source, random.uniform(-1.5, 1.5, n))


@st.composite
def step(draw: Any, a: str, shapes: dict[str, Any], number: Any) -> Any:
    """One expression made of `a` and perhaps another variable, with its shape."""
    shape = shapes[a]
    partners = [b for b in shapes if fits(shape, shapes[b])]
    choices = ["unary", "binary"]
    if shape:
        choices += ["reduction", "move", "weights"]
    if len(shape) == 2:
        choices += ["axis"]
        if shape[0] == shape[1]:
            choices += ["square"]
    kind = draw(st.sampled_from(choices))
    words = {"a": a, "c": number()}
    match kind:
        case "unary":
            return draw(st.sampled_from(UNARY)).format(**words), shape
        case "binary":
            b = draw(st.sampled_from(partners))
            text = draw(st.sampled_from(BINARY)).format(b=b, **words)
            return text, np.broadcast_shapes(shape, shapes[b])
        case "weights":
            weights = draw(constants(shape))
            result = np.broadcast_shapes(shape, np.shape(weights))
            text = f"{a} * np.array({weights})"
            return (text, result) if np.prod(result) <= 40 else (f"np.cos({a})", shape)
        case "reduction":
            return draw(st.sampled_from(REDUCTIONS)).format(**words), ()
        case "axis":
            k = draw(st.sampled_from([0, 1, -1]))
            text = draw(st.sampled_from(BY_AXIS)).format(k=k, **words)
            return text, (shape[1] if k == 0 else shape[0],)
        case "square":
            text, result = draw(st.sampled_from(SQUARE))
            return text.format(n=shape[0], **words), result(shape[0])
    table = MOVES_OF_VECTORS if len(shape) == 1 else MOVES_OF_MATRICES
    text, result = draw(st.sampled_from(table))
    if min(result(*shape)) < 1 or np.prod(result(*shape)) > 40:
        return f"np.cos({a})", shape
    return text.format(**words), result(*shape)


@st.composite
def summed(draw: Any, name: str, shape: tuple[int, ...]) -> str:
    """A number made of a variable, so that it has slopes of its shape or smaller."""
    how = draw(st.sampled_from(["sine", "plain", "weights"]))
    if how == "weights" and shape:
        return f"np.sum({name} * np.array({draw(constants(shape))}))"
    return f"np.sum({name})" if how == "plain" else f"np.sum(np.sin({name}))"


@st.composite
def constants(draw: Any, shape: tuple[int, ...]) -> Any:
    """Nested lists of numbers that broadcast with a shape."""
    fitting = [(1,), (2, 1), shape, shape[-1:], (shape[0], 1)]
    chosen = draw(st.sampled_from([s for s in fitting if fits(s, shape)]))
    numbers = np.random.default_rng(draw(st.integers(0, 99))).uniform(-1, 1, chosen)
    return numbers.round(3).tolist()


def fits(a: Any, b: Any) -> bool:
    """Whether shapes broadcast to something that is not too large."""
    try:
        return bool(np.prod(np.broadcast_shapes(a, b)) <= 40)
    except ValueError:
        return False


def a_number_of(name: str, shapes: dict[str, Any]) -> str:
    """An item of a variable."""
    return name + "[0]" * len(shapes[name]) if shapes[name] else name


class Exact:
    """The part of NumPy that programs use, on arrays of mpmath's numbers."""

    def __init__(self) -> None:
        self.linalg = ExactLinalg()

    def __getattr__(self, name: str) -> Any:
        return ELEMENTWISE.get(name) or getattr(np, name)

    @staticmethod
    def std(a: Any) -> Any:
        return mpmath.sqrt(np.mean((a - np.mean(a)) ** 2))


class ExactLinalg:
    """Elimination in exact numbers, through mpmath's matrices."""

    @staticmethod
    def solve(a: Any, b: Any) -> Any:
        return np.array(list(mpmath.lu_solve(mpmath.matrix(a.tolist()), b.tolist())))

    @staticmethod
    def det(a: Any) -> Any:
        return mpmath.det(mpmath.matrix(a.tolist()))

    @staticmethod
    def inv(a: Any) -> Any:
        inverse = mpmath.matrix(a.tolist()) ** -1
        return np.array(inverse.tolist(), dtype=object)

    @staticmethod
    def norm(a: Any) -> Any:
        return mpmath.sqrt(np.sum(a * a))


def log_of_sum(a: Any, b: Any) -> Any:
    return mpmath.log(mpmath.exp(a) + mpmath.exp(b))


ELEMENTWISE = {
    "sin": np.frompyfunc(mpmath.sin, 1, 1),
    "cos": np.frompyfunc(mpmath.cos, 1, 1),
    "tanh": np.frompyfunc(mpmath.tanh, 1, 1),
    "arctan": np.frompyfunc(mpmath.atan, 1, 1),
    "exp": np.frompyfunc(mpmath.exp, 1, 1),
    "sqrt": np.frompyfunc(mpmath.sqrt, 1, 1),
    "log1p": np.frompyfunc(lambda x: mpmath.log(1 + x), 1, 1),
    "arctan2": np.frompyfunc(mpmath.atan2, 2, 1),
    "hypot": np.frompyfunc(mpmath.hypot, 2, 1),
    "logaddexp": np.frompyfunc(log_of_sum, 2, 1),
}
