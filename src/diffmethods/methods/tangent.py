"""Tangent: read the function's source, and write that of its derivative."""

import ast
import copy
import functools
import inspect
import itertools
import linecache
import sys
import threading
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from diffmethods.errors import (
    DiffmethodsError,
    InputError,
    MissingRuleError,
    WrongDerivativeError,
)
from diffmethods.method import Method
from diffmethods.methods import central_difference, dual_numbers
from diffmethods.operators import check_weight, contract, not_a_scalar
from diffmethods.surroundings import memory_of
from diffmethods.traced import Traced, leaves, outcome, qualified_name

Function = Callable[..., Any]


def loaded() -> Any:
    """Tangent for NumPy; by itself it would load every framework that is installed."""
    names = ["tf_extensions", "jax_extensions", "torch_extensions", "keras_extensions"]
    names += ["tinygrad_extensions", "tf_extended", "visualization"]
    absent = {f"tangent.{name}" for name in names if "tangent" not in sys.modules}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that they are not there
        sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
        try:
            import tangent
        finally:
            for name in absent:
                del sys.modules[name]
    return tangent


tangent = loaded()
PLAIN = ("diffmethods.problems", "diffmethods.tasks")  # functions to differentiate
TRANSFORMING = threading.RLock()  # Tangent keeps its tables in modules
NUMBER = itertools.count(1)


# A function of one argument whose source Tangent can read


def readable(f: Function) -> Function:
    """The same function on its own: what it reads beside its argument is global to it.

    Raises
    ------
    InputError
        If there is no source to read, or if a value of an outer trace is in it.
    """
    if isinstance(f, functools.partial):
        given = {f"a{k}": value for k, value in enumerate(f.args)}
        named = [f"{name}={name}" for name in f.keywords]
        call = ", ".join([*given, "x", *named])
        return calling(f.func, call, given | dict(f.keywords))
    if is_numpys(f):
        return calling(f, "x", {})
    if isinstance(f, types.MethodType) and isinstance(f.__func__, types.FunctionType):
        return standing_alone(f.__func__, f.__self__)
    if not isinstance(f, types.FunctionType):
        method = vars(type(f)).get("__call__")
        if not isinstance(method, types.FunctionType):
            raise InputError(f"tangent reads source, and {f!r} has none in Python")
        return standing_alone(method, f)
    return standing_alone(f)


def is_numpys(f: Function) -> bool:
    try:
        return isinstance(f, np.ufunc) or qualified_name(f).startswith("np.")
    except AttributeError:
        return False


def calling(f: Function, call: str, given: dict[str, Any]) -> Function:
    """A function that calls f; Tangent wants to see where one of NumPy's is from."""
    if not is_numpys(f):
        return defined(f"def f(x):\n    return g({call})\n", {"g": f} | given)
    home, _, name = qualified_name(f).rpartition(".")
    module: Any = np if home.startswith("np") else sys.modules[home]
    for part in home.split(".")[1:] if module is np else ():
        module = getattr(module, part)
    return defined(
        f"def f(x):\n    return home.{name}({call})\n", {"home": module} | given
    )


def standing_alone(f: types.FunctionType, *bound: Any) -> Function:
    """The definition of f with its closure, its defaults and its object as globals."""
    node = definition(f.__code__)
    arguments = inspect.signature(f).parameters
    names = list(arguments)
    given = dict(zip(names, bound, strict=False))
    x, *others = names[len(bound) :] or [""]
    unnamed = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.KEYWORD_ONLY
    if not x or arguments[x].kind in unnamed:
        raise InputError("tangent needs a function with an argument named in its head")
    given |= {name: arguments[name].default for name in others}
    cells = dict(inspect.getclosurevars(f).nonlocals)
    for name, value in (cells | given).items():
        if leaves(value if isinstance(value, (tuple, list)) else [value]):
            raise InputError(
                f"tangent works with numbers, and {name} is a stand-in of another "
                "derivative in progress; use another method for one of the two"
            )
    space = f.__globals__ | cells | given
    for name in {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}:
        value = space.get(name)
        home = getattr(value, "__module__", None) or getattr(value, "__name__", "")
        if str(home).split(".")[0] == "diffmethods" and home not in PLAIN:
            raise InputError(
                f"tangent reads source, and {name} is no plain NumPy; put it outside, "
                "or use another method for one of the two derivatives"
            )
    body = node.body if isinstance(node, ast.FunctionDef) else [ast.Return(node.body)]
    head = ast.parse(f"def f({x}): pass").body[0]
    assert isinstance(head, ast.FunctionDef)
    head.body = [Joining().visit(copy.deepcopy(part)) for part in body]
    source = ast.unparse(ast.fix_missing_locations(head)) + "\n"
    return defined(source, space)


