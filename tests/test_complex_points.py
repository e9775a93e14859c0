"""Complex points: derivatives of holomorphic functions, and no others."""

import mpmath as mp
import numpy as np
import pytest
from installed import METHODS

import diffmethods as dm
from diffmethods import rules
from diffmethods.errors import (
    InputError,
    MissingRuleError,
    NotDifferentiableError,
    ShapeError,
)
from diffmethods.source import to_source

special = pytest.importorskip("scipy.special")
from diffmethods.special import PARTIALS as SPECIAL  # noqa: E402

TAKING = [name for name in METHODS if dm.get_method(name).complex_points]
EXACT = [name for name in TAKING if dm.get_method(name).exact]


def each(names, values):
    return pytest.mark.parametrize(names, values)


def test_all_that_follow_numpys_calls_take_them():
    assert EXACT == ["dual_numbers", "numpy_source", "reverse_tape", "taylor_series"]


# Elementary functions, on both sides of their branch cuts, near 0 and far out.

POINTS = [0.3 + 0.4j, -1.2 + 0.7j, 1.7 - 2.3j, -0.6 - 0.2j, 0.01 - 0.02j, 1e-7 + 1e-7j]
POINTS += [3 + 20j, 20 + 3j, -0.2 + 18j]


def by_erfc(function):
    return lambda z: function(mp.erfc(-z / mp.sqrt(2)) / 2)


ELEMENTARY = {
    np.negative: lambda z: -z,
    np.positive: lambda z: z,
    np.reciprocal: lambda z: 1 / z,
    np.square: lambda z: z * z,
    np.sqrt: mp.sqrt,
    np.exp: mp.exp,
    np.exp2: lambda z: mp.power(2, z),
    np.expm1: lambda z: mp.exp(z) - 1,
    np.log: mp.log,
    np.log2: lambda z: mp.log(z) / mp.log(2),
    np.log10: lambda z: mp.log(z) / mp.log(10),
    np.log1p: lambda z: mp.log(1 + z),
    np.sin: mp.sin,
    np.cos: mp.cos,
    np.tan: mp.tan,
    np.arcsin: mp.asin,
    np.arccos: mp.acos,
    np.arctan: mp.atan,
    np.sinh: mp.sinh,
    np.cosh: mp.cosh,
    np.tanh: mp.tanh,
    np.arcsinh: mp.asinh,
    np.arccosh: mp.acosh,
    np.arctanh: mp.atanh,
    np.sinc: lambda z: mp.sin(mp.pi * z) / (mp.pi * z),
    special.erf: mp.erf,
    special.erfc: mp.erfc,
    special.erfcx: lambda z: mp.exp(z * z) * mp.erfc(z),
    special.ndtr: by_erfc(lambda z: z),
    special.log_ndtr: by_erfc(mp.log),
    special.gamma: mp.gamma,
    special.expm1: lambda z: mp.exp(z) - 1,
    special.log1p: lambda z: mp.log(1 + z),
}
WITHOUT_A_RULE = {special.psi}  # SciPy's zeta, its slope, is real


def test_every_function_of_one_complex_number_is_here():
    known = {f for f in {**rules.PARTIALS, **SPECIAL} if isinstance(f, np.ufunc)}
    of_complex = {f for f in known if "D->D" in f.types} | {np.sinc}
    assert of_complex == {*ELEMENTARY} | WITHOUT_A_RULE


def by_mpmath(f, z, order=1):
    with mp.workdps(250):
        return complex(mp.diff(f, mp.mpc(z), order))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # far out some slopes underflow
@each("method", EXACT)
@each(
    "function",
    ELEMENTARY,
)
def test_elementary_functions(function, method):
    exact = ELEMENTARY[function]
    df = dm.derivative(function, method=method)
    for z in POINTS:
        assert df(z) == pytest.approx(by_mpmath(exact, z), rel=2e-13, abs=0)
    near = np.array(POINTS[:4])
    want = [by_mpmath(exact, z) for z in near]
    np.testing.assert_allclose(df(near), want, rtol=2e-13)
    second = dm.derivative(function, method=method, order=2)
    if function is special.gamma:  # whose second derivative takes that of psi
        return
    want = [by_mpmath(exact, z, 2) for z in near]
    np.testing.assert_allclose(second(near), want, rtol=1e-11, atol=1e-12)


