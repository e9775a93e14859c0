"""Programs hold wherever they are used, and what is printed runs by itself."""

import functools
import gc
import math
import os
import subprocess
import sys
import threading
import warnings

import mpmath as mp
import numpy as np
import pytest
import sympy
from numpy_expressions import (
    EDGE_EXPRESSIONS,
    EXPRESSIONS,
    REFERENCE_RTOL,
    directions,
    higher_reference,
    reference,
    slope,
)

import diffmethods as dm
from diffmethods.errors import (
    DiffmethodsError,
    MissingRuleError,
    OptionError,
    ShapeError,
    TracedValueError,
)
from diffmethods.methods import numpy_source
from diffmethods.problems import rosenbrock, rosenbrock_gradient
from diffmethods.source import to_source

X = np.array([0.21, 0.86, 0.44, 0.65])
MATRIX = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [-0.2, 0.3, 1.8]])

gradient = functools.partial(dm.gradient, method="numpy_source")
derivative = functools.partial(dm.derivative, method="numpy_source")
jacobian = functools.partial(dm.jacobian, method="numpy_source")


def programs(f):
    """How many programs are kept of a function."""
    memory = numpy_source.MEMORIES.get(id(f))
    return 0 if memory is None else sum(map(len, memory.programs.values()))


def by_differences(f, x):
    """The gradient by central differences of order 8."""
    basis = np.eye(x.size).reshape((x.size, *x.shape))
    return np.reshape([slope(f, x, e) for e in basis], x.shape)


def close(got, want, rtol=1e-9):
    want = np.asarray(want)
    assert np.shape(got) == want.shape
    scale = np.max(np.abs(want), initial=1.0)
    assert np.max(np.abs(got - want), initial=0.0) <= rtol * scale


# The corpus, by programs and not by recordings.


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS + EDGE_EXPRESSIONS, ids=str)
def test_programs_of_the_corpus(expression):
    f, x, jacobian = expression.function, expression.point, reference(expression)
    rows = np.ndim(jacobian) - np.ndim(x)
    random = np.random.default_rng(0)
    for _ in range(2):
        v = random.uniform(-1, 1, np.shape(x))
        w = random.uniform(-1, 1, np.shape(jacobian)[:rows])
        try:
            pushed = dm.jvp(f, method="numpy_source")(x, v)
            pulled = dm.vjp(f, method="numpy_source")(x, w)
        except DiffmethodsError:
            pytest.skip("refused")
        close(pushed, np.tensordot(jacobian, v, np.ndim(x)))
        close(pulled, np.tensordot(w, jacobian, rows))
    assert programs(f) == 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS + EDGE_EXPRESSIONS, ids=str)
def test_second_derivatives_of_the_corpus(expression):
    f, x = expression.function, expression.point
    u, v = directions(expression, 2)
    want = higher_reference(expression, 2)
    w = np.random.default_rng(0).uniform(0.5, 1, want.shape)
    weighted = lambda z: np.sum(np.real(f(z)) * w)
    try:
        for _ in range(2):
            got = dm.hvp(weighted, method="numpy_source")(x, v)
    except DiffmethodsError:
        pytest.skip("refused")
    close(np.sum(got * u), np.sum(np.real(want) * w), 10 * REFERENCE_RTOL[2])


# Accuracy


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("name", ["tanh", "sin", "exp", "atan", "sqrt"])
def test_derivatives_to_the_fifth(name, order):
    f = getattr(np, {"atan": "arctan"}.get(name, name))
    x = np.array([0.3, 1.7, 4.0])
    with mp.workdps(40):
        want = [float(mp.diff(getattr(mp, name), mp.mpf(item), order)) for item in x]
    for _ in range(2):
        np.testing.assert_allclose(
            derivative(f, order=order)(x), want, rtol=1e-13 * 4**order
        )


def test_gradient_against_sympy():
    names = sympy.symbols("a:4")
    formula = sympy.exp(sympy.sin(names[0] * names[1])) * sympy.log(names[2]) / names[3]
    want = [float(formula.diff(s).subs(zip(names, X, strict=True))) for s in names]
    f = lambda x: np.exp(np.sin(x[0] * x[1])) * np.log(x[2]) / x[3]
    for _ in range(2):
        np.testing.assert_allclose(gradient(f)(X), want, rtol=1e-14)


def test_the_tails_of_tanh():
    for _ in range(2):
        assert derivative(np.tanh)(20.0) == pytest.approx(
            1.6993417021166355e-17, rel=1e-15
        )