class Joining(ast.NodeTransformer):
    """Make a list or tuple that is returned one array, and x.T a call."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        inner = self.visit(node.value)
        if node.attr == "T" and isinstance(node.ctx, ast.Load):
            name = ast.Attribute(
                ast.Name("numpy_", ast.Load()), "transpose", ast.Load()
            )
            return ast.Call(name, [inner], [])
        return ast.Attribute(inner, node.attr, node.ctx)

    def visit_Return(self, node: ast.Return) -> ast.Return:
        if isinstance(node.value, (ast.List, ast.Tuple)):
            items = ast.List(node.value.elts, ast.Load())
            array = ast.Attribute(ast.Name("numpy_", ast.Load()), "array", ast.Load())
            return ast.Return(ast.Call(array, [self.visit(items)], []))
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node  # an inner function returns what it likes


def definition(code: types.CodeType) -> Any:
    """The part of a file that a function was compiled from."""
    text = "".join(linecache.getlines(code.co_filename))
    spots = [(p[0], p[2], p[1], p[3]) for p in code.co_positions() if None not in p]
    found: list[Any] = []
    node: Any
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.FunctionDef) and code.co_name == node.name:
            heads: list[Any] = [node, *node.decorator_list]
            if code.co_firstlineno in [head.lineno for head in heads]:
                return node
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>":
            start = node.lineno, node.col_offset
            end = node.end_lineno, node.end_col_offset
            body = [s for s in spots if s[:2] != s[2:]]
            if body and all(start <= s[:2] and s[2:] <= end for s in body):
                found.append(node)
    if not found:
        raise InputError(
            f"tangent reads source, and that of {code.co_name} cannot be found: define "
            "the function in a file or a notebook, with def or lambda"
        )
    return max(found, key=lambda node: (node.lineno, node.col_offset))


@functools.lru_cache(32)
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


def defined(source: str, names: dict[str, Any]) -> Function:
    """Run a definition of f, and keep its text where it will be looked for."""
    path = f"<for tangent {next(NUMBER)}>"
    linecache.cache[path] = len(source), None, source.splitlines(True), path
    space = names | {"numpy_": np, "tangent": tangent, "__name__": path}
    exec(compile(source, path, "exec"), space)
    return space["f"]  # type: ignore[no-any-return]


# Its derivatives, each made once for as long as what f reads stays the same


def program(f: Function, kind: str) -> Function:
    """What ``tangent.vjp``, ``jvp`` or the vjp of a vjp makes of f."""
    memory = memory_of(f)
    if memory is not None and ("tangent", kind) in memory.programs:
        return memory.programs["tangent", kind]  # type: ignore[no-any-return]
    try:
        with TRANSFORMING, warnings.catch_warnings():
            # Some of what Tangent writes compares literals by `is`.
            warnings.simplefilter("ignore", SyntaxWarning)
            made = readable(f)
            if not reads_its_argument(made):
                return lambda x, *others: np.zeros(
                    np.shape(f(x) if kind == "jvp" else x)
                )
            for transform in kind.split():
                made = getattr(tangent, transform)(made)
    except DiffmethodsError:
        raise
    except Exception as error:
        raise MissingRuleError(refusal(error)) from error
    if memory is not None:
        memory.programs["tangent", kind] = made
    return made


def reads_its_argument(f: Function) -> bool:
    head = ast.parse(inspect.getsource(f)).body[0]
    assert isinstance(head, ast.FunctionDef)
    names = {node.id for node in ast.walk(head) if isinstance(node, ast.Name)}
    return head.args.args[0].arg in names


def refusal(error: Exception) -> str:
    """The first of the many lines of Tangent's errors that says something."""
    lines = [line.strip(" =-") for line in str(error).splitlines()]
    said = next((line for line in lines if line and line != "Tangent Error"), "")
    return (
        f"tangent cannot differentiate the source of f: {type(error).__name__}: {said}"
    )


