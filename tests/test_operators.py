"""The operators: shapes, values and errors, for every method alike."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from installed import METHODS

import diffmethods as dm
from diffmethods.errors import (
    InputError,
    NotDifferentiableError,
    OptionError,
    ShapeError,
    UnknownMethodError,
)
from diffmethods.problems import PROBLEMS

OF_ONE = [p for p in PROBLEMS.values() if p.derivatives]
OF_MANY = [p for p in PROBLEMS.values() if p.gradient or p.jacobian]


def tolerance(name, order=1):
    """What the method states, and room for the growth of errors with the order."""
    method = dm.get_method(name)
    return 100 * method.rtol if order == 1 else 1e-10 if method.exact else 1e-3


def can(name, order):
    limit = dm.get_method(name).max_order
    return limit is None or order <= limit


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("problem", OF_ONE, ids=lambda p: p.name)
def test_derivatives_of_one_variable(problem, name):
    for order, exact in enumerate(problem.derivatives, start=1):
        if not can(name, order):
            with pytest.raises(OptionError, match="gives derivatives to order"):
                dm.derivative(problem, method=name, order=order)
            continue
        got = dm.derivative(problem.f, method=name, order=order)(problem.at)
        assert isinstance(got, np.float64)
        np.testing.assert_allclose(
            got,
            exact(problem.at),
            rtol=tolerance(name, order),
            atol=1e-3 if not dm.get_method(name).exact and order > 2 else 1e-12,
        )


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("problem", OF_ONE, ids=lambda p: p.name)
def test_derivatives_on_arrays_are_elementwise(problem, name):
    x = np.linspace(0.3, 1.7, 6).reshape(2, 3)
    got = dm.derivative(problem.f, method=name)(x)
    assert got.shape == x.shape
    np.testing.assert_allclose(got, problem.derivatives[0](x), rtol=tolerance(name))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("problem", OF_MANY, ids=lambda p: p.name)
def test_functions_of_several_variables(problem, name):
    f, x, loose = problem.f, problem.at, tolerance(name)
    v = np.linspace(-0.5, 1.0, x.size)
    if problem.gradient:
        gradient = problem.gradient(x)
        np.testing.assert_allclose(dm.gradient(f, method=name)(x), gradient, rtol=loose)
        value, slope = dm.value_and_gradient(f, method=name)(x)
        assert value == f(x)
        np.testing.assert_allclose(slope, gradient, rtol=loose)
        np.testing.assert_allclose(
            dm.jvp(f, method=name)(x, v), gradient @ v, rtol=loose
        )
    if problem.jacobian:
        jacobian = problem.jacobian(x)
        w = np.array([2.0, -1.0])
        np.testing.assert_allclose(dm.jacobian(f, method=name)(x), jacobian, rtol=loose)
        np.testing.assert_allclose(
            dm.jvp(f, method=name)(x, v), jacobian @ v, rtol=loose
        )
        np.testing.assert_allclose(
            dm.vjp(f, method=name)(x, w), w @ jacobian, rtol=loose
        )
    if problem.hessian and can(name, 2):
        hessian, loose = problem.hessian(x), tolerance(name, 2)
        np.testing.assert_allclose(
            dm.hessian(f, method=name)(x), hessian, rtol=loose, atol=loose * 1e3
        )
        np.testing.assert_allclose(
            dm.hvp(f, method=name)(x, v), hessian @ v, rtol=loose, atol=loose * 1e3
        )
    elif problem.hessian:
        for operator in (dm.hessian, dm.hvp):
            with pytest.raises(OptionError, match="to order 1"):
                operator(f, method=name)


@pytest.mark.parametrize("name", METHODS)
def test_value_and_derivative(name):
    value, slope = dm.value_and_derivative(np.tanh, method=name)(2.0)
    assert value == np.tanh(2.0)
    np.testing.assert_allclose(slope, 1 / np.cosh(2.0) ** 2, rtol=tolerance(name))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,), (0, 2)])
def test_shapes(name, shape):
    x = np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape)[()]
    assert np.shape(dm.derivative(np.sin, method=name)(x)) == shape
    assert np.shape(dm.gradient(np.sum, method=name)(x)) == shape
    assert np.shape(dm.jacobian(np.sin, method=name)(x)) == shape + shape
    assert np.shape(dm.jvp(np.sin, method=name)(x, x)) == shape
    assert np.shape(dm.vjp(np.sin, method=name)(x, x)) == shape
    if can(name, 2):
        f = lambda x: np.sum(x**3)
        assert np.shape(dm.hessian(f, method=name)(x)) == shape + shape
        assert np.shape(dm.hvp(f, method=name)(x, x)) == shape


@pytest.mark.parametrize("name", METHODS)
def test_from_a_number_to_an_array(name):
    got = dm.derivative(lambda x: np.stack([x, x**2]), method=name)(3.0)
    np.testing.assert_allclose(got, [1.0, 6.0], rtol=tolerance(name))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "x", [3, np.float32(3), np.int64(3), True, [3], (3, 4), np.array([3])], ids=repr
)
def test_numbers_of_any_kind_become_float64(name, x):
    got = np.asarray(dm.derivative(lambda x: x**2, method=name)(x))
    assert got.dtype == np.float64
    np.testing.assert_allclose(
        got, 2.0 * np.asarray(x, float), rtol=tolerance(name), atol=1e-9
    )


class Callable:
    def __call__(self, x):
        return x * x

    def method(self, x):
        return x * x


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "f",
    [
        np.square,
        lambda x: x * x,
        functools.partial(np.multiply, 1.0),
        Callable(),
        Callable().method,
    ],
    ids=["ufunc", "lambda", "partial", "object", "method"],
)
def test_functions_of_any_kind(name, f):
    want = 1.0 if isinstance(f, functools.partial) else 6.0
    np.testing.assert_allclose(
        dm.derivative(f, method=name)(3.0), want, rtol=tolerance(name)
    )


@pytest.mark.parametrize("name", METHODS)
def test_a_constant_has_derivative_zero(name):
    assert dm.derivative(lambda x: 3.0, method=name)(1.0) == 0.0
    np.testing.assert_array_equal(
        dm.gradient(lambda x: 3.0, method=name)(np.ones(2)), [0, 0]
    )


@pytest.mark.parametrize("name", METHODS)
def test_results_as_lists_and_tuples(name):
    for f in (lambda x: [x[0], x[1] ** 2], lambda x: (x[0], x[1] ** 2)):
        got = dm.jacobian(f, method=name)(np.array([1.0, 2.0]))
        np.testing.assert_allclose(
            got, [[1, 0], [0, 4]], rtol=tolerance(name), atol=1e-9
        )


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (lambda x: None, InputError, "does f return its result"),
        (lambda x: "one", InputError, "does f return its result"),
        (lambda x: x > 0, NotDifferentiableError, "True or False"),
    ],
)
def test_what_is_not_a_number_is_refused(name, f, error, words):
    with pytest.raises(error, match=words):
        dm.derivative(f, method=name)(1.0)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "f", [np.cumsum, np.flip, lambda x: x / np.max(x), lambda x: x - x.mean()]
)
def test_derivative_refuses_what_is_not_elementwise(name, f):
    with pytest.raises(ShapeError, match=r"use (gradient or )?jacobian"):
        dm.derivative(f, method=name)(np.array([1.0, 2.0, 5.0]))


@pytest.mark.parametrize("name", METHODS)
def test_arrays_in_the_closure_are_elementwise(name):
    a = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(
        dm.derivative(lambda x: a * x, method=name)(a), a, rtol=1e-6
    )


@pytest.mark.parametrize("name", METHODS)
def test_wrong_shapes_are_refused(name):
    x = np.ones(2)
    with pytest.raises(ShapeError, match=r"use (gradient or )?jacobian"):
        dm.derivative(np.sum, method=name)(x)
    with pytest.raises(ShapeError, match="scalar result"):
        dm.gradient(np.sin, method=name)(x)
    with pytest.raises(ShapeError, match=r"v has shape \(3,\), but x has shape \(2,\)"):
        dm.jvp(np.sin, method=name)(x, np.ones(3))
    with pytest.raises(
        ShapeError, match=r"w has shape \(3,\), but f\(x\) has shape \(2,\)"
    ):
        dm.vjp(np.sin, method=name)(x, np.ones(3))


@pytest.mark.parametrize(
    "operator", [dm.derivative, dm.gradient, dm.jacobian, dm.jvp, dm.hvp]
)
def test_wrong_words_are_refused(operator):
    with pytest.raises(UnknownMethodError, match="did you mean 'central_difference'"):
        operator(np.sin, method="cental_difference")
    with pytest.raises(InputError, match="not derivative"):
        operator(np.sin(1.0))
    with pytest.raises(OptionError, match=r"no option 'stp'; did you mean 'step'"):
        operator(np.sin, method="central_difference", stp=1.0)


@pytest.mark.parametrize("order", [0, -1, 1.5, True, "2"])
def test_orders_are_whole_numbers_from_one(order):
    with pytest.raises(OptionError, match="whole number from 1"):
        dm.derivative(np.sin, order=order)


@pytest.mark.parametrize(
    "x",
    ["1", None, object(), np.array(["a"]), np.array([1, None])],
    ids=["text", "None", "object", "array of text", "array of objects"],
)
def test_points_are_numbers(x):
    with pytest.raises(InputError, match="must hold numbers"):
        dm.derivative(np.sin)(x)


@pytest.mark.parametrize("name", METHODS)
def test_complex_points(name):
    if not dm.get_method(name).complex_points:
        with pytest.raises(InputError, match="takes real points"):
            dm.derivative(np.exp, method=name)(1j)
        return
    z = np.array([1 + 1j, -0.5 + 0.2j])
    got = dm.derivative(lambda z: z * np.exp(z) + np.tanh(z), method=name)(z)
    want = (1 + z) * np.exp(z) + 1 / np.cosh(z) ** 2
    np.testing.assert_allclose(got, want, rtol=tolerance(name))
    for f in (np.abs, np.conjugate, np.real, lambda z: z * np.imag(z)):
        with pytest.raises(NotDifferentiableError):
            dm.derivative(f, method=name)(1 + 1j)


@pytest.mark.parametrize("name", METHODS)
def test_branching_on_an_array_is_explained(name):
    with pytest.raises(InputError, match=r"np\.where"):
        dm.derivative(lambda x: x if x > 0 else -x, method=name)(np.array([1.0, 2.0]))


@given(
    x=hnp.arrays(
        float, hnp.array_shapes(max_dims=2, max_side=3), elements=st.floats(-2, 2)
    ),
    a=st.floats(-3, 3),
    b=st.floats(-3, 3),
)
def test_derivatives_are_linear(x, a, b):
    f, g = np.sin, np.exp
    both = dm.derivative(lambda x: a * f(x) + b * g(x))(x)
    np.testing.assert_allclose(
        both, a * np.cos(x) + b * np.exp(x), rtol=1e-13, atol=1e-13
    )


@given(
    x=hnp.arrays(float, 3, elements=st.floats(-2, 2)),
    v=hnp.arrays(float, 3, elements=st.floats(-2, 2)),
)
def test_products_agree_with_the_jacobian(x, v):
    f = lambda x: np.stack([x[0] * x[1], np.sin(x[2])])
    w = np.array([1.5, -0.5])
    jacobian = dm.jacobian(f)(x)
    np.testing.assert_allclose(dm.jvp(f)(x, v), jacobian @ v, atol=1e-12)
    np.testing.assert_allclose(dm.vjp(f)(x, w), w @ jacobian, atol=1e-12)


def test_a_result_that_changes_its_shape_is_refused():
    f = lambda x: x[x > 1.0]
    with pytest.raises(ShapeError, match="changes the shape"):
        dm.jacobian(f, method="forward_difference", step=0.5)(np.array([0.7, 2.0]))


@pytest.mark.parametrize("method", METHODS)
def test_a_masked_array_is_refused(method):
    """Its mask would be lost on the way."""
    masked = np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, True, False])
    ones = np.ones(3)
    words = r"masked array.*\.filled\(np\.nan\)"
    for operator in (dm.derivative, dm.value_and_derivative):
        with pytest.raises(InputError, match=words):
            operator(lambda x: x**2, method=method)(masked)
    g = lambda x: np.sum(x**2)
    for operator in (dm.gradient, dm.jacobian, dm.value_and_gradient):
        with pytest.raises(InputError, match=words):
            operator(g, method=method)(masked)
    for operator in (dm.jvp, dm.vjp):
        with pytest.raises(InputError, match=words):
            operator(lambda x: x**2, method=method)(masked, ones)
        with pytest.raises(InputError, match=words):
            operator(lambda x: x**2, method=method)(ones, masked)


def test_a_masked_array_is_refused_wherever_a_point_is_taken():
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    for run in (
        lambda: dm.taylor(np.sin, masked, 2),
        lambda: dm.sparse_jacobian(np.sin)(masked),
        lambda: dm.check_gradient(np.sum, masked),
        lambda: dm.hessian(np.sum)(masked),
        lambda: dm.hvp(np.sum)(np.ones(2), masked),
    ):
        with pytest.raises(InputError, match="masked array"):
            run()


def test_what_is_proven_elementwise_is_not_looked_at_again():
    """Methods that show f stand-ins ask one; a black box gets numbers alone."""
    x = np.linspace(0.1, 1, 5)
    for method, wanted in (("taylor_series", []), ("chebyshev", [(5,), (1,), (1,)])):
        shapes = []

        def f(z, shapes=shapes):
            if type(z) is np.ndarray:
                shapes.append(z.shape)
            return np.sin(z) * z

        df = dm.derivative(f, method=method, order=3)(x)
        np.testing.assert_allclose(df, -3 * np.sin(x) - x * np.cos(x), rtol=1e-7)
        assert shapes[-3:] == wanted
    with pytest.raises(ShapeError, match="depends on other items"):
        dm.derivative(lambda z: z**3 / np.max(z), order=2)(x)