@pytest.mark.parametrize("n", [2, 10, 1000, 32769, 100_001])
def test_rosenbrock_of_any_length(n):
    x = np.random.default_rng(n).uniform(-1, 1, n)
    for _ in range(3):
        np.testing.assert_allclose(
            gradient(rosenbrock)(x), rosenbrock_gradient(x), rtol=1e-12, atol=1e-12
        )


# Strips


def long(*shape):
    return np.random.default_rng(1).uniform(0.1, 0.9, shape)


THIRDS = np.arange(70_000) % 3 == 0
LONG = {
    "chain": (lambda x: np.sum(np.sin(x) * np.exp(-x) + x**3), (70_001,)),
    "norm": (lambda x: np.sqrt(np.sum(x * x)) + np.sum(np.tanh(x)), (70_000,)),
    "choice": (
        lambda x: np.sum(np.where(THIRDS & (x > 0), np.log(x), x * x)),
        (70_000,),
    ),
    "rows": (
        lambda x: np.sum(np.exp(x * x[0]) * np.sum(x, axis=1)[:, None]),
        (900, 80),
    ),
    "columns": (lambda x: np.sum((x - np.mean(x, axis=0)) ** 2 / x), (900, 80)),
    "softmax": (lambda x: np.max(x) + np.log(np.sum(np.exp(x - np.max(x)))), (50_000,)),
    "shifts": (lambda x: np.sum(x[2:] * np.sqrt(x[1:-1]) / x[:-2]), (50_000,)),
    "backwards": (lambda x: np.sum(x[::-1] ** 2 * np.cos(x)), (50_000,)),
    "constant": (lambda x: np.sum(np.arange(50_000.0) * x**2 * 1e-4), (50_000,)),
    "complex": (lambda x: np.sum(np.abs(np.exp(1j * x) * x + 2.0) ** 2), (40_000,)),
    "in several places": (
        lambda x: np.sum(x[2:] * x[:-2]) + np.sum((x[1:-1] + x[2:]) * np.sin(x[:-2])),
        (50_000,),
    ),
    "added rows": (
        lambda x: np.sum((x[1:] + x[:-1]) ** 2) + np.sum(np.exp(x[1:] + x[:-1])),
        (900, 80),
    ),
    "stencil": (
        lambda x: np.sum((x[1:, 1:] - x[:-1, :-1]) ** 2 * x[1:, 1:]),
        (300, 200),
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_long_arrays(name):
    f, shape = LONG[name]
    x = long(*shape)
    random = np.random.default_rng(2)
    for _ in range(2):
        value, g = dm.value_and_gradient(f, method="numpy_source")(x)
        v = random.uniform(-1, 1, shape)
        np.testing.assert_allclose(value, f(x), rtol=1e-13)
        np.testing.assert_allclose(np.sum(g * v), slope(f, x, v), rtol=1e-7)
        np.testing.assert_allclose(
            dm.jvp(f, method="numpy_source")(x, v), np.sum(g * v), rtol=1e-10
        )
    assert f.__name__ != "<lambda>" or "for lo in range(" in to_source(f, x)


def test_an_elementwise_derivative_of_a_long_array():
    x = long(50_000)
    for _ in range(2):
        np.testing.assert_allclose(
            derivative(lambda t: np.sin(t) ** 2)(x),
            np.sin(2 * x),
            rtol=1e-12,
            atol=1e-15,
        )


# Guards


def branching(x):
    y = x**2
    if y[0] > 1:
        return np.sum(np.sin(y))
    elif np.any(x < 0):
        return np.prod(x)
    return np.sum(y * x)


@pytest.mark.parametrize("first", [0.5, 1.5, -0.5])
def test_a_branch_that_flips(first):
    start = np.array([first, 0.4, 0.7])
    g = gradient(branching)
    for point in (0.5, 1.5, -0.5, 0.51, 1.6, -0.6, -1.5):
        x = np.array([point, 0.4, 0.7])
        for z in (start, x, start + 0.01, x - 0.01):
            close(g(z), by_differences(branching, z))


def test_each_branch_has_one_program():
    f = lambda x: np.sum(x**2) if x[0] > 0 else np.sum(x**3)
    for k in range(10):
        x = X * (-1) ** k
        np.testing.assert_allclose(gradient(f)(x), 2 * x if k % 2 == 0 else 3 * x * x)
    assert programs(f) == 2


CHOICES = {
    "mask": lambda x: np.sum(x[x > 0.5] ** 2),
    "mask weighted": lambda x: np.sum(x[x > 0.5] * np.arange(np.sum(x > 0.5))),
    "number of true": lambda x: np.sum(x) * np.count_nonzero(x > 0.5),
    "largest": lambda x: x[np.argmax(x)] ** 2,
    "sorted": lambda x: np.sum(np.sort(x) * np.arange(4.0)),
    "order": lambda x: np.sum(x[np.argsort(x)] * np.arange(4.0)),
    "table": lambda x: np.sum(X[np.argsort(x)] * x),
    "median": lambda x: np.median(x) ** 2,
    "places": lambda x: np.sum(x[np.nonzero(x > 0.5)[0]] ** 3),
    "rounded": lambda x: np.sum(x * np.round(3 * x)),
    "as whole": lambda x: np.sum(x * (4 * x).astype(int)),
    "counted": lambda x: sum(x[k] ** 2 for k in range(int(np.sum(x > 0.5)))) + x[0],
    "power": lambda x: np.sum(x ** int(np.argmax(x))),
    "python": lambda x: max(x) * min(x) + sorted(x)[1],
    "interpolated": lambda x: np.sum(
        np.interp(x, [0.0, 0.3, 0.6, 1.0], [0.0, 2.0, 1.0, 3.0])
    ),
    "clipped": lambda x: np.sum(np.clip(x, 0.3, 0.7) ** 2),
    "maximum": lambda x: np.max(x) * np.min(x),
    "loop": lambda x: functools.reduce(lambda a, b: a * b if a > b else a + b, x),
    "while": lambda x: halved(x[0] * 6.5) * x[1],
    "several": lambda x: np.sum([x[i] for i in np.flatnonzero(x > 0.4)]),
    "compress": lambda x: np.sum(np.compress(x > 0.5, x) ** 2),
    "select": lambda x: np.sum(np.select([x < 0.4, x < 0.7], [x, x**2], 0.0)),
    "string": lambda x: np.sum(x) if f"{bool(x[0] > 0.4)}" == "True" else np.prod(x),
    "cumprod": lambda x: np.sum(np.cumprod(x - x[0] * (x[0] > 0.6)) * x),
}


def halved(x):
    while x > 1:
        x = x / 2
    return x


@pytest.mark.parametrize("name", CHOICES)
def test_what_depends_on_the_data(name):
    f, g = CHOICES[name], gradient(CHOICES[name])
    random = np.random.default_rng(3)
    for _ in range(12):
        x = random.permutation(np.array([0.11, 0.34, 0.56, 0.89])) + random.uniform(
            0, 0.02
        )
        close(g(x), by_differences(f, x), 1e-8)
        close(g(x + 0.001), by_differences(f, x + 0.001), 1e-8)


def test_shapes_change():
    f = lambda x: np.sum(np.sin(x) * len(x))
    for shape in [(3,), (2, 3), (3,), (1, 3), (4,)]:
        x = long(*shape)
        close(gradient(f)(x), np.cos(x) * len(x), 1e-14)
    assert programs(f) == 4


def test_a_value_that_python_learns_otherwise_is_guarded():
    f = lambda x: (
        np.sum(x) * len(str(np.argmax(x).value))
        if hasattr(np.argmax(x), "value")
        else np.sum(x)
    )
    g = gradient(f)
    np.testing.assert_array_equal(g(X), np.ones(4))
    np.testing.assert_array_equal(g(np.arange(12.0)), np.full(12, 2.0))
    np.testing.assert_array_equal(g(-np.arange(12.0)), np.ones(12))


# What a function reads


def test_a_name_in_the_closure_is_bound_anew():
    scale = 2.0
    f = lambda x: np.sum(scale * x**2)
    np.testing.assert_array_equal(gradient(f)(X), 4 * X)
    np.testing.assert_array_equal(gradient(f)(X), 4 * X)
    scale = 3.0
    np.testing.assert_array_equal(gradient(f)(X), 6 * X)


SCALE = [2.0]


def scaled(x):
    return inner(x) * SCALE[0]


def inner(x):
    return np.sum(x**2)


def test_globals_and_what_they_hold(monkeypatch):
    for _ in range(2):
        np.testing.assert_array_equal(gradient(scaled)(X), 4 * X)
    monkeypatch.setitem(globals(), "inner", lambda x: np.sum(x**3))
    for _ in range(2):
        np.testing.assert_allclose(gradient(scaled)(X), 6 * X**2)
    SCALE[0] = 5.0
    for _ in range(2):
        np.testing.assert_allclose(gradient(scaled)(X), 15 * X**2)
    SCALE[0] = 2.0


@pytest.mark.parametrize("size", [4, 40_000])
def test_an_array_that_is_changed_in_place(size):
    weights = np.ones(size)
    x = long(size)

    def f(x):
        doubled = 2 * weights
        return np.sum(doubled * x**2)

    for _ in range(2):
        np.testing.assert_allclose(gradient(f)(x), 4 * x)
    weights[:] = 3.0
    for _ in range(2):
        np.testing.assert_allclose(gradient(f)(x), 12 * x)


def test_attributes_and_methods():
    class Model:
        power = 2

        def __init__(self, scale):
            self.scale = scale

        def __call__(self, x):
            return self.scale * np.sum(x**self.power)

        def method(self, x):
            return 2 * self(x)

    model = Model(1.0)
    for f, factor in ((model, 1), (model.method, 2)):
        model.scale = 1.0
        Model.power = 2
        for _ in range(2):
            np.testing.assert_allclose(gradient(f)(X), factor * 2 * X)
        model.scale = 4.0
        for _ in range(2):
            np.testing.assert_allclose(gradient(f)(X), factor * 8 * X)
        Model.power = 3
        for _ in range(2):
            np.testing.assert_allclose(gradient(f)(X), factor * 12 * X**2)


def test_partials_defaults_and_ufuncs():
    f = functools.partial(lambda a, x, b=3.0: np.sum(a * x**b), 2.0)
    for _ in range(2):
        np.testing.assert_allclose(gradient(f)(X), 6 * X**2)
        np.testing.assert_allclose(derivative(np.sin)(X), np.cos(X))


def test_what_is_never_the_same_is_not_kept():
    random = np.random.default_rng(0)
    f = lambda x: random.uniform() * np.sum(x)
    assert gradient(f)(X)[0] != gradient(f)(X)[0]
    g = lambda x: np.random.default_rng().uniform() * np.sum(x)
    assert gradient(g)(X)[0] != gradient(g)(X)[0]


def test_functions_are_forgotten():
    gc.collect()
    before = len(numpy_source.MEMORIES)
    for k in range(20):
        f = lambda x, k=k: np.sum(x**k)
        gradient(f)(X)
    del f
    gc.collect()
    gradient(inner)(X)
    assert len(numpy_source.MEMORIES) <= before + 2


def test_no_more_programs_than_branches():
    f = lambda x: np.sum(x ** int(np.round(x[0])))
    for k in range(100):
        x = np.array([float(k % 50), 1.0])
        np.testing.assert_allclose(gradient(f)(x)[1], k % 50)
    assert programs(f) <= numpy_source.BRANCHES


# Results are the caller's own


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 0.5 * np.sum(x * x),
        lambda x: np.sum(x * X),
        lambda x: np.sum(x),
        lambda x: 0.0 * x[0] + 1.0,
        lambda x: np.sum(x.reshape(2, 2).T @ X[:2]),
    ],
)
def test_a_result_may_be_changed(f):
    x = X.copy()
    for _ in range(3):
        g = gradient(f)(x)
        want = by_differences(f, X)
        close(g, want)
        g += 1.0
        np.testing.assert_array_equal(x, X)