def run(f: Function, kind: str, *operands: Any) -> Any:
    made = program(f, kind)
    try:
        return made(*operands)
    except Exception as error:
        raise MissingRuleError(refusal(error)) from error


# What Tangent says is compared with the slope along a direction


def along(f: Function, x: Any, *directions: Any) -> tuple[Any, float]:
    """The slope of f along each direction in turn, and how exact it is."""
    try:
        return slope(dual_numbers.jvp, f, x, directions), 1e-8
    except Exception:  # what dual numbers refuse is left to differences
        return slope(central_difference.METHOD.jvp, f, x, directions), 1e-3


def slope(push: Any, f: Function, x: Any, directions: Any) -> Any:
    for direction in directions:
        f = functools.partial(lambda f, v, x: push(f, x, v), f, direction)
    return f(x)


def some(x: Any, seed: int) -> Any:
    """A direction with nothing special about it."""
    return np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(x))[()]


def checked(
    f: Function, x: Any, found: Any, size: Any, *directions: Any, w: Any = None
) -> None:
    """Refuse a slope that is not the one along the directions.

    Tangent has rules that are wrong without a word: it drops the sum over what was
    broadcast in ``x / np.sum(x)``.
    """
    with np.errstate(all="ignore"):
        true, rtol = along(f, x, *directions)
        true = true if w is None else np.sum(w * true)
        atol = rtol * (np.max(size, initial=0.0) + np.abs(true))
        wrong = ~np.isclose(found, true, 0.0, atol, equal_nan=True)
    if np.any(wrong):
        raise WrongDerivativeError(
            "tangent's derivative is wrong: along a direction it makes the slope "
            f"{np.ravel(found)[np.argmax(wrong)]:.6g}, which is "
            f"{np.ravel(true)[np.argmax(wrong)]:.6g}; use another method"
        )


def plain(f: Function, x: Any) -> Any:
    """f(x), where both are numbers."""
    if isinstance(x, Traced) or not isinstance(x, (np.ndarray, np.generic)):
        raise InputError(
            "tangent works with numbers, not with stand-ins of another derivative in "
            "progress; use another method for one of the two"
        )
    return outcome(f(x))


# The operators


def vjp(f: Function, x: Any, w: Any) -> Any:
    """Run the source that pulls w back."""
    y = plain(f, x)
    check_weight(w, np.shape(y))
    if not np.size(x) or not np.size(y):
        return np.zeros(np.shape(x))
    g = pulled(f, x, w)
    d = some(x, 1)
    checked(f, x, np.sum(g * d), np.sum(np.abs(g * d)), d, w=w)
    return g


def pulled(f: Function, x: Any, w: Any) -> Any:
    g = np.asarray(run(f, "vjp", x, w))
    if g.shape == () != np.shape(x) and not g.any():
        g = np.zeros(np.shape(x))  # the slope of a constant
    if g.shape != np.shape(x) or g.dtype.kind != "f":
        raise MissingRuleError(
            f"tangent makes a slope of shape {g.shape} and type {g.dtype}"
        )
    return g[()]


