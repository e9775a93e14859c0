"""Formulas in strings: what they mean, what is refused; nothing is executed."""

import ast
import contextlib
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods import expression as module
from diffmethods.errors import ExpressionError, MissingLibraryError
from diffmethods.expression import CONSTANTS, FUNCTIONS, SPECIAL, expression

HOSTILE = [
    # nothing at all
    *("", "   ", "()", "\t\n", "# x", "(())"),
    # ways to other objects
    *("x.real", "x.__class__", "x.__class__.__bases__[0].__subclasses__()", "(1).real"),
    *("__import__('os').system('true')", "import os", "__builtins__", "os"),
    *("globals()", "eval(x)", "exec(x)", "compile(x)", "open(x)", "getattr(x, x)"),
    *("print(x)", "breakpoint()", "__debug__", "_", "exit()", "np.sin(x)"),
    "sin.reduce(x)",
    # syntax that no formula needs
    *("x[0]", "[x]", "{x}", "{x: x}", "x,", "x, x", "(x := 3)", "x = 3", "x; x"),
    *("lambda: x", "lambda x: x", "x if x else x", "1if x else 2", "yield x"),
    *("await x", "[x for x in x]", "sin(x for x in x)", "f'{x}'", "'x'", '"x"', "b'x'"),
    *("'\\d'", "sin(*x)", "sin(**x)", "sin(x=x)", "*x", "**x", "x @ x", "x is x"),
    *("x in x", "x << 2", "x >> 2", "x & x", "x | x", "~x", "x // 2", "x^2", "x!"),
    *("x ** ", "x -> x", "...", "None", "True", "False", "class", "del x", "match"),
    *("case", "async", "x\\\n+1", "@x", "x?", "$x", "`x`", "x'", "\\x", "x\\", "1 = x"),
    "x ==",
    # numbers
    *("1j", "2.5j*x", "0x1F", "0b1", "0o7", "007", "1_000", "1e999", "9" * 400, "1e"),
    *("1..real", "1.e.x", "1.2.3", "1and 2", "1or 2", "0or 1", "1in x", "0xfor x"),
    *("nan", "inf", "1e400*0", "-1e999"),
    # sizes
    *("9**9**9", "9**9**9**9", "x**(10**10)", "x**1e9", "x**-1e9", "x**9999999999"),
    *("(x**9**9)", "10**400", "2**(-1/0)", "exp(1000)", "1/0", "0/0", "x*(0/0)"),
    *("log(0)", "sqrt(-1)", "(-8)**(1/3)", "log(-1)*x", "0**-1", "x % (1 % 0)"),
    "1e300*1e300",
    # depth and length
    *("(" * 150 + "x" + ")" * 150, "(" * 5000, ")" * 5000, "-" * 200 + "x"),
    *("-" * 100_000 + "x", "not " * 200 + "x", "x" + "**x" * 150, "x" + "+x" * 240),
    *("sin(" * 120 + "x" + ")" * 120, "x" * 10_000_000, "x " * 450, "(" * 100 + "x"),
    *("x+" * 5_000_000, " " * 10_000_000, "where(x>0," * 60 + "x" + ",x)" * 60),
    # characters
    *("x\x00", "\x00", "x\x00+1", "x\x0c+1", "x\x0b", "x\x1b[31m", "x\x7f", "x\x85"),
    *("x\xa0", "\ud800", "x\udfff", "\ufeffx", "x\u200b", "\u202ex", "x\u2028+1"),
    "\U0001f600",
    # look-alikes: Python's own parser reads the first ones as sin(x) and x
    *("ｓｉｎ(x)", "ｘ", "𝐱", "𝓼𝓲𝓷(x)", "ſin(x)", "х", "ѕin(x)", "ⅹ", "ℯ", "π", "∞"),
    *("１ + x", "x²", "x³", "½", "x − 1", "x × 2", "x ÷ 2", "√x", "x ≤ 1"),
    *("（x）", "x٫5", "٣"),
    # formulas that are nearly right
    *("y", "X", "sinn(x)", "sin", "sin x", "sin()", "sin(x, x)", "max(x)"),
    *("max(x, 1, 2)", "2x", "2(x)", "x(2)", "x x", "(x)(x)", "pi(x)", "x 2", "(", ")"),
    *("x)", "(x", "x)+(x", "x +", "* x", "x + * 2", "x ,", ",", "sin(,x)", "x > 1"),
    *("x and x", "not x", "x < 1 < 2", "where(x, 1, 2)", "where(x > 0, 1)"),
    *("where(x > 0, x > 1, 2)", "where(not, 1, 2)", "where(x > 0 and x, 1, 2)"),
    *("sin(x > 0)", "(x > 0) * x", "1 + (2 and 3)"),
]  # fmt: skip