def test_a_number_that_does_not_depend_on_x():
    for _ in range(2):
        np.testing.assert_array_equal(gradient(lambda x: 3.0)(X), np.zeros(4))
        assert derivative(lambda x: 3.0)(1.0) == 0
        np.testing.assert_array_equal(
            jacobian(lambda x: np.ones(2))(X), np.zeros((2, 4))
        )


# Edges


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("f", "want"),
    [
        (lambda x: np.where(x > 0, np.sqrt(x), 0.0), [0.0, 0.0, 0.25]),
        (lambda x: np.where(x > 0, np.log(x), x), [1.0, 1.0, 0.25]),
        (lambda x: np.where(x > 0, np.sqrt(np.exp(1 / x)), 0.0), None),
        (lambda x: np.where(x > 0, np.sqrt(np.log(1 + x)) ** 3, x * x), None),
        (lambda x: np.abs(x), [-1.0, 0.0, 1.0]),
        (lambda x: x**0, [0.0, 0.0, 0.0]),
        (lambda x: np.maximum(x, 0), [0.0, 0.5, 1.0]),
    ],
)
def test_branches_not_taken_and_kinks(f, want):
    x = np.array([-1.0, 0.0, 4.0])
    if want is None:
        want = derivative(f)(x)
        assert np.isfinite(want).all()
        want = [want[0], 0.0, slope(f, 4.0, 1.0)]
    for _ in range(2):
        np.testing.assert_allclose(derivative(f)(x), want, rtol=1e-9)


