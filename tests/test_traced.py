"""The mixin: whatever NumPy code does with an array, a stand-in answers or refuses."""

import copy
import math

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import MissingRuleError, TracedValueError
from diffmethods.methods.dual_numbers import Dual
from diffmethods.traced import joined, leaves, qualified_name

X = np.array([0.5, 0.2])
ONES = np.ones(2)


def dual(x=X, v=ONES, level=1):
    return Dual(x, v, level)


@pytest.mark.parametrize(
    ("spelled", "same"),
    [
        (lambda x: x.sum(), np.sum),
        (lambda x: x.reshape(2, 1), lambda x: np.reshape(x, (2, 1))),
        (lambda x: x.reshape((2, 1)), lambda x: np.reshape(x, (2, 1))),
        (lambda x: x.T, np.transpose),
        (lambda x: x[:, None].transpose(1, 0), lambda x: x[None, :]),
        (lambda x: x.flatten(), np.ravel),
        (lambda x: x.conj(), np.conjugate),
        (lambda x: abs(x), np.absolute),
        (lambda x: x.astype(float), lambda x: x),
        (lambda x: np.stack(list(x)), lambda x: x),
        (lambda x: np.stack(list(x.flat)), lambda x: x),
        (lambda x: x[[1, 0]], lambda x: x[::-1]),
        (lambda x: np.add.reduce(x), np.sum),
        (lambda x: np.multiply.reduce(x), np.prod),
        (lambda x: np.add.accumulate(x), np.cumsum),
        (lambda x: np.multiply.outer(x, x), lambda x: np.outer(x, x)),
        (lambda x: x[0].item() * x.item(1), np.prod),
        (lambda x: np.array([x[0], x[1]]), lambda x: x),
        (
            lambda x: np.array([x[0], x[1]]) * np.array([x[1], 2.0]),
            lambda x: x * np.stack([x[1], 2.0 + 0 * x[0]]),
        ),
        (
            lambda x: np.sin(np.array([x[0], 2 * x[1]])),
            lambda x: np.sin(x * np.array([1, 2])),
        ),
        (lambda x: np.linalg.norm(np.array([x[0], x[1]])), np.linalg.norm),
        (lambda x: np.dot([x[0], x[1]], x), lambda x: np.dot(x, x)),
        (lambda x: np.add([x[0], x[1]], x), lambda x: 2 * x),
        (lambda x: np.max([x[0], x[1]]), np.max),
        (lambda x: np.sum([x[0], x[1]]), np.sum),
    ],
)
def test_every_spelling_means_the_same(spelled, same):
    np.testing.assert_allclose(
        dm.jacobian(spelled)(X), dm.jacobian(same)(X), rtol=1e-15
    )


def test_looks_like_the_array_it_stands_for():
    x = dual(np.zeros((2, 3)), np.ones((2, 3)))
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
    assert x.dtype == np.float64
    assert x.real.shape == (2, 3)
    assert not x.imag.value.any()
    assert repr(dual(1.0, 1.0)) == "Dual(1.0)"
    assert f"{dual(1.0, 1.0):.2f}" == "1.00"
    assert f"{dual(1.0, 1.0)}" == "Dual(1.0)"
    assert bool(dual(1.0, 1.0))
    assert hash(x) != hash(copy.copy(x))
    with pytest.raises(TypeError, match="unsized"):
        len(dual(1.0, 1.0))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        x.nonsense  # noqa: B018


@pytest.mark.parametrize(
    "convert", [float, int, complex, round, math.sin, math.floor, range]
)
def test_a_plain_number_is_refused_with_advice(convert):
    with pytest.raises((TracedValueError, TypeError)) as caught:
        convert(dual(1.0, 1.0))
    if convert is not math.floor:
        assert "use np.sin" in str(caught.value)


@pytest.mark.parametrize(
    "call", [float, math.sin, np.float64, lambda x: np.asarray(x, float)]
)
def test_the_advice_reaches_the_user(call):
    with pytest.raises(TracedValueError, match=r"use np\.sin, not math\.sin"):
        dm.derivative(call)(1.0)


def test_assigning_into_zeros_is_explained():
    def f(x):
        y = np.zeros(2)
        y[0] = x[0]
        return y

    with pytest.raises(
        TracedValueError, match=r"not by assigning to the items of np\.zeros"
    ):
        dm.jacobian(f)(X)


def test_assigning_into_a_traced_array_is_explained():
    def f(x):
        y = 2 * x
        y[0] = 1.0
        return y

    with pytest.raises(
        TracedValueError, match=r"np\.where, np\.concatenate or np\.stack"
    ):
        dm.jacobian(f)(X)