def short(text):
    return ascii(text if len(text) < 40 else f"{text[:20]}...{len(text)}")


@pytest.mark.parametrize("text", HOSTILE, ids=short)
def test_hostile_text_is_refused_at_once(text):
    start = time.thread_time()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ExpressionError) as caught:
            expression(text)
    assert time.thread_time() - start < 0.1
    message = str(caught.value)
    assert len(message) < 300
    assert message.isprintable()
    assert "cannot read" in message or "the formula" in message


@pytest.mark.parametrize("text", [None, 1.0, b"x", ["x"], ast.Name("x"), np.sin])
def test_only_a_string_is_a_formula(text):
    with pytest.raises(ExpressionError, match="a formula is a string"):
        expression(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x^2", r"cannot read 'x\^2' at character 2: write \*\* for powers"),
        ("x + sinn(x)", "at character 5: .*'sinn'; did you mean 'sin'"),
        ("arcsn(x)", "did you mean 'arcsin'"),
        ("t", "the variable is x"),
        ("2x", "at character 2: an operator is missing"),
        ("x(2)", "at character 2: an operator is missing"),
        ("x +", "at its end: a number, a name or an operator is missing"),
        ("x\n+ * 2", "at character 5"),
        ("(x", "at character 1: this parenthesis is never closed"),
        ("x)", "at character 2: this parenthesis closes nothing"),
        ("sin x", r"write sin\(x\)"),
        ("max(x)", r"write max\(a, b\)"),
        ("where(x > 0, 1)", r"write where\(condition, a, b\)"),
        ("1 if x else 2", r"where\(condition, a, b\) chooses"),
        ("π", "write pi"),
        ("x²", r"write \*\*2"),
        ("x**1001", "at character 4: an exponent lies between -1000 and 1000"),
        ("x + 1/0", "at character 5: this constant is inf"),
        ("x+" * 40 + "y", r"cannot read '\.\.\.x\+.*y' at character 81"),
        ("x" * 1001, "1001 characters, and 1000 are the most"),
    ],
)
def test_message_says_where_and_what_to_do(text, message):
    with pytest.raises(ExpressionError, match=message):
        expression(text)


def test_deep_text_is_refused_near_the_recursion_limit():
    def descend(levels):
        return expression("-" * 90 + "x") if levels == 0 else descend(levels - 1)

    for levels in range(0, sys.getrecursionlimit() - 200, 50):
        with contextlib.suppress(ExpressionError):
            descend(levels)


def test_what_the_user_typed_is_never_executed():
    tree = ast.parse(Path(module.__file__).read_text())
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called.isdisjoint({"eval", "exec", "compile", "__import__", "globals"})


SPACES = ("x+1", " x + 1 ", "\tx\n+\n1\r\n", "(x\n+ 1)", "x +\r1")


@pytest.mark.parametrize("text", SPACES)
def test_spaces_and_line_ends_mean_nothing(text):
    assert expression(text)(2) == 3.0