def test_singular_matrices():
    x = np.outer([1.0, 2.0, 3.0], [1.0, 1.0, 2.0])
    x[1, 1] += 1.0
    for _ in range(2):
        close(gradient(np.linalg.det)(x), by_differences(np.linalg.det, x))
    hessian = dm.hessian(np.linalg.det, method="numpy_source")(2 * np.eye(2))
    np.testing.assert_allclose(
        hessian.reshape(4, 4), np.eye(4)[::-1] * [-1, 1, 1, -1] * -1, atol=1e-12
    )


def test_warnings_are_the_functions_own():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            assert derivative(np.sqrt)(0.0) == math.inf


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda x: math.sin(x[0]), TracedValueError),
        (lambda x: x, ShapeError),
        (lambda x: np.sum(np.sort_complex(x)), DiffmethodsError),
        (lambda x: np.sum(np.linalg.eigvals(x.reshape(2, 2))), MissingRuleError),
    ],
)
def test_refusals(f, error):
    for _ in range(2):
        with pytest.raises(error):
            gradient(f)(X)


def in_place(x):
    y = 2 * x
    z = y * x[0]
    y += np.sin(x)
    y *= x
    return np.sum(y) + np.prod(z)


def changing(x):
    table = np.ones(4)
    first = np.sum(table * x)
    table[:2] = 3.0
    return first * np.sum(table * x**2)


