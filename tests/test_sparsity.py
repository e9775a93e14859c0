"""Sparse derivatives: equal to the dense ones, and never wrong without an error."""

import importlib
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffmethods as dm
from diffmethods.errors import (
    InputError,
    MissingLibraryError,
    OptionError,
    ShapeError,
    SparsityError,
)
from diffmethods.problems import PROBLEMS, rosenbrock

sparse = pytest.importorskip("scipy.sparse")
optimize = pytest.importorskip("scipy.optimize")
jacobian_pattern = importlib.import_module("diffmethods.dependence").jacobian_pattern

METHODS = dm.list_methods()
EXACT = [name for name in METHODS if dm.get_method(name).exact]
OF_MANY = [p for p in PROBLEMS.values() if p.gradient or p.jacobian]
TRIDIAGONAL = np.eye(6, dtype=bool) | np.eye(6, k=1, dtype=bool)
TRIDIAGONAL |= TRIDIAGONAL.T


def point(*shape):
    return np.random.default_rng(sum(shape)).uniform(-1.2, 1.2, shape)


def close(got, want, rtol=1e-9):
    got = got.toarray() if sparse.issparse(got) else got
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * np.abs(want).max())


# Programs at random: each step keeps the dependence local, or now and then mixes more.

STEPS = {
    "sin": lambda y, k: np.sin(y),
    "exp": lambda y, k: np.exp(0.1 * y),
    "square": lambda y, k: 0.5 * y**2,
    "neighbour": lambda y, k: y * np.roll(y, k),
    "difference": lambda y, k: y + 0.5 * np.concatenate([np.diff(y), y[:1]]),
    "mask": lambda y, k: y * (np.arange(len(y)) % (k + 2) > 0),
    "choice": lambda y, k: np.where(y > 0.1, y, 0.3 * y[::-1]),
    "greater": lambda y, k: np.maximum(y, 0.2 * np.roll(y, -k)),
    "stencil": lambda y, k: np.convolve(y, [0.2, 0.0, 0.5], "same")[: len(y)],
    "pairs": lambda y, k: y + np.repeat(y[: len(y) // 2], 2).sum() * (k == 4),
    "branch": lambda y, k: y * y[0] if y[-1] > 0 else y,
    "strided": lambda y, k: np.concatenate([y[::2], y[1::2] * 2.0]),
    "matrix": lambda y, k: (np.eye(len(y)) + np.eye(len(y), k=k)) @ y,
    "item": lambda y, k: np.concatenate([y[:1] * y[-1], y[1:]]),
}


@st.composite
def programs(draw):
    """A function from a vector to one of the same length, and a point."""
    steps = draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(STEPS)), st.integers(1, 4)), max_size=5
        )
    )
    n = draw(st.integers(3, 12) | st.integers(13, 200))
    seed = draw(st.integers(0, 2**32 - 1))

    def f(x):
        for name, k in steps:
            x = STEPS[name](x, k)
        return x

    return f, np.random.default_rng(seed).uniform(-1, 1, n)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_jacobian_of_a_program(program):
    f, x = program
    want = dm.jacobian(f)(x)
    pattern, _ = jacobian_pattern(f, x)
    assert not ((want != 0) & ~pattern.toarray()).any()
    close(dm.sparse_jacobian(f)(x), want)
    close(dm.jacobian(f, method="reverse_tape", sparsity="detect")(x), want)
    close(dm.jacobian(f, method="numpy_source", sparsity=pattern)(x), want)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_hessian_of_a_program(program):
    f, x = program

    def total(z):
        return np.sum(f(z)[1:] * z[:-1])

    want = dm.hessian(total, method="reverse_tape")(x)
    got = dm.sparse_hessian(total)(x)
    close(got, want)
    close(got, got.T.toarray(), 1e-14)
    close(dm.hessian(total, method="numpy_source", sparsity="detect")(x), want)


@settings(max_examples=30, deadline=None)
@given(programs(), st.integers(0, 2**32 - 1))
def test_a_pattern_that_misses_an_item_is_refused(program, seed):
    f, x = program
    want = dm.jacobian(f)(x)
    large = np.argwhere(np.abs(want) > 1e-6 * np.abs(want).max(initial=0.0))
    if not len(large):
        return
    i, j = np.random.default_rng(seed).choice(large)
    pattern = jacobian_pattern(f, x)[0].toarray()
    pattern[i, j] = False
    for method in ("dual_numbers", "reverse_tape"):
        derivative = dm.jacobian(f, method=method, sparsity=pattern)
        try:
            got = derivative(x)  # so full that nothing can be saved
        except SparsityError:
            continue
        close(got, want)