# Each formula beside what SymPy makes of it.
MEANINGS = {
    "x**3 + 2*x**2 - 3*x + 1": "x**3 + 2*x**2 - 3*x + 1",
    "-x**2": "-(x**2)",
    "2**-x": "1/2**x",
    "2**x**2": "2**(x**2)",
    "+x - -x": "2*x",
    "1e-1*x + .5 + 5.": "x/10 + 11/2",
    "x/2/3*4": "2*x/3",
    "7 - x % 2": "7 - Mod(x, 2)",
    "-x % 3": "Mod(-x, 3)",
    "pi*x + e": "pi*x + E",
    "ln(x) + log(x)": "2*log(x)",
    "abs(-x)": "x",
    "asin(x/9) + arcsin(x/9)": "2*asin(x/9)",
    "atan2(x, 2) + atan(x)": "atan2(x, 2) + atan(x)",
    "max(x, 1) - min(x, 1)": "Max(x, 1) - Min(x, 1)",
    "sinh(x) + asinh(x)": "sinh(x) + asinh(x)",
    "exp2(x) + cbrt(x)": "2**x + cbrt(x)",
    "erf(x) + gamma(x)": "erf(x) + gamma(x)",
    "heaviside(x - 1, 0.5)": "Heaviside(x - 1, Rational(1, 2))",
    "where(x > 1, x, -x)": "Piecewise((x, x > 1), (-x, True))",
    "where(0 < x <= 1, 1, 0)": "Piecewise((1, (0 < x) & (x <= 1)), (0, True))",
    "where(not x < 1 and x != 3, x, 0)": "Piecewise((x, (x >= 1) & Ne(x, 3)), (0, 1))",
    "where(x < 1 or x == 3, 5, x)": "Piecewise((5, (x < 1) | Eq(x, 3)), (x, True))",
}


@pytest.mark.parametrize("text", MEANINGS)
@pytest.mark.parametrize("point", ["1/3", "1", "7/5", "3"])
def test_meaning_is_sympys(text, point):
    exact = sympy.sympify(MEANINGS[text]).subs("x", sympy.Rational(point))
    value = expression(text)(float(sympy.Rational(point)))
    assert isinstance(value, np.float64)
    np.testing.assert_allclose(value, float(exact.evalf(30)), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("text", MEANINGS)
def test_arrays_are_taken_item_by_item(text):
    f = expression(text)
    x = np.array([[0.5, 1.0, 2.0], [3.0, 0.25, 1.5]])
    assert f(x).shape == x.shape
    np.testing.assert_array_equal(np.ravel(f(x)), [f(item) for item in np.ravel(x)])


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"where"}))
def test_function_is_numpys_and_elementwise(name):
    function = FUNCTIONS[name]
    x = np.array([0.3, 0.7]) + (name in ("arccosh", "acosh"))
    if getattr(function, "nargs", 2) == 3:
        np.testing.assert_array_equal(expression(f"{name}(x, 2)")(x), function(x, 2.0))
    else:
        np.testing.assert_array_equal(expression(f"{name}(x)")(x), function(x))


@pytest.mark.parametrize("name", sorted(SPECIAL))
def test_special_function_is_scipys(name):
    special = pytest.importorskip("scipy.special")
    x = np.array([0.3, 0.7])
    np.testing.assert_array_equal(
        expression(f"{name}(x)")(x), getattr(special, name)(x)
    )


def test_special_function_without_scipy_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(
        MissingLibraryError, match=r"erf needs scipy.*pip install scipy"
    ):
        expression("erf(x)")
    assert expression("sin(x)")(0.0) == 0.0


@pytest.mark.parametrize("text", ["3", "pi", "2*e - 1", "where(1 < 2, 3, 4)"])
def test_constant_has_the_shape_of_x(text):
    f = expression(text)
    assert f(np.zeros((2, 3))).shape == (2, 3)
    assert isinstance(f(0), np.float64)
    np.testing.assert_array_equal(dm.derivative(f)(np.ones(3)), np.zeros(3))


def test_attributes():
    f = expression("2*sin(pi*x) + where(x > 0 or x < -1, x, 0)")
    assert f.text == "2*sin(pi*x) + where(x > 0 or x < -1, x, 0)"
    assert f.names == ("pi", "sin", "where", "x")
    assert repr(f) == f"Expression(text={f.text!r})"


def test_numbers_of_every_kind_are_computed_in_floats():
    f = expression("x**-2 + 2**x")
    for x in (2, 2.0, np.int64(2), np.float64(2), np.array(2)):
        assert f(x) == 4.25
        assert isinstance(f(x), np.float64)
    np.testing.assert_array_equal(f(np.array([1, 2])), [3.0, 4.25])
    assert f(1j) == pytest.approx((1j) ** -2 + 2**1j)