@pytest.mark.parametrize("f", [in_place, changing])
def test_changes_in_place(f):
    """What was read before a change is what it was before."""
    for shift in (0.0, 0.01, 0.02):
        close(gradient(f)(X + shift), by_differences(lambda x: f(x.copy()), X + shift))


# Threads


def test_threads():
    functions = [
        (lambda x, k=k: np.sum(x**k) if x[0] > 0.3 else np.sum(np.sin(k * x)), k)
        for k in range(1, 9)
    ]
    failures = []

    def work(seed):
        random = np.random.default_rng(seed)
        for _ in range(60):
            f, k = functions[random.integers(8)]
            x = random.uniform(0, 1, random.integers(1, 4))
            want = k * x ** (k - 1) if x[0] > 0.3 else k * np.cos(k * x)
            if not np.allclose(gradient(f)(x), want, rtol=1e-12):
                failures.append((k, x))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# The source


def matrix_expression(x):
    y = np.linalg.solve(x @ x.T + np.eye(3), np.array([1.0, 2.0, 3.0]))
    return np.sum(y * y) + np.log(np.linalg.det(x))


def newton(x):
    y = 1.0
    for _ in range(4):
        y = 0.5 * (y + x / y)
    return y


def pendulum(x):
    angle, speed = x[0], x[1]
    for _ in range(3):
        speed = speed - 0.25 * np.sin(angle)
        angle = angle + 0.25 * speed
    return angle


BIG = np.linspace(0, 1, 400)


SOURCES = {
    "rosenbrock": (rosenbrock, X, "gradient", ()),
    "strips": (rosenbrock, long(40_000), "gradient", ()),
    "sums in strips": (LONG["norm"][0], long(40_000), "value_and_gradient", ()),
    "matrix": (matrix_expression, MATRIX, "gradient", ()),
    "loop": (newton, 2.0, "derivative", ()),
    "pendulum": (pendulum, np.array([1.0, 0.0]), "gradient", ()),
    "jacobian": (lambda x: np.tanh(x) * x[0], X, "jacobian", ()),
    "hessian": (rosenbrock, X, "hessian", ()),
    "both": (rosenbrock, X, "value_and_gradient", ()),
    "weighted": (lambda x: np.sin(x) * x[::-1], X, "vjp", (np.arange(4.0),)),
    "directional": (lambda x: np.sort(x) * np.std(x), X, "jvp", (np.arange(4.0),)),
    "curvature": (rosenbrock, X, "hvp", (np.arange(4.0),)),
    "branches": (CHOICES["python"], X, "gradient", ()),
    "mask": (CHOICES["mask"], X, "gradient", ()),
    "constants": (
        lambda x: np.sum(np.interp(x, [0.0, 0.5, 1.0], [1.0, 3.0, 2.0])),
        X,
        "gradient",
        (),
    ),
    "scipy": (lambda x: np.sum(special_erf()(x)), X, "gradient", ()),
    "infinite": (
        lambda x: np.sum(np.where(x > 0, x, np.array([np.inf, np.nan, -0.0, 1.0]))),
        X,
        "value_and_gradient",
        (),
    ),
}


def special_erf():
    from scipy import special

    return special.erf


