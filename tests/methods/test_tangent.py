"""Tangent: what it can read, and what it must not say."""

import functools
import linecache
import subprocess
import sys

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import InputError, MissingRuleError, WrongDerivativeError

module = pytest.importorskip("diffmethods.methods.tangent")

X = np.array([0.5, 1.5, 2.0])
SCALE = 3.0


def scaled(x, power=2):
    return SCALE * x**power


def slopes_by_position(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = x[i] ** (i + 1)
    return y


class Wave:
    speed = 2.0

    def at(self, x):
        return np.sin(self.speed * x)

    __call__ = at


def made(speed):
    def wave(x):
        return np.sin(speed * x)

    return wave


@pytest.mark.parametrize(
    ("f", "want"),
    [
        (scaled, 6.0 * 0.7),
        (functools.partial(scaled, power=3), 9.0 * 0.7**2),
        (functools.partial(np.power, 2.0), np.log(2.0) * 2.0**0.7),
        (functools.partial(functools.partial(np.multiply), 5.0), 5.0),
        (made(2.0), 2.0 * np.cos(1.4)),
        (Wave().at, 2.0 * np.cos(1.4)),
        (Wave(), 2.0 * np.cos(1.4)),
        (np.tanh, 1.0 / np.cosh(0.7) ** 2),
    ],
)
def test_what_has_source_is_read(f, want):
    assert dm.derivative(f, method="tangent")(0.7) == pytest.approx(want, rel=1e-14)


def test_two_lambdas_of_one_line_are_told_apart():
    f, g = lambda x: x**2, lambda x: x**3
    assert dm.derivative(f, method="tangent")(2.0) == 4.0
    assert dm.derivative(g, method="tangent")(2.0) == 12.0


def test_items_may_be_assigned():
    found = dm.jacobian(slopes_by_position, method="tangent")(X)
    np.testing.assert_allclose(found, np.diag([1.0, 2 * 1.5, 3 * 4.0]), rtol=1e-15)
    total = lambda x: np.sum(slopes_by_position(x))
    found = dm.gradient(total, method="tangent")(X)
    np.testing.assert_allclose(found, [1.0, 3.0, 12.0], rtol=1e-15)


@pytest.mark.parametrize(
    "f", [eval("lambda x: x"), len, dm.derivative(np.sin), lambda *x: x[0]]
)
def test_what_has_none_is_refused(f):
    with pytest.raises(InputError, match=r"tangent (reads source|needs a function)"):
        module.readable(f)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x / np.sum(x))[0],
        lambda x: np.sum(np.exp(x) / np.sum(np.exp(x)) * X),
        lambda x: np.linalg.eigvalsh(np.outer(X, X) * x[0] + np.triu(np.outer(x, x)))[
            0
        ],
    ],
)
def test_wrong_rules_are_noticed(f):
    with pytest.raises((WrongDerivativeError, MissingRuleError)):
        dm.gradient(f, method="tangent")(X)
    with pytest.raises((WrongDerivativeError, MissingRuleError)):
        dm.vjp(f, method="tangent")(X, 1.0)
    with pytest.raises((WrongDerivativeError, MissingRuleError)):
        dm.hessian(f, method="tangent")(X)


def test_what_only_one_direction_has():
    """Where the way back has a wrong rule, the way forward may have a right one."""
    f = lambda x: x[np.array([0, 2, 2])]
    with pytest.raises(WrongDerivativeError):
        dm.vjp(f, method="tangent")(X, np.array([1.0, 1.0, 1.0]))
    np.testing.assert_array_equal(
        dm.jacobian(f, method="tangent")(X), np.eye(3)[[0, 2, 2]]
    )


def test_second_derivatives():
    f = lambda x: np.sum(np.exp(x) * np.sin(x))
    x = X[:2]
    bend = 2 * np.exp(x) * np.cos(x)
    np.testing.assert_allclose(dm.hessian(f, method="tangent")(x), np.diag(bend), 1e-13)
    v = np.array([1.0, -2.0])
    np.testing.assert_allclose(dm.hvp(f, method="tangent")(x, v), bend * v, 1e-13)
    g = lambda x: np.exp(x) * np.sin(x)
    found = dm.derivative(g, method="tangent", order=2)(x)
    np.testing.assert_allclose(found, bend, rtol=1e-13)
    h = lambda x: np.array([x, x**2])
    with pytest.raises(MissingRuleError, match="item by item"):
        dm.derivative(h, method="tangent", order=2)(1.0)


def test_a_program_is_kept_as_long_as_it_holds():
    scale = np.array([1.0, 2.0, 3.0])
    f = lambda x: np.sum(scale * x)
    slope = dm.gradient(f, method="tangent")
    np.testing.assert_array_equal(slope(X), [1.0, 2.0, 3.0])
    before = len([name for name in linecache.cache if "tangent" in name])
    slope(X + 1.0)
    assert len([name for name in linecache.cache if "tangent" in name]) == before
    scale[0] = 7.0
    np.testing.assert_array_equal(slope(X), [7.0, 2.0, 3.0])


def test_other_derivatives_stay_outside():
    with pytest.raises(InputError, match="stand-in"):
        dm.derivative(lambda x: dm.derivative(lambda y: x * y, method="tangent")(1.0))(
            2.0
        )
    with pytest.raises(InputError, match="numbers, not with stand-ins"):
        dm.derivative(dm.derivative(np.tanh, method="tangent"))(2.0)
    with pytest.raises(InputError, match="no plain NumPy"):
        dm.derivative(lambda x: dm.derivative(np.sin)(x), method="tangent")(2.0)


def test_no_framework_is_loaded():
    code = (
        "import sys, diffmethods as dm; dm.get_method('tangent'); "
        "print({'torch', 'jax', 'tensorflow', 'matplotlib'} & {*sys.modules}, "
        "[n for n in sys.modules if n.startswith('tangent') and not sys.modules[n]])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert done.stdout.strip() == "set() []"
    assert not done.stderr


def test_what_tangent_writes_gives_no_warning():
    """Its text of this one has ``None is None``, of which Python warns."""
    found = dm.jacobian(lambda x: np.max(x, axis=0), method="tangent")(
        np.array([[1.0, 4.0], [3.0, 2.0]])
    )
    np.testing.assert_array_equal(found, [[[0, 0], [1, 0]], [[0, 1], [0, 0]]])
