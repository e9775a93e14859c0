"""A formula in a string becomes a function of x, and nothing typed is executed.

The text passes three gates: tokens out of a short list; Python's own grammar, by
``ast``, for what binds to what; a walk of the tree, which knows a dozen kinds of node
and builds closures over NumPy's functions.
"""

import ast
import functools
import keyword
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffmethods.errors import ExpressionError, MissingLibraryError
from diffmethods.method import suggestion

MAX_LENGTH = 1000  # characters
MAX_TOKENS = 500
MAX_DEPTH = 100  # levels of the tree
MAX_EXPONENT = 1000

Function = Callable[..., Any]
Part = int | float | Function  # of a formula: a constant, or a function of x

# What a formula may hold.

CONSTANTS = {"pi": np.pi, "e": np.e}
NUMPY_NAMES = """
    absolute fabs sign positive negative square reciprocal sqrt cbrt
    exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2
    sin cos tan arcsin arccos arctan arctan2 hypot sinc
    sinh cosh tanh arcsinh arccosh arctanh deg2rad rad2deg radians degrees
    maximum minimum fmax fmin copysign heaviside floor ceil trunc rint fmod remainder
"""
FUNCTIONS: dict[str, Function] = {
    **{name: getattr(np, name) for name in NUMPY_NAMES.split()},
    "abs": np.absolute,
    "ln": np.log,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "max": np.maximum,
    "min": np.minimum,
    "sgn": np.sign,
    "mod": np.remainder,
    "where": np.where,
}
SPECIAL = set("erf erfc erfinv gamma gammaln digamma expit j0 j1 i0 i1".split())
FUNCTION_NAMES = FUNCTIONS.keys() | SPECIAL
WORDS = {"and", "or", "not"}
NAMES = FUNCTION_NAMES | CONSTANTS.keys() | {"x"}

UNARY: dict[type[ast.unaryop], Function] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
BINARY: dict[type[ast.operator], Function] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type[ast.cmpop], Function] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
LOGIC: dict[type[ast.boolop], Function] = {
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
}

TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<operator>\*\*|[<>=!]=|[-+*/%(),<>])""",
    re.ASCII | re.VERBOSE,
)
ADVICE = {
    "^": "write ** for powers",
    "//": "write floor(a / b) for the whole part of a quotient",
    "=": "write == to compare; a formula assigns nothing",
    ".": "a point stands only inside a number",
    "!": "write not, or != to compare",
    **dict.fromkeys("&∧", "write and between comparisons"),
    **dict.fromkeys("|∨", "write or between comparisons, abs(x) for a modulus"),
    **dict.fromkeys("~¬", "write not before a comparison"),
    **dict.fromkeys("[]{}", "use the round parentheses ( )"),
    **dict.fromkeys("\"'`", "a formula has no quotation marks"),
    **dict.fromkeys("×·∙⋅", "write * for a product"),
    **dict.fromkeys("÷∕", "write / for a quotient"),
    **dict.fromkeys("−–—", "write - for minus"),
    **{power: f"write **{n}" for n, power in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    "π": "write pi",
    "√": "write sqrt(x)",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
}
OTHER_CHARACTER = "use plain letters, digits, spaces and + - * / % ( ) ,"


@dataclass(frozen=True, eq=False)
class Expression:
    """A formula as a function ``f(x)`` in plain NumPy; made by `expression`.

    Attributes
    ----------
    text
        The formula as it was written.
    names
        The names it uses, sorted.
    function
        The closures that compute it.
    """

    text: str
    names: tuple[str, ...] = field(repr=False)
    function: Function = field(repr=False)

    def __call__(self, x: Any) -> Any:
        """Evaluate at `x`: a number, an array, or whatever stands in for one."""
        if isinstance(x, (int, float, np.generic, np.ndarray)):
            x = np.asarray(x)
            x = (x.astype(float) if x.dtype.kind in "biu" else x)[()]
        y = self.function(x)
        if "x" not in self.names:
            y = np.full(np.shape(x), y)
        return y[()] if isinstance(y, np.ndarray) else y


def expression(text: str) -> Expression:
    """Read a formula in the variable x.

    A formula holds numbers, ``x``, ``pi``, ``e``, ``+ - * / % **``, parentheses, the
    elementwise functions by NumPy's names and by the usual short ones (``ln``,
    ``asin``, ``abs``, ``max``, ...), a few of ``scipy.special`` (``erf``, ``gamma``,
    ``j0``, ...), and ``where(condition, a, b)`` with comparisons joined by ``and``,
    ``or`` and ``not``.

    Parameters
    ----------
    text : str
        The formula, at most 1000 characters; exponents up to 1000.

    Returns
    -------
    Expression
        A function ``f(x)``, elementwise on arrays, with the attributes ``text`` and
        ``names``.

    Raises
    ------
    ExpressionError
        If the formula cannot be read; it says where, and what to write.
    MissingLibraryError
        If the formula uses a function of ``scipy.special`` and SciPy is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from diffmethods.expression import expression
    >>> f = expression("x**3 + 2*x**2 - 3*x + 1")
    >>> print(f(2.0))
    11.0
    >>> expression("where(x < 0, 0, exp(x))")(np.array([-1.0, 0.0]))
    array([0., 1.])
    >>> expression("x^2")
    Traceback (most recent call last):
    diffmethods.errors.ExpressionError: cannot read 'x^2' at character 2: write ** ...
    """
    if not isinstance(text, str):
        raise ExpressionError(
            f'a formula is a string such as "tanh(x)", not {type(text).__name__}'
        )
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the formula has {len(text)} characters, and {MAX_LENGTH} are the most: "
            "write it as a Python function"
        )
    tokens = _tokens(text)
    names = {_known_name(word, text, at) for kind, word, at in tokens if kind == "name"}
    _check_numbers(tokens, text)
    _check_neighbours(tokens, text)
    _check_parentheses(tokens, text)
    function = _lifted(_number(_tree(text), text))
    return Expression(text, tuple(sorted(names - WORDS)), function)


# The first gate: tokens.

Token = tuple[str, str, int]  # its kind, its text and its position


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None or text.startswith("//", at):
            symbol = "//" if match else text[at]
            raise _error(text, at, ADVICE.get(symbol, OTHER_CHARACTER))
        if match.lastgroup != "space":
            tokens.append((str(match.lastgroup), match[0], at))
        at = match.end()
    if not tokens:
        raise ExpressionError('the formula is empty: write one such as "tanh(x)"')
    if len(tokens) > MAX_TOKENS:
        raise ExpressionError(
            f"the formula has {len(tokens)} numbers, names and signs, and {MAX_TOKENS} "
            "are the most: write it as a Python function"
        )
    return tokens


def _known_name(name: str, text: str, at: int) -> str:
    if name in NAMES or name in WORDS:
        return name
    if keyword.iskeyword(name):
        hint = "; where(condition, a, b) chooses" if name in ("if", "else") else ""
        raise _error(text, at, f"the word {name!r} has no place in a formula{hint}")
    hint = suggestion(name, NAMES) if len(name) > 1 else "; the variable is x"
    raise _error(text, at, f"no function or constant is named {name!r}{hint}")


def _check_numbers(tokens: list[Token], text: str) -> None:
    for kind, token, at in tokens:
        if kind == "number" and not np.isfinite(float(token)):
            raise _error(text, at, "the number is too large for a float64")
        if kind == "number" and re.match(r"0+[1-9]\d*$", token):
            raise _error(text, at, "leave out the zeros that the number begins with")


def _check_neighbours(tokens: list[Token], text: str) -> None:
    """A function stands before its parenthesis, and no product is left unwritten.

    ``1or`` is refused although ``1 or`` is not: Python warns of it.
    """
    end = ("end", "", len(text))
    for (kind, token, at), following in zip(tokens, [*tokens[1:], end], strict=True):
        next_kind, next_token, next_at = following
        if token in FUNCTION_NAMES:
            if next_token != "(":
                raise _error(text, at, f"write {_usage(token)}")
            continue
        glued = kind == "number" and next_at == at + len(token)
        operand_ends = kind in ("number", "name") and token not in WORDS
        operand_starts = next_kind in ("number", "name") and (
            next_token not in WORDS or glued
        )
        if (operand_ends or token == ")") and (operand_starts or next_token == "("):
            raise _error(text, next_at, "an operator is missing; a product is 2*x")


def _check_parentheses(tokens: list[Token], text: str) -> None:
    opened: list[int] = []
    for _, token, at in tokens:
        if token == "(":
            opened.append(at)
        elif token == ")" and not opened:
            raise _error(text, at, "this parenthesis closes nothing")
        elif token == ")":
            opened.pop()
        if len(opened) > MAX_DEPTH:
            raise _too_deep(text)
    if opened:
        raise _error(text, opened[-1], "this parenthesis is never closed")


# The second gate: Python's grammar.


def _tree(text: str) -> ast.expr:
    """Parse one line in parentheses, so that spaces and line ends mean nothing."""
    line = re.sub(r"\s", " ", text)
    try:
        tree = ast.parse(f"({line})", mode="eval").body
    except SyntaxError as error:
        at = min((error.offset or 2) - 2, len(text))
        raise _error(text, at, "a number, a name or an operator is missing") from None
    except (MemoryError, RecursionError):
        raise _too_deep(text) from None
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise _too_deep(text)
    return tree


def _too_deep(text: str) -> ExpressionError:
    return ExpressionError(
        f"the formula {_excerpt(text, 0)} is nested more than {MAX_DEPTH} levels deep: "
        "write it as a Python function"
    )


# The third gate: the nodes.


def _number(node: ast.expr, text: str) -> Part:
    """The part of the formula at a node whose value is a number."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id="x"):
            return lambda x: x
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return _combined(UNARY[type(op)], [_number(operand, text)], node, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            operands = [_number(left, text), _number(right, text)]
            if isinstance(op, ast.Pow):
                operands[1] = _exponent(operands[1], right, text)
            return _combined(BINARY[type(op)], operands, node, text)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _call(name, args, node, text)
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp():
            advice = "a comparison stands only in where(condition, a, b)"
        case ast.Tuple():
            advice = "a comma stands only between the arguments of a function"
        case _:
            advice = "a number or a name is missing"
    raise _error(text, _start(node), advice)


def _condition(node: ast.expr, text: str) -> Function:
    """The part of the formula at a node whose value is true or false."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            parts = [_number(each, text) for each in (left, *others)]
            pairs = zip(ops, parts[:-1], parts[1:], strict=True)
            links = [_function(COMPARISONS[type(op)], a, b) for op, a, b in pairs]
            return _joined(np.logical_and, links)
        case ast.BoolOp(op=op, values=values):
            conditions = [_condition(each, text) for each in values]
            return _joined(LOGIC[type(op)], conditions)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _function(np.logical_not, _condition(operand, text))
    advice = "a comparison such as x > 0 is missing here"
    raise _error(text, _start(node), advice)


def _joined(function: Function, conditions: list[Function]) -> Function:
    return functools.reduce(lambda a, b: _function(function, a, b), conditions)


def _call(name: str, args: list[ast.expr], node: ast.expr, text: str) -> Part:
    function = _loaded(name)
    if len(args) != _usage(name).count(",") + 1:
        raise _error(text, _start(node), f"write {_usage(name)}")
    if function is np.where:
        condition = _condition(args[0], text)
        return _function(np.where, condition, *(_number(a, text) for a in args[1:]))
    return _combined(function, [_number(each, text) for each in args], node, text)


def _loaded(name: str) -> Function:
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    try:
        from scipy import special
    except ModuleNotFoundError as error:
        raise MissingLibraryError(
            f"the function {name} needs scipy, which is not installed: "
            "pip install scipy"
        ) from error
    function: Function = getattr(special, name)
    return function


def _usage(name: str) -> str:
    if name == "where":
        return "where(condition, a, b)"
    is_binary = getattr(FUNCTIONS.get(name), "nargs", 2) == 3  # the result counts, too
    return f"{name}(a, b)" if is_binary else f"{name}(x)"


def _exponent(exponent: Part, node: ast.expr, text: str) -> Part:
    """A constant exponent in bounds; a whole one as an integer, which is exact."""
    if not isinstance(exponent, (int, float)):
        return exponent
    if abs(exponent) > MAX_EXPONENT:
        advice = f"an exponent lies between -{MAX_EXPONENT} and {MAX_EXPONENT}"
        raise _error(text, _start(node), advice)
    return int(exponent) if exponent == int(exponent) else exponent


def _combined(
    function: Function, operands: list[Part], node: ast.expr, text: str
) -> Part:
    """A function of x, or a number where no operand depends on x."""
    constants = [np.float64(a) for a in operands if isinstance(a, (int, float))]
    if len(constants) < len(operands):
        return _function(function, *operands)
    with np.errstate(all="ignore"):
        constant = float(function(*constants))
    if not np.isfinite(constant):
        advice = f"this constant is {constant}: it must be a finite real number"
        raise _error(text, _start(node), advice)
    return constant


def _function(function: Function, *operands: Part) -> Function:
    """Compose; one and two operands, the usual numbers, are spelt out for speed."""
    match [_lifted(operand) for operand in operands]:
        case [a]:
            return lambda x: function(a(x))
        case [a, b]:
            return lambda x: function(a(x), b(x))
        case parts:
            return lambda x: function(*[part(x) for part in parts])


def _lifted(part: Part) -> Function:
    return (lambda x: part) if isinstance(part, (int, float)) else part


# Messages.


def _start(node: ast.expr) -> int:
    return max(node.col_offset - 1, 0)  # the tree is of the text in parentheses


def _error(text: str, at: int, advice: str) -> ExpressionError:
    where = f"at character {at + 1}" if at < len(text) else "at its end"
    return ExpressionError(f"cannot read {_excerpt(text, at)} {where}: {advice}")


def _excerpt(text: str, at: int) -> str:
    """The formula, or its neighbourhood of a position where it is long."""
    if len(text) <= 60:
        return repr(text)
    start, stop = max(at - 20, 0), at + 20
    dots = ("..." if start else "", "..." if stop < len(text) else "")
    return repr(f"{dots[0]}{text[start:stop]}{dots[1]}")