def test_writing_into_an_array_is_explained():
    with pytest.raises(TracedValueError, match="out="):
        dm.derivative(lambda x: np.sin(x, out=np.empty(())))(1.0)


def test_in_place_changes_are_seen_by_all_who_hold_the_array():
    def f(x):
        y = np.sin(x)
        alias = y
        y += 1
        y *= x
        y -= 0.5
        y /= 2
        y **= 2
        return alias

    def plain(x):
        return ((((np.sin(x) + 1) * x - 0.5) / 2) ** 2,)[0]

    np.testing.assert_allclose(dm.derivative(f)(X), dm.derivative(plain)(X), rtol=1e-15)


def test_in_place_changes_of_numbers_bind_anew():
    def f(x):
        y = x
        y += 1
        return x * y

    assert dm.derivative(f)(3.0) == 7.0


def test_in_place_changes_seen_through_a_view_are_refused():
    def f(x):
        y = np.sin(x)
        z = y[1:]
        z += 1
        return y

    with pytest.raises(TracedValueError, match=r"write y = y \+ z"):
        dm.jacobian(f)(X)


def test_an_unknown_function_is_named_with_those_who_know_it():
    with pytest.raises(
        MissingRuleError, match=r"dual_numbers has no rule for np\.linalg\.eigvals"
    ):
        dm.jacobian(np.linalg.eigvals, method="dual_numbers")(np.eye(2))
    with pytest.raises(
        MissingRuleError, match=r"methods that take it: .*central_difference"
    ):
        dm.jacobian(np.linalg.eigvals, method="dual_numbers")(np.eye(2))


def test_an_unknown_ufunc_is_not_mistaken_for_numpys():
    stranger = np.frompyfunc(math.sin, 1, 1)
    assert stranger.__name__ != np.sin.__name__
    with pytest.raises(MissingRuleError, match="the ufunc"):
        dm.derivative(stranger)(1.0)


@pytest.mark.parametrize(
    "call", [lambda x: np.add.reduceat(x, [0]), lambda x: np.sin.at(x, [0])]
)
def test_other_ways_of_calling_a_ufunc_are_refused(call):
    with pytest.raises((MissingRuleError, TypeError), match=r"no rule for np\.|at"):
        dm.jacobian(call)(X)


def test_the_innermost_trace_answers():
    outer, inner = dual(1.0, 1.0, level=1), dual(2.0, 1.0, level=2)
    product = outer * inner
    assert product.level == 2
    assert product.tangent is outer or product.tangent.level == 1


def test_joined_leaves_plain_arrays_alone():
    array = np.array([1, "a"], dtype=object)
    assert joined(array) is array
    assert joined(3.0) == 3.0
    assert leaves((1, [dual(), 2]))[0].shape == (2,)


def test_functions_know_where_they_come_from():
    special = pytest.importorskip("scipy.special")
    assert qualified_name(np.sin) == "np.sin"
    assert qualified_name(np.linalg.inv) == "np.linalg.inv"
    assert qualified_name(special.erf) == "scipy.special.erf"


WAYS_TO_LOOK = {
    "reshape": lambda y: y.reshape(2, 2),
    "ravel": np.ravel,
    "transpose": lambda y: y.T,
    "split": lambda y: np.split(y, 2)[0],
    "real": lambda y: y.real,
    "a part": lambda y: y[1:],
    "backwards": lambda y: y[::-1],
    "axes": lambda y: y[:, None],
    "atleast": np.atleast_2d,
    "copy": lambda y: y.copy(),
    "other type": lambda y: y.astype(float),
}
FOUR = np.array([1.0, 2.0, 3.0, 4.0])


def exact_methods():
    ours = ("numpy_source", "reverse_tape", "dual_numbers", "taylor_series")
    return [name for name in dm.list_methods() if name in ours]


@pytest.mark.parametrize("method", exact_methods())
@pytest.mark.parametrize("look", WAYS_TO_LOOK)
def test_what_changes_under_a_view_is_right_or_refused(look, method):
    view = WAYS_TO_LOOK[look]

    def change_the_array(x):
        y = 2 * x
        seen = view(y)
        y += x
        return np.sum(seen**2)

    def change_the_view(x):
        y = 2 * x
        seen = view(y)
        seen *= 3.0
        return np.sum(y**2)

    def change_what_nobody_else_sees(x):
        seen = view(2 * x)
        seen += 1.0
        return np.sum(seen**2)

    for f in (change_the_array, change_the_view, change_what_nobody_else_sees):
        want = dm.gradient(f, method="central_difference")(FOUR)
        try:
            got = dm.gradient(f, method=method)(FOUR)
        except TracedValueError:
            assert look not in ("copy", "other type")
            continue
        np.testing.assert_allclose(got, want, rtol=1e-7)