# All methods, shapes and kinds of results


@pytest.mark.parametrize("name", METHODS)
def test_jacobian_by_every_method(name):
    def f(x):
        return x[1:] * x[:-1] ** 2

    x = point(6)
    want = np.eye(5, 6) * (2 * x[1:] * x[:-1])[:, None]
    want += np.eye(5, 6, 1) * (x[:-1] ** 2)[:, None]
    rtol = max(1e-12, 100 * dm.get_method(name).rtol)
    close(dm.jacobian(f, method=name, sparsity="detect")(x), want, rtol)
    got = dm.sparse_jacobian(f, method=name)(x)
    assert isinstance(got, sparse.csr_array)
    close(got, want, rtol)


@pytest.mark.parametrize("name", METHODS)
def test_hessian_by_every_method(name):
    def f(x):
        return np.sum(x[1:] * x[:-1] ** 2)

    x = point(6)
    want = np.diag(2 * np.append(x[1:], 0))
    want += np.diag(2 * x[:-1], 1) + np.diag(2 * x[:-1], -1)
    if dm.get_method(name).max_order == 1:
        with pytest.raises(OptionError, match="order"):
            dm.sparse_hessian(f, method=name)
        return
    rtol = 1e-12 if dm.get_method(name).exact else 1e-3
    close(dm.hessian(f, method=name, sparsity="detect")(x), want, rtol)
    close(dm.sparse_hessian(f, method=name)(x), want, rtol)


@pytest.mark.parametrize("problem", OF_MANY, ids=lambda p: p.name)
@pytest.mark.parametrize("name", ["dual_numbers", "reverse_tape", "jax"])
def test_the_problem_set(problem, name):
    operator = dm.jacobian
    dense = operator(problem.f, method=name)(problem.at)
    got = operator(problem.f, method=name, sparsity="detect")(problem.at)
    assert np.shape(got) == np.shape(dense)
    close(got, dense)


def padded(x):
    return np.concatenate([x * x[:, :1], x[:1]])[..., None]


@pytest.mark.parametrize("name", ["dual_numbers", "reverse_tape", "numpy_source"])
def test_any_shape(name):
    x = point(3, 4)
    want = dm.jacobian(padded, method=name)(x)
    got = dm.jacobian(padded, method=name, sparsity="detect")(x)
    assert got.shape == want.shape == (4, 4, 1, 3, 4)
    close(got, want)
    assert dm.sparse_jacobian(padded, method=name)(x).shape == (16, 12)
    total = lambda z: np.sum(padded(z) ** 2)
    want = dm.hessian(total, method=name)(x)
    got = dm.hessian(total, method="reverse_tape", sparsity="detect")(x)
    assert got.shape == want.shape == (3, 4, 3, 4)
    close(got, want)


@pytest.mark.parametrize("x", [2.0, np.zeros(0), np.zeros((0, 3))], ids=np.shape)
def test_numbers_and_nothing(x):
    size = np.size(x)
    got = dm.jacobian(np.sin, sparsity="detect")(x)
    assert np.shape(got) == np.shape(x) * 2
    assert dm.sparse_jacobian(np.sin)(x).shape == (size, size)
    total = lambda z: np.sum(z**3)
    assert np.shape(dm.hessian(total, sparsity="detect")(x)) == np.shape(x) * 2
    assert dm.sparse_hessian(total)(x).shape == (size, size)


@pytest.mark.parametrize("name", ["dual_numbers", "reverse_tape"])
def test_complex_values(name):
    f = lambda x: np.exp(1j * x) * x
    want = np.diag(np.exp(1j * point(5)) * (1 + 1j * point(5)))
    close(dm.jacobian(f, method=name, sparsity="detect")(point(5)), want)


def test_a_constant_and_a_linear_function():
    assert dm.sparse_jacobian(lambda x: np.ones(3))(point(5)).nnz == 0
    assert dm.sparse_hessian(np.sum)(point(5)).nnz == 0


def test_more_rows_than_columns_and_the_other_way():
    """A method with both products takes the fewer: a column here, a row there."""
    tall = lambda x: np.concatenate([np.sin(x * k) for k in range(1, 6)])
    flat = lambda x: x.reshape(2, -1).sum(axis=1) ** 2
    x = point(10)
    for f, most in ((tall, 1), (flat, 1)):
        compressed = dm.sparse_jacobian(f, method="reverse_tape")
        close(compressed(x), dm.jacobian(f)(x))
        derivative = compressed.__wrapped__.__self__
        assert len(derivative.known[x.shape].seeds) == most + 1