RUNNER = """
import sys, json
import numpy as np
space = {}
exec(compile(sys.stdin.read(), "source.py", "exec"), space)
assert not any(name.startswith("diffmethods") for name in sys.modules)
points = np.load("points.npz")
result = space[sys.argv[1]](*(points[f"arr_{k}"] for k in range(len(points))))
np.savez("result.npz", *(result if isinstance(result, tuple) else (result,)))
"""


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_runs_by_itself(name, tmp_path):
    f, x, operator, others = SOURCES[name]
    text = to_source(f, x, operator=operator)
    assert max(map(len, text.splitlines())) <= 120
    np.savez(tmp_path / "points.npz", x, *others)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUNNER, operator],
        input=text,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr + text
    result = list(np.load(tmp_path / "result.npz").values())
    options = {"order": 1} if operator == "derivative" else {}
    want = (
        getattr(dm, operator)(f, method="numpy_source", **options)(x, *others)
        if (operator != "hvp")
        else dm.hvp(f, method="numpy_source")(x, *others)
    )
    for got, expected in zip(
        result, want if isinstance(want, tuple) else (want,), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


def executed(text):
    space = {}
    exec(text, space)
    return space


def test_the_source_of_rosenbrock():
    assert (
        to_source(rosenbrock, X)
        == '''\
import numpy as np


def gradient(x):
    """The gradient of rosenbrock at x."""
    x = np.positive(x, dtype=float)
    if x.shape != (4,):
        raise ValueError(f"x must have shape (4,), not {x.shape}")
    t1 = x[1:] - x[:-1] ** 2

    g_x = np.zeros_like(x)
    g_x[:-1] = -2.0 * (1 - x[:-1]) - 400.0 * (t1 * x[:-1])
    g_x[1:] += 200.0 * t1  # back through (x[1:] - x[:-1] ** 2) ** 2
    return g_x
'''
    )


def test_the_source_keeps_the_users_names():
    text = to_source(pendulum, np.array([1.0, 0.0]))
    assert "    speed_2 = speed - 0.25 * np.sin(angle)\n" in text
    assert "    angle_2 = angle + 0.25 * speed_2\n" in text
    assert "g_angle_2 = " in text
    weights = lambda weights: np.sum(weights**2)
    assert "def gradient(weights):" in to_source(weights, X)
    direction = lambda v: np.sum(v**2)
    assert "def hvp(x, v):" in to_source(direction, X, operator="hvp")


def test_names_that_cannot_be_kept():
    def f(x):
        np_ = lo = t1 = max = np.exp(x)  # noqa: F841
        lo = np.sin(max)
        t1 = lo * lo
        g_x = t1 * max
        return np.sum(g_x * t1 * lo)

    text = to_source(f, X)
    close(executed(text)["gradient"](X), by_differences(f, X))
    assert "max = " not in text
    assert "    lo = " not in text


def test_the_source_looks_where_python_looked():
    space = executed(to_source(branching, np.array([0.5, 0.4])))
    x = np.array([0.6, 0.3])
    close(space["gradient"](x), by_differences(branching, x))
    for x in ([1.5, 0.4], [0.5, -0.4]):
        with pytest.raises(space["AnotherBranch"]):
            space["gradient"](np.array(x))
    with pytest.raises(ValueError, match="must have shape"):
        space["gradient"](np.ones(3))


def test_arrays_keep_the_names_that_they_have():
    weights = np.array([1.0, 2.0, 3.0, 5.0])
    text = to_source(lambda x: np.sum(weights * x**2), X)
    assert "weights = np.array([1.0, 2.0, 3.0, 5.0])" in text


def test_large_constants_are_arguments():
    text = to_source(lambda x: np.sum(BIG * np.sin(x)), BIG)
    assert "def gradient(x, BIG):" in text
    assert "BIG, an array of float64 of shape (400,)" in text
    np.testing.assert_allclose(executed(text)["gradient"](BIG, BIG), BIG * np.cos(BIG))


@pytest.mark.parametrize(
    ("f", "x", "operator"),
    [(np.tanh, 1.0, "derivative"), (np.sum, X, "gradient"), (np.sin, X, "vjp")],
)
def test_the_operator_that_is_meant(f, x, operator):
    assert f"def {operator}(" in to_source(f, x)


def test_higher_orders():
    space = executed(to_source(np.tanh, 0.3, order=3))
    want = float(mp.diff(mp.tanh, mp.mpf(0.3), 3))
    assert space["derivative"](0.3) == pytest.approx(want, rel=1e-14)


def test_unknown_operators():
    with pytest.raises(OptionError, match="did you mean 'gradient'"):
        to_source(np.sum, X, operator="gradiant")
    with pytest.raises(OptionError, match="order"):
        to_source(np.sum, X, operator="gradient", order=2)


def test_constants_are_folded_and_merged():
    text = to_source(lambda x: np.sum(3 * (2 * x) * np.exp(np.log(2.0))) ** 2, X)
    assert text.count("*") <= 6
    text = to_source(lambda x: np.sum((2 * x + 2 * x + 2 * x) * x), X)
    assert text.count("2 * x") == 1


# A source is a function like any other


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (rosenbrock, X),
        (matrix_expression, MATRIX),
        (pendulum, np.array([1.0, 0.2])),
        (lambda x: np.sum(np.tanh(x) * x[::-1]) + x[0] ** 3, X),
        (lambda x: x[0] * np.exp(x[1]) if x[0] > 0 else x[1], X),
        (lambda x: np.sum(np.sin(x) + 3.0 * x), X),
        (lambda x: np.sum(x[1:] ** 2) * np.sum(x), X),
    ],
)
def test_the_source_of_a_source(f, x):
    """Differentiated again, it gives the Hessian, and so does its own source."""
    g = executed(to_source(f, x, operator="gradient"))["gradient"]
    want = dm.hessian(f, method="dual_numbers")(x)
    for _ in range(2):
        close(jacobian(g)(x), want)
    if x.ndim > 1:
        return  # its constants are too large to print
    again = executed(to_source(g, x, operator="jacobian"))["jacobian"]
    close(again(x), want)