SLOPES_AT_2 = {
    "x**3 + 2*x**2 - 3*x + 1": "3*x**2 + 4*x - 3",
    "tanh(x)*e**-x": "(sech(x)**2 - tanh(x))*exp(-x)",
    "where(x > 1 and not x > 3, log(x), sin(x)) / x": "(1 - log(x))/x**2",
    "max(x**0.5, 1) % 3": "1/(2*sqrt(x))",
}


@pytest.mark.parametrize("method", ["dual_numbers", "sympy", "jax"])
@pytest.mark.parametrize("text", SLOPES_AT_2)
def test_traced_values_pass_through(text, method):
    try:
        df = dm.derivative(expression(text), method=method)
    except MissingLibraryError as error:
        pytest.skip(str(error))
    slope = float(sympy.sympify(SLOPES_AT_2[text]).subs("x", 2).evalf(30))
    np.testing.assert_allclose(df(2.0), slope, rtol=1e-14)


def test_whole_exponents_stay_whole():
    class Recorder:
        def __pow__(self, exponent):
            return exponent

    for text, exponent in {
        "x**2": 2,
        "x**-3": -3,
        "x**(1 + 1)": 2,
        "x**4.0": 4,
    }.items():
        assert expression(text)(Recorder()) == exponent
        assert isinstance(expression(text)(Recorder()), int)
    assert isinstance(expression("x**0.5")(Recorder()), float)


# Formulas that the test makes itself, so that it may let Python evaluate them.

numbers = st.one_of(
    st.integers(0, 99).map(str), st.floats(0.01, 99, allow_nan=False).map(repr)
)
formulas = st.recursive(
    st.one_of(st.just("x"), numbers, st.sampled_from(sorted(CONSTANTS))),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "%"]), inner).map(
            " ".join
        ),
        inner.map("({})".format),
        inner.map("-{}".format),
        st.tuples(inner, st.sampled_from(["2", "3", "-1", "0.5"])).map("**".join),
        st.tuples(st.sampled_from(["sin", "tanh", "exp", "abs", "sqrt"]), inner).map(
            "{0[0]}({0[1]})".format
        ),
        st.tuples(inner, inner).map("max({0[0]}, {0[1]})".format),
        st.tuples(inner, inner, inner).map("where({0[0]} < {0[1]}, {0[2]}, x)".format),
    ),
    max_leaves=12,
)
PYTHONS = {
    **{name: getattr(np, name) for name in ("sin", "tanh", "exp", "sqrt", "where")},
    "abs": np.absolute,
    "max": np.maximum,
    "pi": np.pi,
    "e": np.e,
}


class Floats(ast.NodeTransformer):
    """Write every number of a formula as np.float64, so that 1 / 0 is an infinity."""

    def visit_Constant(self, node):
        call = f"float64({float(node.value)!r})"
        return ast.copy_location(ast.parse(call, mode="eval").body, node)


@given(formulas, st.floats(-10, 10))
@example("-x**2", 3.0)
@example("2**-1 % -x", 3.0)
@settings(max_examples=300, deadline=None)
def test_value_is_pythons(text, x):
    tree = ast.fix_missing_locations(Floats().visit(ast.parse(text, mode="eval")))
    scope = PYTHONS | {"x": np.float64(x), "float64": np.float64, "__builtins__": {}}
    with np.errstate(all="ignore"):
        expected = eval(compile(tree, "formula", "eval"), scope)
        try:
            value = expression(text)(x)
        except ExpressionError as error:
            refusal = str(error)
        else:
            np.testing.assert_allclose(value, expected, rtol=1e-12, atol=0)
            return
    assert "this constant is" in refusal or "an exponent lies" in refusal


@given(st.text(max_size=60) | st.text("x12.e+-*/%(), \n<>=!sinalogdtr_", max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_function_or_an_expression_error(text):
    try:
        f = expression(text)
    except ExpressionError:
        return
    with np.errstate(all="ignore"):
        assert isinstance(f(0.5), np.float64)