# Branches, and patterns that are wrong


def fold(x):
    """The items that depend on the first depend on which of the two is larger."""
    return x * x[0] if x[0] > x[1] else x * np.roll(x, 1)


@pytest.mark.parametrize("method", ["dual_numbers", "reverse_tape", "numpy_source"])
def test_a_new_branch_is_detected(method):
    derivative = dm.jacobian(fold, method=method, sparsity="detect")
    for x in (point(8), -point(8), point(8), np.arange(8.0), -np.arange(8.0)):
        close(derivative(x), dm.jacobian(fold)(x))


def test_a_new_branch_of_a_hessian_is_detected():
    total = lambda x: np.sum(fold(x) ** 2)
    derivative = dm.sparse_hessian(total)
    for x in (point(8), -point(8), np.arange(8.0), -np.arange(8.0)):
        close(derivative(x), dm.hessian(total, method="reverse_tape")(x))


def test_what_was_learned_is_kept():
    calls = []

    def f(x):
        calls.append(type(x).__name__)
        return np.diff(x) * (x[1:] if x[0] > 0 else x[0])

    derivative = dm.sparse_jacobian(f)
    for sign in (1, 1, -1, -1, 1, -1):
        close(
            derivative(sign * np.arange(1.0, 9)),
            dm.jacobian(f)(sign * np.arange(1.0, 9)),
        )
    assert calls.count("Dependence") == 2


@pytest.mark.parametrize("method", ["dual_numbers", "reverse_tape"])
def test_another_shape_of_the_result_is_detected(method):
    f = lambda x: x[x > 0] ** 2
    derivative = dm.jacobian(f, method=method, sparsity="detect")
    for x in (np.arange(-3.0, 5.0), np.arange(-5.0, 3.0), -np.arange(1.0, 9.0)):
        close(derivative(x), dm.jacobian(f)(x)) if (x > 0).any() else derivative(x)


@pytest.mark.parametrize("method", ["dual_numbers", "reverse_tape"])
def test_a_constant_of_another_shape(method):
    f = lambda x: np.ones(3) if x[0] > 0 else np.ones(5) + 0 * x[:5]
    derivative = dm.jacobian(f, method=method, sparsity="detect")
    assert derivative(np.ones(6)).shape == (3, 6)
    assert derivative(-np.ones(6)).shape == (5, 6)
    given = dm.jacobian(f, method=method, sparsity=np.zeros((3, 6)))
    assert given(np.ones(6)).shape == (3, 6)
    with pytest.raises((SparsityError, ShapeError)):
        given(-np.ones(6))


def test_a_given_pattern_with_a_branch_that_it_does_not_know():
    known = np.eye(8) + np.eye(8, k=-1) + np.eye(8, k=7)
    derivative = dm.jacobian(fold, method="dual_numbers", sparsity=known)
    close(derivative(np.arange(8.0)), dm.jacobian(fold)(np.arange(8.0)))
    with pytest.raises(SparsityError, match=r"misses an item .* row 2 and 5 more"):
        derivative(-np.arange(8.0) - 1)


@pytest.mark.parametrize(
    ("operator", "f", "line"),
    [
        (dm.jacobian, lambda x: x * np.roll(x, 1), "row 0"),
        (dm.sparse_jacobian, lambda x: x * np.roll(x, 1), "row 0"),
        (dm.hessian, lambda x: np.sum(x**2) + x[0] * x[-1], "row 0"),
        (dm.sparse_hessian, lambda x: np.sum(x**2) + x[0] * x[-1], "row 0"),
    ],
)
def test_a_missing_item(operator, f, line):
    with pytest.raises(SparsityError, match=f"misses an item.*{line}"):
        operator(f, method="numpy_source", sparsity=TRIDIAGONAL)(point(6))


def test_a_missing_item_by_rows():
    f = lambda x: np.stack([x[0] * x[5], x[1] * x[4], x[2] * x[5]])
    pattern = np.zeros((3, 6))
    pattern[0, [0, 5]] = pattern[1, [1, 4]] = pattern[2, 2] = 1
    with pytest.raises(SparsityError, match="column 5;"):
        dm.jacobian(f, method="reverse_tape", sparsity=pattern)(point(6))