@each("method", EXACT)
def test_what_has_no_rule_there(method):
    for f in (special.psi, lambda z: special.ive(1.0, z)):
        with pytest.raises(MissingRuleError, match="by a complex argument"):
            dm.derivative(f, method=method)(0.3 + 0.4j)


PAIRS = {
    "multiply": (np.multiply, lambda a, b: a * b),
    "divide": (np.divide, lambda a, b: a / b),
    "subtract": (np.subtract, lambda a, b: a - b),
    "power": (np.power, mp.power),
    "float_power": (np.float_power, mp.power),
    "xlogy": (special.xlogy, lambda a, b: a * mp.log(b)),
    "xlog1py": (special.xlog1py, lambda a, b: a * mp.log(1 + b)),
    "jv": (lambda a, b: a + special.jv(1.5, b), lambda a, b: a + mp.besselj(1.5, b)),
    "yv": (lambda a, b: a + special.yv(1.5, b), lambda a, b: a + mp.bessely(1.5, b)),
    "iv": (lambda a, b: a + special.iv(1.5, b), lambda a, b: a + mp.besseli(1.5, b)),
    "kv": (lambda a, b: a + special.kv(1.5, b), lambda a, b: a + mp.besselk(1.5, b)),
}


@each("method", EXACT)
@each("name", PAIRS)
def test_functions_of_two_numbers(name, method):
    function, exact = PAIRS[name]
    grad = dm.gradient(lambda z: function(z[0], z[1]), method=method)
    for point in ([0.3 + 0.4j, -1.2 + 0.7j], [1.7 - 2.3j, 0.6 + 0.2j]):
        with mp.workdps(40):
            a, b = map(mp.mpc, point)
            want = [complex(mp.diff(exact, (a, b), n)) for n in ((1, 0), (0, 1))]
        np.testing.assert_allclose(grad(np.array(point)), want, rtol=1e-13)


# Programs on arrays, each with its slope along a direction, by the textbook.

RNG = np.random.default_rng(7)