def jvp(f: Function, x: Any, v: Any) -> Any:
    """Run the source that pushes v on; where there is none, pull rows back."""
    y = plain(f, x)
    if not np.size(x) or not np.size(y):
        return np.zeros(np.shape(y))
    try:
        dy = np.asarray(run(f, "jvp", x, v), float)[()]
        if np.shape(dy) != np.shape(y):
            raise MissingRuleError(f"tangent makes a slope of shape {np.shape(dy)}")
        checked(f, x, dy, np.abs(dy), v)
    except (MissingRuleError, WrongDerivativeError):
        return contract(jacobian(f, x), v, first=False)
    return dy


def jacobian(f: Function, x: Any) -> Any:
    """By rows, or by columns where Tangent has no right rule for the way back."""
    y = plain(f, x)
    if not np.size(x) or not np.size(y):
        return np.zeros(np.shape(y) + np.shape(x))
    try:
        basis = np.eye(np.size(y)).reshape((-1, *np.shape(y)))
        rows = np.stack([pulled(f, x, w[()]) for w in basis])
        return checked_jacobian(f, x, rows.reshape(np.shape(y) + np.shape(x)))
    except (MissingRuleError, WrongDerivativeError) as error:
        try:
            basis = np.eye(np.size(x)).reshape((-1, *np.shape(x)))
            columns = [np.asarray(run(f, "jvp", x, v[()]), float) for v in basis]
            found = np.stack([np.broadcast_to(c, np.shape(y)) for c in columns], -1)
            return checked_jacobian(f, x, found.reshape(np.shape(y) + np.shape(x)))
        except Exception:
            raise error from None


def checked_jacobian(f: Function, x: Any, found: Any) -> Any:
    d = some(x, 1)
    sizes = contract(np.abs(found), d, first=False)
    checked(f, x, contract(found, d, first=False), sizes, d)
    return found


def derivative(f: Function, x: Any, order: int) -> Any:
    """Forward once, or back and back again."""
    y = plain(f, x)
    one = np.ones(np.shape(x))[()]
    if order == 1:
        return jvp(f, x, one)
    if not np.size(x):
        return np.zeros(np.shape(x))
    if np.shape(y) != np.shape(x):
        raise MissingRuleError(
            "tangent gives the second derivative of a number or item by item"
        )
    found = run(f, "vjp vjp", x, one, one)
    checked(f, x, found, np.abs(found), one, one)
    return found


def hvp(f: Function, x: Any, v: Any) -> Any:
    """Run the source that pulls v back through the gradient."""
    if shape := np.shape(plain(f, x)):
        raise not_a_scalar(shape)
    if not np.size(x):
        return np.zeros(np.shape(x))
    product = second_pulled(f, x, v)
    d = some(x, 1)
    checked(f, x, np.sum(product * d), np.sum(np.abs(product * d)), d, v)
    return product


def second_pulled(f: Function, x: Any, v: Any) -> Any:
    return np.broadcast_to(run(f, "vjp vjp", x, 1.0, v), np.shape(x)).astype(float)[()]


def hessian(f: Function, x: Any) -> Any:
    """A row for each variable."""
    if shape := np.shape(plain(f, x)):
        raise not_a_scalar(shape)
    if not np.size(x):
        return np.zeros(np.shape(x) * 2)
    basis = np.eye(np.size(x)).reshape((-1, *np.shape(x)))
    rows = np.stack([second_pulled(f, x, v[()]) for v in basis])
    found = rows.reshape(np.shape(x) * 2)
    d, e = some(x, 1), some(x, 2)
    sizes = contract(contract(np.abs(found), d, first=True), e, first=True)
    checked(f, x, contract(contract(found, d, first=True), e, first=True), sizes, e, d)
    return found


METHOD = Method(
    title="Tangent",
    family="source",
    summary="Read the function's source, and write that of its derivative.",
    exact=True,
    rtol=1e-13,
    max_order=2,  # each order transforms the source of the last, which grows fivefold
    jvp=jvp,
    vjp=vjp,
    derivative=derivative,
    jacobian=jacobian,
    hessian=hessian,
    hvp=hvp,
    handles=lambda f: f in tangent.grads.adjoints,
    references=("vanmerrienboer2018",),
)