def test_a_small_item_beside_large_ones_is_missed_by_nobody():
    """A row of its own scale: 1e-8 beside rows of 1e6."""
    scales = np.logspace(-8, 6, 6)
    f = lambda x: scales * x * np.roll(x, 2)
    close(dm.jacobian(f, sparsity="detect")(point(6)), dm.jacobian(f)(point(6)))
    with pytest.raises(SparsityError, match="row 0 and 5 more"):
        dm.jacobian(f, method="dual_numbers", sparsity=np.eye(6))(point(6))


@pytest.mark.parametrize(
    "pattern",
    [
        TRIDIAGONAL,
        TRIDIAGONAL.astype(float),
        TRIDIAGONAL.tolist(),
        np.triu(TRIDIAGONAL),
        sparse.csc_array(TRIDIAGONAL),
        sparse.coo_matrix(TRIDIAGONAL),
        np.ones((6, 6)),
    ],
    ids=["bool", "float", "list", "triangle", "csc", "coordinates", "full"],
)
def test_a_given_pattern(pattern):
    x = point(6)
    want = dm.hessian(rosenbrock, method="reverse_tape")(x)
    close(dm.sparse_hessian(rosenbrock, sparsity=pattern)(x), want)
    got = dm.hessian(rosenbrock, method="reverse_tape", sparsity=pattern)(x)
    close(got, want)


def test_explicit_zeros_are_no_items():
    pattern = sparse.csr_array(np.ones((6, 6)))
    pattern.data[:] = TRIDIAGONAL.ravel()
    got = dm.sparse_hessian(rosenbrock, sparsity=pattern)(point(6))
    assert got.nnz == TRIDIAGONAL.sum()


@pytest.mark.parametrize("operator", [dm.jacobian, dm.sparse_jacobian])
@pytest.mark.parametrize("shape", [(5, 6), (6, 5), (1, 36)])
def test_a_pattern_of_the_wrong_shape(operator, shape):
    with pytest.raises(ShapeError, match="has 6 rows and 6 columns"):
        operator(np.sin, sparsity=np.ones(shape))(point(6))


@pytest.mark.parametrize("wrong", ["dtect", np.ones(6), np.array([["a"]]), None])
def test_what_is_no_pattern(wrong):
    with pytest.raises(SparsityError, match=r"sparsity"):
        dm.sparse_jacobian(np.sin, sparsity=wrong)


@pytest.mark.parametrize("sparsity", ["detect", np.eye(6)])
def test_a_hessian_is_of_a_scalar(sparsity):
    for operator in (dm.hessian, dm.sparse_hessian):
        with pytest.raises(ShapeError, match="scalar"):
            operator(np.sin, method="reverse_tape", sparsity=sparsity)(point(6))


def test_wrong_arguments_are_refused_at_once():
    with pytest.raises(InputError, match="f must be a function"):
        dm.sparse_jacobian(3.0)
    with pytest.raises(OptionError, match="has no option"):
        dm.sparse_jacobian(np.sin, stp=1e-3)


def test_nan_stays_where_it_is():
    f = lambda x: np.sqrt(x) * np.roll(x, 1)
    x = np.array([1.0, -1.0, 2.0, 3.0, 4.0, 5.0])
    with np.errstate(invalid="ignore"):
        want = dm.jacobian(f)(x)
        got = dm.jacobian(f, sparsity="detect")(x)
        np.testing.assert_allclose(got[[0, 3, 4, 5]], want[[0, 3, 4, 5]], rtol=1e-14)
        assert np.isnan(got[1]).any()
        assert not np.isnan(got[[0, 3, 4, 5]]).any()


def test_rounding_alone_does_not_refuse():
    """Items that cancel leave noise, on which no two products agree."""
    a = np.diag(np.full(8, 1 / 3)) + np.diag(np.full(7, 1 / 7), 1)
    f = lambda x: (a @ x) * 3.0 - x - (3 / 7) * np.append(x[1:], 0.0) + 0 * x[::-1]
    got = dm.jacobian(f, sparsity="detect")(point(8))
    assert np.abs(got).max() < 1e-15
    assert dm.sparse_jacobian(f)(point(8)).shape == (8, 8)