def numbers(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


A, B, Z, z, b = numbers(3, 3), numbers(3, 3), numbers(3, 3), numbers(3), numbers(3)
MASK = np.array([True, False, True])
inv, solve = np.linalg.inv, np.linalg.solve

PROGRAMS = {
    "matrix times vector": (lambda x: A @ x, z, lambda x, v: A @ v),
    "quadratic form": (lambda x: x @ A @ x, z, lambda x, v: v @ A @ x + x @ A @ v),
    "matrix products": (
        lambda x: x @ A @ x,
        Z,
        lambda x, v: v @ A @ x + x @ A @ v,
    ),
    "solve for a vector": (
        lambda x: solve(x, b),
        Z,
        lambda x, v: -solve(x, v @ solve(x, b)),
    ),
    "solve for a matrix": (
        lambda x: solve(A, x.T @ x),
        Z,
        lambda x, v: solve(A, v.T @ x + x.T @ v),
    ),
    "inverse": (inv, Z, lambda x, v: -inv(x) @ v @ inv(x)),
    "determinant": (
        np.linalg.det,
        Z,
        lambda x, v: np.linalg.det(x) * np.trace(inv(x) @ v),
    ),
    "logarithm of a determinant": (
        lambda x: np.log(np.linalg.slogdet(x)[0]) + np.linalg.slogdet(x)[1],
        Z,
        lambda x, v: np.trace(inv(x) @ v),
    ),
    "power of a matrix": (
        lambda x: np.linalg.matrix_power(x, 3),
        Z,
        lambda x, v: v @ x @ x + x @ v @ x + x @ x @ v,
    ),
    "sum": (lambda x: np.sum(x**3, axis=1), Z, lambda x, v: (3 * x * x * v).sum(1)),
    "mean": (lambda x: np.mean(x**2), z, lambda x, v: np.mean(2 * x * v)),
    "product": (np.prod, z, lambda x, v: np.prod(x) * np.sum(v / x)),
    "product with a zero": (
        np.prod,
        np.array([0, 1 + 2j, 3j]),
        lambda x, v: v[0] * x[1] * x[2],
    ),
    "cumulative sum": (
        lambda x: np.cumsum(x * x),
        z,
        lambda x, v: np.cumsum(2 * x * v),
    ),
    "indices": (
        lambda x: x[1:] * x[:-1] + x[[0, 0]],
        z,
        lambda x, v: v[1:] * x[:-1] + x[1:] * v[:-1] + v[[0, 0]],
    ),
    "broadcasting": (
        lambda x: x[:, None] * np.exp(x) + B,
        z,
        lambda x, v: v[:, None] * np.exp(x) + x[:, None] * np.exp(x) * v,
    ),
    "einsum": (
        lambda x: np.einsum("ij,jk,ki->", x, A, x) ** 2,
        Z,
        lambda x, v: 2 * np.trace(x @ A @ x) * np.trace(v @ A @ x + x @ A @ v),
    ),
    "where": (
        lambda x: np.where(MASK, x * x, np.sin(x)),
        z,
        lambda x, v: np.where(MASK, 2 * x, np.cos(x)) * v,
    ),
    "pieces put together": (
        lambda x: np.concatenate([np.stack([x, x * x]), x[None]]),
        z,
        lambda x, v: np.stack([v, 2 * x * v, v]),
    ),
    "Fourier transform": (
        lambda x: np.fft.fft(x**2),
        z,
        lambda x, v: np.fft.fft(2 * x * v),
    ),
    "convolution": (
        lambda x: np.convolve(x, x),
        z,
        lambda x, v: 2 * np.convolve(x, v),
    ),
    "outer product": (
        lambda x: np.outer(x, x * x),
        z,
        lambda x, v: np.outer(v, x * x) + np.outer(x, 2 * x * v),
    ),
    "an inner product without a conjugate": (
        lambda x: np.dot(x, b * x),
        z,
        lambda x, v: 2 * np.sum(b * x * v),
    ),
    "real and imaginary part of a holomorphic function": (
        lambda x: np.real(x * x) + 1j * np.imag(x * x),
        z,
        lambda x, v: 2 * x * v,
    ),
    "a conjugate that cancels": (
        lambda x: x * np.conj(x) / np.conj(x),
        z,
        lambda x, v: v,
    ),
    "a constant": (lambda x: np.array([1.0, 2.0]), z, lambda x, v: np.zeros(2)),
    "no items": (lambda x: x * x, np.zeros(0, complex), lambda x, v: 2 * x * v),
}


@each("method", TAKING)
@each("name", PROGRAMS)
def test_products_with_the_jacobian(name, method):
    """The vjp is that of the Jacobian, without a conjugate."""
    f, x, slope = PROGRAMS[name]
    y = f(x)
    rng = np.random.default_rng(1)
    v = rng.normal(size=x.shape) + 1j * rng.normal(size=x.shape)
    w = (rng.normal(size=y.shape) + 1j * rng.normal(size=y.shape))[()]
    columns = [slope(x, e.reshape(x.shape)) for e in np.eye(x.size)]
    jacobian = np.reshape(np.stack(columns, -1) if columns else [], y.shape + x.shape)
    rtol = 1e-11 if dm.get_method(method).exact else 1e-5
    for found, want in (
        (dm.jvp(f, method=method)(x, v), slope(x, v)),
        (dm.jacobian(f, method=method)(x), jacobian),
        (dm.vjp(f, method=method)(x, w), np.tensordot(w, jacobian, y.ndim)),
    ):
        assert found.dtype == complex
        size = np.max(np.abs(want), initial=1.0)
        np.testing.assert_allclose(found, want, rtol=0, atol=rtol * size)


@each("method", EXACT)
@each("name", PROGRAMS)
def test_programs_alike_by_all_methods(name, method):
    """Gradients and Hessians of the sum of squares, twice: numpy_source keeps those."""
    f, x, slope = PROGRAMS[name]
    g = lambda x: np.sum(f(x) * f(x))
    v = np.random.default_rng(1).normal(size=x.shape) * (1 + 0.5j)
    columns = [np.sum(2 * f(x) * slope(x, e.reshape(x.shape))) for e in np.eye(x.size)]
    want = np.reshape(columns, x.shape)
    second = dm.hessian(g, method="dual_numbers")(x)
    size = np.max(np.abs(second), initial=np.max(np.abs(want), initial=1.0))
    for _ in range(2):
        value, found = dm.value_and_gradient(g, method=method)(x)
        np.testing.assert_allclose(value, g(x), rtol=1e-13)
        np.testing.assert_allclose(found, want, rtol=0, atol=1e-11 * size)
        found = dm.hvp(g, method=method)(x, v)
        product = np.tensordot(second, v, x.ndim)
        np.testing.assert_allclose(found, product, rtol=0, atol=1e-11 * size)
        if x.ndim < 2 or method != "taylor_series":  # whose nests take long
            found = dm.hessian(g, method=method)(x)
            np.testing.assert_allclose(found, second, rtol=0, atol=1e-11 * size)


@each("method", TAKING)
def test_second_derivatives(method):
    def f(x):
        return np.sin(x[0]) * x[2] ** 2 + x[1] ** 3 * x[0]

    s, c = np.sin(z[0]), np.cos(z[0])
    want = np.array(
        [
            [-s * z[2] ** 2, 3 * z[1] ** 2, 2 * c * z[2]],
            [3 * z[1] ** 2, 6 * z[1] * z[0], 0],
            [2 * c * z[2], 0, 2 * s],
        ]
    )
    rtol = 1e-13 if dm.get_method(method).exact else 1e-3
    found = dm.hessian(f, method=method)(z)
    np.testing.assert_allclose(found, want, rtol=rtol, atol=rtol)
    found = dm.hvp(f, method=method)(z, b)
    np.testing.assert_allclose(found, want @ b, rtol=rtol)


# What is not holomorphic.

REFUSED = {
    "conj": lambda x: np.sum(x * np.conj(x[::-1])),
    "real": lambda x: np.sum(np.real(x)),
    "imag": lambda x: np.sum(x * np.imag(x)),
    "abs": lambda x: np.sum(np.abs(x)),
    "square of abs": lambda x: np.sum(np.abs(x) ** 2),
    "angle": lambda x: np.sum(np.angle(x)),
    "sign": lambda x: np.sum(np.sign(x)),
    "norm": np.linalg.norm,
    "var": np.var,
    "std": np.std,
    "vdot": lambda x: np.vdot(x, x),
    "vecdot": lambda x: np.vecdot(x, x),
    "real of a matrix": lambda x: np.trace(np.real(np.outer(x, x))),
    "abs of a determinant": lambda x: np.linalg.slogdet(np.outer(x, x) + A)[1],
    "hermitian eigenvalues": lambda x: np.linalg.eigvalsh(np.outer(x, x))[0],
    "real transform": lambda x: np.sum(np.fft.irfft(x) ** 2),
    "one item of several": lambda x: 10 * x[0] * x[1] + np.conj(x[2]),
}
OPERATORS = {
    "gradient": (dm.gradient, ()),
    "value_and_gradient": (dm.value_and_gradient, ()),
    "jacobian": (dm.jacobian, ()),
    "hessian": (dm.hessian, ()),
    "jvp": (dm.jvp, (b,)),
    "vjp": (dm.vjp, (1.0,)),
    "hvp": (dm.hvp, (b,)),
}


@each("method", TAKING)
@each("name", REFUSED)
def test_what_is_not_holomorphic_is_refused(name, method):
    for operator, others in OPERATORS.values():
        with pytest.raises(
            NotDifferentiableError, match=r"no complex derivative|not analytic"
        ):
            operator(REFUSED[name], method=method)(z, *others)


@each("method", EXACT)
def test_one_small_part_is_enough(method):
    f = lambda x: 1e6 * x[0] * x[1] + np.conj(x[2])
    with pytest.raises(NotDifferentiableError, match="no complex derivative"):
        dm.gradient(f, method=method)(z)


@each("method", EXACT)
def test_singular_values(method):
    f = lambda x: np.sum(np.linalg.svd(np.outer(x, x) + A, compute_uv=False))
    with pytest.raises((NotDifferentiableError, MissingRuleError)):
        dm.gradient(f, method=method)(z)


@each("method", TAKING)
@each("f", [np.conj, np.real, np.imag, np.abs, np.angle, np.sign])
def test_of_one_variable(f, method):
    for operator in (dm.derivative, dm.value_and_derivative):
        with pytest.raises(
            NotDifferentiableError, match=r"no complex derivative|not analytic"
        ):
            operator(f, method=method)(1 + 2j)


@each("method", EXACT)
def test_a_first_derivative_at_one_point_makes_no_second(method):
    """The slope of z conj(z) at 0 is 0 in every direction, and conj(z) has none."""
    f = lambda z: z * np.conj(z)
    assert dm.derivative(f, method=method)(0j) == 0
    with pytest.raises(NotDifferentiableError):
        dm.derivative(f, method=method, order=2)(0j)
    total = lambda z: np.sum(f(z))
    np.testing.assert_array_equal(dm.gradient(total, method=method)(0 * z), 0 * z)
    for operator, others in ((dm.hessian, ()), (dm.hvp, (b,))):
        with pytest.raises(NotDifferentiableError):
            operator(total, method=method)(0 * z, *others)


@each("method", EXACT)
def test_the_branch_taken(method):
    """NumPy orders complex numbers by their real parts first."""
    f = lambda z: np.where(np.real(z) > 0, z * z, 3 * z)
    df = dm.derivative(f, method=method)
    np.testing.assert_array_equal(df(np.array([1 + 1j, -1 + 1j])), [2 + 2j, 3])
    g = lambda z: z * z if z.real > 0 else 3 * z
    for z, want in ((1 + 1j, 2 + 2j), (-1 + 1j, 3), (2 + 1j, 4 + 2j)):
        assert dm.derivative(g, method=method)(z) == want


# Inside other derivatives, and at the edges of the interface.


@each("outer", EXACT)
@each("inner", EXACT)
def test_at_a_point_that_varies(inner, outer):
    """d/dt Re g_0(exp(it) z) where g = 3 z^2 is the gradient."""
    cubes, squares = (lambda x: np.sum(x**3)), (lambda x: np.sum(np.abs(x) ** 2))

    def first(f):
        grad = dm.gradient(f, method=inner)
        return lambda t: np.real(grad(np.exp(1j * t) * z)[0])

    want = np.real(6j * z[0] ** 2 * np.exp(0.6j))
    found = dm.derivative(first(cubes), method=outer)(0.3)
    np.testing.assert_allclose(found, want, rtol=1e-13)
    with pytest.raises(NotDifferentiableError):
        dm.derivative(first(squares), method=outer)(0.3)


@each("method", EXACT)
def test_nested_by_hand(method):
    twice = dm.jacobian(dm.gradient(lambda x: np.prod(x), method=method), method=method)
    want = [[0, z[2], z[1]], [z[2], 0, z[0]], [z[1], z[0], 0]]
    np.testing.assert_allclose(twice(z), want, rtol=1e-14)


@each("method", TAKING)
def test_a_real_point_wants_real_directions(method):
    with pytest.raises(InputError, match="v is complex, but x is real"):
        dm.jvp(np.sin, method=method)(np.ones(2), np.ones(2) * 1j)
    with pytest.raises(InputError, match="takes real points"):
        dm.vjp(np.sin, method=method)(np.ones(2), np.ones(2) * 1j)


@each("method", TAKING)
def test_real_directions_and_weights_serve_a_complex_point(method):
    rtol = 1e-14 if dm.get_method(method).exact else 1e-6
    for found in (
        dm.jvp(np.sin, method=method)(z, np.ones(3)),
        dm.vjp(np.sin, method=method)(z, np.ones(3)),
        dm.vjp(np.sin, method=method)(z.tolist(), [1, 1, 1]),
    ):
        np.testing.assert_allclose(found, np.cos(z), rtol=rtol)


@each("method", [name for name in METHODS if name not in TAKING])
def test_others_say_who_takes_them(method):
    for name in ("gradient", "value_and_gradient", "jacobian", "jvp", "vjp"):
        operator, others = OPERATORS[name]
        with pytest.raises(InputError, match=r"takes real points here.*reverse_tape"):
            operator(np.prod, method=method)(z, *others)


def test_a_running_sum_is_not_elementwise():
    with pytest.raises(ShapeError, match="depends on other items"):
        dm.value_and_derivative(np.cumsum)(np.ones(3))


# Source.


def test_source_of_a_complex_gradient():
    words = to_source(lambda z: np.sum(np.tanh(A[0] * z[1:2]) * z**2), z)
    space = {}
    exec(words, space)
    found = space["gradient"](z)
    t = np.tanh(A[0] * z[1])
    want = 2 * z * t
    want[1] += np.sum(A[0] * (1 - t * t) * z**2)
    np.testing.assert_allclose(found, want, rtol=1e-13)


def test_source_reads_like_that_of_real_numbers():
    words = to_source(lambda z: (2 - 1j) * z * np.exp(z), 1 + 2j)
    assert (
        words
        == '''\
import numpy as np


def derivative(z):
    """The derivative of f at each z."""
    z = np.positive(z, dtype=complex)
    if z.shape != ():
        raise ValueError(f"z must be a number, not an array of shape {z.shape}")
    t1 = np.exp(z)
    return (2.0 - 1.0j) * z * t1 + t1 * (2.0 - 1.0j)
'''
    )


def test_programs_of_real_and_of_complex_points_stay_apart():
    f = lambda x: np.sum(np.sqrt(x) * x)
    grad = dm.gradient(f, method="numpy_source")
    for _ in range(2):
        assert grad(np.array([4.0])) == 3.0
        assert grad(np.array([4.0])).dtype == float
        np.testing.assert_allclose(grad(np.array([-4.0 + 0j])), [3j], rtol=1e-15)
        for operator in (dm.jacobian, dm.hessian):
            at = operator(f, method="numpy_source")
            assert at(np.array([4.0])).dtype == float
            assert at(np.array([4.0 + 1j])).dtype == complex


def test_partial_derivatives_of_any_order():
    f = lambda x: x[0] ** 2 * np.exp(x[1])
    found = dm.partial_derivative(f, z[:2], (1, 2))
    np.testing.assert_allclose(found, 2 * z[0] * np.exp(z[1]), rtol=1e-12)
    found = dm.derivative_tensor(f, z[:2], 2)[0, 1]
    np.testing.assert_allclose(found, 2 * z[0] * np.exp(z[1]), rtol=1e-12)
    for f in (np.conj, lambda x: x * np.conj(x)):
        with pytest.raises(NotDifferentiableError):
            dm.derivative_tensor(f, 1j, 1)
        with pytest.raises(NotDifferentiableError):
            dm.partial_derivative(f, 0j, 2)


def test_the_conventions_are_those_of_jax():
    """With ``holomorphic=True``, and for its own vjp."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        w = numbers(2)
        f = lambda x: x[:2] ** 2 * x[2]
        (want,) = jax.vjp(f, z)[1](w)
        np.testing.assert_allclose(dm.vjp(f)(z, w), want, rtol=1e-14)
        want = jax.grad(lambda x: x[0] ** 2 * x[1], holomorphic=True)(z)
        found = dm.gradient(lambda x: x[0] ** 2 * x[1])(z)
        np.testing.assert_allclose(found, want, rtol=1e-14)


def test_no_source_of_what_is_not_holomorphic():
    f = lambda x: np.sum(x * np.conj(x))
    for operator in (None, "vjp", "hvp", "hessian", "jacobian"):
        with pytest.raises(NotDifferentiableError):
            to_source(f, z, operator=operator)
    for order in (1, 2):
        with pytest.raises(NotDifferentiableError):
            to_source(lambda z: z * np.conj(z), 1j * (2 - order), order=order)