@pytest.mark.parametrize("x", [0.0, 0.5, 20.0])
def test_the_source_of_the_source_of_a_source(x):
    f = np.tanh
    for _ in range(3):
        f = executed(to_source(f, 0.3))["derivative"]
    want = mp.diff(mp.tanh, mp.mpf(x), 3)
    assert float(f(x)) == pytest.approx(float(want), rel=1e-12)


def test_a_source_in_strips_is_not_followed():
    g = executed(to_source(rosenbrock, long(40_000)))["gradient"]
    with pytest.raises(TracedValueError, match="out="):
        dm.vjp(g, method="numpy_source")(long(40_000), long(40_000))


def writes_first(x):
    y = np.zeros_like(x)
    y[1:] = x[:-1] ** 2
    y[0] = np.exp(x[1])
    y[:2] += 3.0 * x[0]
    y[-1] -= x[1]
    return np.sum(y * x)


def test_assignments_into_new_zeros():
    for _ in range(2):
        close(gradient(writes_first)(X), by_differences(writes_first, X))


def writes_twice(x):
    y = np.zeros_like(x)
    y[1:] = x[1:]
    y[2] = x[0]
    return np.sum(y)


def writes_after_use(x):
    y = np.zeros_like(x)
    total = np.sum(y)
    y[1:] = x[1:]
    return np.sum(y) + total


def writes_one_item_twice(x):
    y = np.zeros_like(x)
    y[[0, 0]] += x[:2]
    return np.sum(y)


def writes_through_a_part(x):
    y = np.zeros_like(x)
    part = y[1:]
    total = np.sum(part)
    part += x[1:]
    return np.sum(y) + total


@pytest.mark.parametrize(
    "f", [writes_twice, writes_after_use, writes_one_item_twice, writes_through_a_part]
)
def test_other_assignments_are_refused(f):
    with pytest.raises(TracedValueError, match=r"assignments into np\.zeros_like"):
        gradient(f)(X)


# Whole matrices


def whole(f):
    """Whether the matrices of a function have a program."""
    return not numpy_source.MEMORIES[id(f)].by_rows


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS + EDGE_EXPRESSIONS, ids=str)
def test_jacobians_of_the_corpus(expression):
    f, x, want = expression.function, expression.point, reference(expression)
    for _ in range(2):
        try:
            close(np.asarray(jacobian(f)(x)), want)
        except DiffmethodsError:
            pytest.skip("refused")


MATRICES = {
    "elementwise": lambda x: np.sin(x) * x,
    "diagonal times matrix": lambda x: np.tanh(MIXING @ x),
    "matrix from the right": lambda x: np.tanh(x @ MIXING),
    "three diagonals": lambda x: x[1:] ** 2 * x[:-1],
    "scalars": lambda x: np.stack([x[0] * x[1], np.exp(x[2]), x[3] ** 2]),
    "sums": lambda x: x * np.sum(x) + np.mean(np.cos(x)),
    "more than variables": lambda x: np.outer(x, np.sin(x)),
    "fewer than variables": lambda x: np.array([np.sum(x**2), x[0] * x[1]]),
    "choice": lambda x: np.where(x > 0.5, np.log(x), x**2),
    "pole behind a choice": lambda x: np.where(x > 0.5, np.sqrt(x - 0.5), 0.0),
    "indices": lambda x: x[[0, 2, 2]] * x[1],
    "order": lambda x: np.sort(x)[::-1] * x,
    "shapes": lambda x: np.reshape(x, (2, 2)).T @ np.reshape(x, (2, 2)),
    "triangle": lambda x: np.triu(np.reshape(x, (2, 2))) ** 2,
    "running": lambda x: np.cumsum(x) * np.concatenate([x[1:], x[:1]]),
    "solution": lambda x: np.linalg.solve(MIXING + np.diag(x), x),
    "einsum": lambda x: np.einsum("ij,j->i", MIXING, x**2),
    "spread": lambda x: np.take(x, [0, 3, 3]) ** 2,
    "complex": lambda x: np.abs(np.exp(1j * x) + x),
    "constant": lambda x: np.ones(3),
    "branch": lambda x: x**2 if x[0] > 0.1 else x,
}
MIXING = np.array([[4.0, 1, 0, 2], [1, 5, 1, 0], [0, 1, 6, 1], [2, 0, 1, 7]])