def test_noise_in_f_gives_the_whole_matrix_or_an_error(monkeypatch):
    random = np.random.default_rng(1)
    f = lambda x: x * random.uniform(1, 2)
    got = dm.jacobian(f, method="numpy_source", sparsity="detect")(point(8))
    assert np.count_nonzero(got - np.diag(np.diag(got))) == 0
    monkeypatch.setattr("diffmethods.sparsity.DENSE", 10)
    with pytest.raises(SparsityError, match="same function at each call"):
        dm.jacobian(f, method="central_difference", sparsity="detect")(point(8))


# Inside other derivatives, other libraries, and SciPy's solvers


def test_inside_another_derivative():
    """There the whole matrix is taken, which nests as it does without a pattern."""
    inner = lambda z: np.sum(dm.jacobian(lambda y: y**3, sparsity="detect")(z))
    close(dm.gradient(inner, method="reverse_tape")(point(4)), 6 * point(4))

    def around(t):
        return np.sum(dm.jacobian(lambda y: t * y**2, sparsity="detect")(point(4)))

    close(dm.derivative(around)(2.0), 2 * np.sum(point(4)))
    with pytest.raises(InputError, match="inside another derivative"):
        dm.gradient(lambda z: dm.sparse_jacobian(np.sin)(z)[0, 0])(point(4))
    with pytest.raises(InputError, match="inside another derivative"):
        dm.derivative(lambda t: dm.sparse_jacobian(lambda y: t * y)(point(4)))(1.0)


def test_a_function_of_another_library_needs_a_pattern():
    jnp = pytest.importorskip("jax.numpy")
    f = lambda x: jnp.tanh(x) * x
    want = dm.jacobian(lambda x: np.tanh(x) * x)(point(6))
    got = dm.jacobian(f, method="jax", sparsity=np.eye(6))(point(6))
    close(got, want)
    with pytest.raises(SparsityError, match="give it as sparsity="):
        dm.jacobian(f, method="jax", sparsity="detect")(point(6))


def test_a_rule_of_your_own_blends_its_arguments():
    box = dm.custom_rule(
        lambda x: np.array([x[0] * x[1], x[2]]),
        jacobian=lambda y, x: np.array([[x[1], x[0], 0.0], [0.0, 0.0, 1.0]]),
    )
    f = lambda x: np.concatenate([box(x[:3]), x[3:] ** 2])
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    assert jacobian_pattern(f, x)[0].nnz == 2 * 3 + 4
    close(dm.sparse_jacobian(f)(x), dm.jacobian(f)(x))
    hessian = dm.sparse_hessian(lambda x: np.sum(f(x)))(x).toarray()
    want = np.diag([0.0, 0, 0, 2, 2, 2, 2])
    want[0, 1] = want[1, 0] = 1
    close(hessian, want)


def test_options_reach_the_method():
    got = dm.sparse_jacobian(np.sin, method="central_difference", step=0.5)(point(6))
    want = dm.jacobian(np.sin, method="central_difference", step=0.5)(point(6))
    close(got, want, 1e-15)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-constr"])
def test_scipy_minimizes_with_a_sparse_hessian(method):
    found = optimize.minimize(
        rosenbrock,
        np.full(50, 0.5),
        method=method,
        jac=dm.gradient(rosenbrock, method="reverse_tape"),
        hess=dm.sparse_hessian(rosenbrock),
        options={"xtol": 1e-12},
    )
    np.testing.assert_allclose(found.x, 1.0, atol=1e-4)


def test_scipy_solves_least_squares_with_a_sparse_jacobian():
    f = lambda x: np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])
    jac = dm.sparse_jacobian(f)
    found = optimize.least_squares(f, np.full(50, 0.5), jac=jac, tr_solver="lsmr")
    np.testing.assert_allclose(found.x, 1.0, atol=1e-6)


def test_ten_thousand_variables():
    x = point(10_000)
    hessian = dm.sparse_hessian(rosenbrock)(x)
    inner = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal = np.append(inner, 0) + np.append(0, np.full(9_999, 200.0))
    np.testing.assert_allclose(hessian.diagonal(), diagonal, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(hessian.diagonal(1), -400 * x[:-1], rtol=1e-12)


def test_without_scipy(monkeypatch):
    for name in ("sparsity", "dependence"):
        monkeypatch.delitem(sys.modules, f"diffmethods.{name}", raising=False)
    monkeypatch.delattr("diffmethods.sparsity", raising=False)
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(MissingLibraryError, match=r"diffmethods\[sparse\]"):
        dm.jacobian(np.sin, sparsity="detect")
    with pytest.raises(MissingLibraryError, match=r"diffmethods\[sparse\]"):
        dm.sparse_hessian(np.sum)
