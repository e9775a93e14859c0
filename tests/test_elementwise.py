"""What is read to be elementwise is differentiated right; all else is left alone."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import diffmethods as dm
from diffmethods import elementwise, rules
from diffmethods.errors import ShapeError
from diffmethods.methods import dual_numbers

X = np.array([[0.3, -0.7, 1.1], [2.5, -1.6, 0.2]])

FORMULAS = {
    "cubic": (lambda x: x**3 + 2 * x**2 - 3 * x + 1, lambda x: 3 * x**2 + 4 * x - 3),
    "powers": (
        lambda x: x**1 + x**2.0 + x ** np.float64(5) + x**-2,
        lambda x: 1 + 2 * x + 5 * x**4 - 2 / x**3,
    ),
    "large powers": (lambda x: x**8 + x**9 + x**0, lambda x: 8 * x**7 + 9 * x**8),
    "a quotient": (
        lambda x: (2 - x) / (1 + x * x),
        lambda x: (-1 - x * x - 2 * x * (2 - x)) / (1 + x * x) ** 2,
    ),
    "a wave": (
        lambda x: np.exp(-x / 4) * np.sin(2 * x),
        lambda x: np.exp(-x / 4) * (2 * np.cos(2 * x) - np.sin(2 * x) / 4),
    ),
    "branches": (
        lambda x: np.where((x > 0) & ~(x > 2), x * x, -x) + np.abs(x),
        lambda x: np.where((x > 0) & (x <= 2), 2 * x, -1) + np.sign(x),
    ),
    "choices": (
        lambda x: np.maximum(x, 1.0) * np.clip(x, -1.0, 2.0),
        lambda x: (
            np.where(x > 1, 1, 0) * np.clip(x, -1, 2)
            + np.maximum(x, 1) * np.where((x > -1) & (x < 2), 1, 0)
        ),
    ),
    "steps": (lambda x: x * np.floor(x) + np.sign(x), np.floor),
    "identity": (lambda x: x, np.ones_like),
    "a line": (lambda x: 3 - 2 * x, lambda x: np.full_like(x, -2.0)),
    "sinc": (
        lambda x: np.sinc(x),
        lambda x: np.cos(np.pi * x) / x - np.sin(np.pi * x) / (np.pi * x * x),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("size", [0, 1, 6, 3 * elementwise.ITEMS + 5])
def test_formulas(name, size):
    f, exact = FORMULAS[name]
    x = np.resize(X, size) if size != 6 else X
    found = elementwise.derivative(f, x)
    assert found.shape == x.shape
    assert found.flags.owndata
    np.testing.assert_allclose(found, exact(x), rtol=1e-13, atol=1e-15)


def test_arrays_that_are_not_contiguous():
    for x in (X.T, X[:, ::-2], np.asfortranarray(X)):
        np.testing.assert_array_equal(elementwise.derivative(np.square, x), 2 * x)


@pytest.mark.parametrize("n", range(1, elementwise.MOST_FACTORS + 1))
def test_whole_powers_keep_their_digits(n):
    x = np.random.default_rng(n).uniform(0.5, 2.0, 500)
    found = elementwise.derivative(lambda x: x**n, x)
    exact = [n * mp.mpf(u) ** (n - 1) for u in x.tolist()]
    errors = [abs(mp.mpf(a) - b) for a, b in zip(found.tolist(), exact, strict=True)]
    assert max(errors / np.spacing(found)) <= 4


@pytest.mark.parametrize(
    "f",
    [
        np.cumsum,
        np.sum,
        np.flip,
        lambda x: x / np.max(x),
        lambda x: x / x.size,
        lambda x: x * len(x),
        lambda x: x[::-1],
        lambda x: x * np.ones(3),
        lambda x: x + np.add.reduce(x),
        lambda x: np.add.outer(x, x),
        lambda x: np.where(x > 0),
        lambda x: x @ x,
        lambda x: np.add(x, 1.0, dtype=float),
        lambda x: x if x.shape == (3,) else 2 * x,
        lambda x: x if np.all(x > 0) else 2 * x,
        lambda x: x > 0,
        lambda x: np.floor(x),
        lambda x: 1.0,
        lambda x: [x, x],
        lambda x: x * 1j,
    ],
)
def test_all_else_is_left_to_the_long_way(f):
    try:
        found = elementwise.derivative(f, np.array([1.0, 2.0, 3.0]))
    except Exception:
        return
    assert found is None


def test_a_function_that_hides_the_refusal():
    def f(x):
        try:
            return x * x.size
        except Exception:
            return x

    assert elementwise.derivative(f, np.ones(3)) is None
    with pytest.raises(ShapeError, match="elementwise"):
        dm.derivative(f, method="dual_numbers")(np.arange(3.0))


def test_outer_derivatives_are_not_lost():
    x = np.array([0.5, 1.5])

    def f(a):
        return dm.derivative(lambda y: np.sin(a * y), method="dual_numbers")(x)

    found = dm.derivative(f, method="dual_numbers")(2.0)
    np.testing.assert_allclose(found, np.cos(2 * x) - 2 * x * np.sin(2 * x), rtol=1e-14)


def test_what_f_ignores_is_ignored():
    def f(x):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(x > 0, np.log(x), 0.0)

    found = dm.derivative(f, method="dual_numbers")(np.array([-1.0, 0.0, 2.0]))
    np.testing.assert_array_equal(found, [0.0, 0.0, 0.5])
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        dm.derivative(np.log, method="dual_numbers")(np.array([0.0, 2.0]))


def test_f_is_called_once():
    calls = []

    def f(x):
        calls.append(x)
        return np.tanh(x)

    dm.derivative(f, method="dual_numbers")(np.linspace(-1, 1, 100_000))
    assert len(calls) == 1


def test_a_long_chain_forgets_what_it_has_used():
    def f(x):
        for _ in range(3_000):
            x = x + 0.001 * np.sin(x)
        return x

    x = np.array([0.5, 1.0])
    found = dm.derivative(f, method="dual_numbers")(x)
    np.testing.assert_allclose(found, dual_numbers.jvp(f, x, np.ones(2)), rtol=1e-12)


def test_every_rule_says_what_it_looks_at():
    """A partial derivative that is not given what it looks at would raise."""
    x = np.array([0.3, 0.6])
    for function, partials in rules.PARTIALS.items():
        if function in (np.arccosh, np.ldexp):
            continue
        f = function if len(partials) == 1 else lambda x, f=function: f(x, 0.4)
        found = elementwise.derivative(f, x)
        if found is not None:
            expected = dual_numbers.jvp(f, x, np.ones(2))
            np.testing.assert_allclose(found, expected, rtol=1e-15)


@given(
    hnp.arrays(float, st.integers(1, 4), elements=st.floats(-3, 3)),
    st.floats(-2, 2),
    st.floats(0.5, 2),
)
def test_agrees_with_dual_numbers(x, a, b):
    f = lambda x: np.tanh(a * x) * (x - b) ** 3 / (b + x * x)
    expected = dual_numbers.jvp(f, x, np.ones(x.shape))
    np.testing.assert_allclose(
        elementwise.derivative(f, x), expected, rtol=1e-12, atol=1e-13
    )