@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt")
@pytest.mark.parametrize("name", MATRICES)
def test_whole_matrices(name):
    f = MATRICES[name]
    g = lambda x: np.sum(np.sin(f(x)))
    for x in (X, X + 0.01, X):
        close(jacobian(f)(x), dm.jacobian(f, method="dual_numbers")(x), 1e-13)
        close(
            dm.hessian(g, method="numpy_source")(x),
            dm.hessian(g, method="dual_numbers")(x),
            1e-12,
        )
    assert whole(f)
    assert whole(g)


def test_the_source_of_a_hessian_keeps_its_diagonals():
    text = to_source(rosenbrock, X, operator="hessian")
    close(executed(text)["hessian"](X), dm.hessian(rosenbrock)(X), 1e-14)
    assert "[::5] = " in text
    assert "[1::5] += " in text
    assert "@" not in text


def test_matrices_without_a_program(monkeypatch):
    """Row by row where no rule for all rows is known, or they need much memory."""
    for f in (lambda x: np.convolve(x, x), lambda x: np.real(np.fft.fft(x)) ** 2):
        for _ in range(2):
            close(jacobian(f)(X), dm.jacobian(f, method="dual_numbers")(X), 1e-13)
        assert not whole(f)
    monkeypatch.setattr("diffmethods.rows.ITEMS", 10)
    f = lambda x: np.sin(x) * np.sum(x)
    for _ in range(2):
        close(jacobian(f)(X), dm.jacobian(f, method="dual_numbers")(X), 1e-13)
    assert not whole(f)


def test_a_matrix_of_nothing():
    nothing = np.ones(0)
    assert jacobian(np.sin)(nothing).shape == (0, 0)
    square = lambda x: np.sum(x**2)
    assert dm.hessian(square, method="numpy_source")(nothing).shape == (0, 0)
    assert jacobian(lambda x: x[:0])(X).shape == (0, 4)


def test_the_point_stays_as_it_is():
    def f(x):
        y = x * 1.0
        y *= 2
        return np.sum(y * y)

    x = X.copy()
    for _ in range(3):
        for g in (gradient(f), dm.hessian(f, method="numpy_source"), jacobian(np.sin)):
            g(x)[...] = 7.0
            np.testing.assert_array_equal(x, X)


# Threads once more: whole matrices, branches and sources at once


def test_sixteen_threads_on_one_function():
    f = lambda x: np.sum(x**2) if x[0] > 0.5 else np.sum(np.exp(x))
    failures = []

    def work(seed):
        random = np.random.default_rng(seed)
        for _ in range(30):
            x = random.uniform(0, 1, random.integers(1, 4))
            second = 2.0 + 0 * x if x[0] > 0.5 else np.exp(x)
            found = dm.hessian(f, method="numpy_source")(x)
            text = executed(to_source(f, x))
            slope = 2 * x if x[0] > 0.5 else np.exp(x)
            if not np.allclose(found, np.diag(second), rtol=1e-13):
                failures.append(x)
            if not np.allclose(text["gradient"](x), slope, rtol=1e-13):
                failures.append(x)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_results_of_long_arrays_are_never_written_again():
    """Memory is used again, but only when nobody holds it."""
    g = gradient(rosenbrock)
    points = [long(40_000) + 0.01 * k for k in range(6)]
    results = [g(x) for x in points]
    parts = [g(x)[5:9] for x in points]  # a view keeps its array
    for x, found, part in zip(points, results, parts, strict=True):
        want = rosenbrock_gradient(x)
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(part, want[5:9], rtol=1e-12, atol=1e-12)


def test_threads_have_memory_of_their_own():
    g, found = gradient(rosenbrock), {}

    def work(k):
        x = long(40_000) + 0.01 * k
        found[k] = all(
            np.allclose(g(x), rosenbrock_gradient(x), rtol=1e-12) for _ in range(20)
        )

    threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(16), True)
