"""The tape against mpmath, differences and dual numbers; memory, threads, refusals."""

import functools
import gc
import threading
import tracemalloc

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy_expressions import EDGE_EXPRESSIONS, EXPRESSIONS, STEP, WEIGHTS, support

import diffmethods as dm
from diffmethods.errors import MissingRuleError, ShapeError, TracedValueError

tape = functools.partial(functools.partial, method="reverse_tape")
gradient, jacobian, hessian = tape(dm.gradient), tape(dm.jacobian), tape(dm.hessian)
jvp, vjp, hvp = tape(dm.jvp), tape(dm.vjp), tape(dm.hvp)
derivative = tape(dm.derivative)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_by_hand(x):
    """The gradient as the textbooks give it."""
    slope = np.zeros_like(x)
    inner = 200 * (x[1:] - x[:-1] ** 2)
    slope[1:] += inner
    slope[:-1] -= 2 * x[:-1] * inner + 2 * (1 - x[:-1])
    return slope


# The corpus


def test_the_corpus_of_expressions():
    verdicts = support("reverse_tape", EXPRESSIONS)
    assert not [(str(e), v) for e, v in verdicts.items() if v.startswith("wrong")]
    assert list(verdicts.values()).count("right") >= 200


def test_edge_expressions_are_right_or_refused():
    verdicts = support("reverse_tape", EDGE_EXPRESSIONS)
    assert not [(str(e), v) for e, v in verdicts.items() if "off by" in v]
    assert list(verdicts.values()).count("right") >= 230


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS[::5], ids=str)
def test_every_operator_agrees_with_dual_numbers(expression):
    f, x = expression.function, expression.point
    v = np.cos(np.arange(np.size(x))).reshape(np.shape(x))
    along = dm.jvp(f)(x, v)
    w = np.sin(1.0 + np.arange(np.size(along))).reshape(np.shape(along))
    near = functools.partial(np.testing.assert_allclose, rtol=1e-10, atol=1e-12)
    near(jvp(f)(x, v), along)
    near(np.sum(w * along), np.sum(vjp(f)(x, w) * v))
    total = lambda z: np.sum(np.cos(1 * f(z)))
    curved = dm.hessian(total)(x)
    near(hessian(total)(x), curved)
    near(hvp(total)(x, v), np.tensordot(curved, v, np.ndim(x)))


# Values known otherwise


@pytest.mark.parametrize("size", [2, 10, 1000, 20_000])
def test_rosenbrock(size):
    x = np.linspace(-1.5, 2.0, size)
    value, slope = dm.value_and_gradient(rosenbrock, method="reverse_tape")(x)
    assert value == rosenbrock(x)
    np.testing.assert_allclose(slope, rosenbrock_by_hand(x), rtol=1e-12, atol=1e-12)


def test_the_hessian_of_rosenbrock():
    x = np.linspace(-1.5, 2.0, 30)
    want = np.diag(np.append(1200 * x[:-1] ** 2 - 400 * x[1:] + 2, 0.0))
    want += np.diag(np.append(0.0, np.full(29, 200.0)))
    want += np.diag(-400 * x[:-1], 1) + np.diag(-400 * x[:-1], -1)
    np.testing.assert_allclose(hessian(rosenbrock)(x), want, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_orders_of_an_array(order):
    f = lambda x: np.exp(np.sin(x)) / (1 + x * x)
    exact = lambda t: mp.exp(mp.sin(t)) / (1 + t * t)
    x = np.array([-1.25, 0.5, 2.0])
    with mp.workdps(30):
        want = [float(mp.diff(exact, mp.mpf(t), order)) for t in x]
    np.testing.assert_allclose(derivative(f, order=order)(x), want, rtol=1e-13)
    np.testing.assert_allclose(derivative(f, order=order)(x[1]), want[1], rtol=1e-13)


def test_a_vector_of_a_scalar():
    f = lambda t: np.array([np.sin(t), t**2])
    np.testing.assert_allclose(derivative(f)(0.5), [float(mp.cos(0.5)), 1.0], 1e-15)
    np.testing.assert_allclose(derivative(f, order=2)(0.5), [-float(mp.sin(0.5)), 2.0])


def test_complex_results():
    x = np.array([0.25, 1.5])
    wave = lambda x: np.exp(1j * x)
    want = np.diag([complex(1j * mp.exp(1j * t)) for t in x])
    np.testing.assert_allclose(jacobian(wave)(x), want, rtol=1e-15)
    np.testing.assert_allclose(vjp(wave)(x, np.ones(2)), want.sum(0), rtol=1e-15)
    np.testing.assert_allclose(gradient(lambda x: wave(x[0]))(x), want[0], rtol=1e-15)
    np.testing.assert_allclose(derivative(wave)(x), want.sum(0), rtol=1e-15)
    np.testing.assert_allclose(derivative(wave)(x[0]), want[0, 0], rtol=1e-15)


@pytest.mark.parametrize("size", [0, 3, 10_000])
def test_results_that_do_not_depend_on_x(size):
    x = np.linspace(0, 1, size)
    np.testing.assert_array_equal(gradient(lambda x: 3.0)(x), np.zeros(size))
    np.testing.assert_array_equal(gradient(np.sum)(x), np.ones(size))
    assert jacobian(lambda x: np.ones(2))(x).shape == (2, size)


def test_a_jacobian_is_taken_in_blocks_where_it_is_large(monkeypatch):
    from diffmethods.methods import reverse_tape

    monkeypatch.setattr(reverse_tape, "AT_ONCE", 20)
    x = np.linspace(0.1, 1.0, 9)
    want = np.diag(np.cos(x)) + np.ones((9, 9))
    got = jacobian(lambda x: np.sin(x) + np.sum(x))(x)
    np.testing.assert_allclose(got, want, rtol=1e-14)
    wave = jacobian(lambda x: np.exp(1j * x))(x)
    np.testing.assert_allclose(wave, np.diag(1j * np.exp(1j * x)), rtol=1e-14)


def test_shapes_that_are_wrong():
    with pytest.raises(ShapeError, match="scalar result"):
        gradient(np.sin)(np.ones(2))
    with pytest.raises(ShapeError, match="w has shape"):
        vjp(np.sin)(np.ones(2), np.ones(3))
    with pytest.raises(ShapeError, match="works elementwise"):
        derivative(np.sum)(np.ones(2))


# Kinks and poles


def test_ties_and_kinks():
    np.testing.assert_array_equal(
        gradient(np.max)(np.array([1.0, 2, 2])), [0, 0.5, 0.5]
    )
    np.testing.assert_array_equal(gradient(np.linalg.norm)(np.zeros(3)), np.zeros(3))
    np.testing.assert_array_equal(
        derivative(np.abs)(np.array([-2.0, 0.0, 3.0])), [-1, 0, 1]
    )


def test_a_weight_of_zero_wins_against_a_pole():
    x = np.array([0.0, 4.0])
    f = lambda x: np.where(x > 0, np.sqrt(x), 0.0)
    np.testing.assert_array_equal(gradient(lambda x: np.sum(f(x)))(x), [0, 0.25])
    np.testing.assert_array_equal(jacobian(f)(x), [[0, 0], [0, 0.25]])
    np.testing.assert_array_equal(derivative(f)(x), [0, 0.25])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # they are f's own
def test_a_branch_that_is_nan_does_not_count():
    x = np.array([-1.0, 0.0, 4.0])
    f = lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0))
    np.testing.assert_array_equal(gradient(f)(x), [0, 0, 0.25])
    np.testing.assert_array_equal(hvp(f)(x, np.ones(3)), [0, 0, -1 / 32])
    g = lambda x: np.sum(np.where(x == 0, 1.0, np.sin(x) / x))
    assert gradient(g)(x)[1] == 0


def test_an_infinite_slope_stays_infinite():
    assert derivative(np.sqrt)(0.0) == np.inf
    assert np.isnan(derivative(lambda x: np.sqrt(x * x))(0.0))


# Nesting


@pytest.mark.parametrize("outer", ["reverse_tape", "dual_numbers"])
@pytest.mark.parametrize("inner", ["reverse_tape", "dual_numbers"])
def test_an_inner_slope_may_use_the_outer_variable(outer, inner):
    x = np.array([0.5, -1.0, 2.0])

    def f(x):
        inside = dm.jacobian(lambda y: y[::-1] ** 2 * x, method=inner)(x)
        return np.sum(np.sin(inside))  # the items 2 x[i] x[2 - i], and zeros

    p, q, r = x
    want = [
        2 * r * 2 * np.cos(2 * p * r),
        4 * q * np.cos(2 * q * q),
        2 * p * 2 * np.cos(2 * p * r),
    ]
    np.testing.assert_allclose(dm.gradient(f, method=outer)(x), want, rtol=1e-13)


def test_a_library_inside_the_tape_is_refused():
    with pytest.raises(TracedValueError, match="no other method can work inside"):
        gradient(lambda x: dm.derivative(np.sin, method="jax")(x[0]))(np.ones(2))


def test_the_tape_inside_a_library():
    f = lambda z: np.sum(z[1:] * np.sin(z[:-1]))
    x = np.array([0.5, 1.0, -2.0])
    g = dm.gradient(lambda x: np.sum(gradient(f)(x)), method="jax")(x)
    want = hvp(f)(x, np.ones(3))
    np.testing.assert_allclose(g, want, rtol=1e-14)


# Refusals


def test_an_unknown_function_is_never_a_constant():
    with pytest.raises(MissingRuleError, match=r"no rule for np\.linalg\.eigvals"):
        gradient(lambda x: np.linalg.eigvals(x)[0])(np.eye(2))
    with pytest.raises(MissingRuleError, match="no rule for the ufunc"):
        derivative(np.frompyfunc(lambda a: a, 1, 1))(1.0)
    with pytest.raises(MissingRuleError, match=r"no rule for np\.exp"):
        gradient(lambda x: np.sum(np.exp(x, where=x > 0)))(np.ones(2))


CALLS = {
    "x * c": lambda x, c: x * c,
    "c * x": lambda x, c: c * x,
    "x / c": lambda x, c: x / c,
    "x ** c": lambda x, c: x**c,
    "c @ x": lambda x, c: c @ x,
    "column": lambda x, c: x[:, None] * c[:2],
    "einsum": lambda x, c: np.einsum("i,i", x, c),
}


@pytest.mark.parametrize("size", [3, 50_000])
@pytest.mark.parametrize("call", CALLS)
def test_an_array_changed_after_its_use_is_refused(call, size):
    def f(x):
        c = np.full(size, 2.0)
        y = CALLS[call](x, c)
        c[1] = 3.0
        return np.sum(y * y)

    with pytest.raises(TracedValueError, match="changed in place after"):
        gradient(f)(np.ones(size))


def test_an_exchange_of_items_is_noticed_as_well():
    def f(x):
        c = np.arange(50_000.0)
        y = x * c
        c[[5, 40_000]] = c[[40_000, 5]]
        return np.sum(y)

    with pytest.raises(TracedValueError, match="changed in place after"):
        gradient(f)(np.ones(50_000))


def test_an_array_that_is_changed_between_two_uses_is_refused_at_the_second():
    def f(x):
        unit, total = np.zeros(3), 0.0
        for k in range(3):
            unit[:] = 0.0
            unit[k] = 1.0
            total = total + np.sum(x * unit) ** 2
        return total

    with pytest.raises(TracedValueError, match="changed in place after"):
        gradient(f)(np.ones(3))


def test_arrays_that_no_slope_needs_may_change():
    def f(x):
        c, index = np.ones(3), np.array([0, 1, 1])
        y = (x + c)[index]
        c[:], index[:] = 7.0, 0
        return np.sum(y * y)

    np.testing.assert_array_equal(gradient(f)(np.ones(3)), [4.0, 8.0, 0.0])


def test_operations_in_place():
    def f(x):
        y = 2 * x
        z = y * y
        y += x
        return np.sum(z * y)  # 12 x^3

    np.testing.assert_array_equal(gradient(f)(np.array([1.0, 2.0])), [36.0, 144.0])


VIEWS = {
    "x[1:]": lambda x: x[1:],
    "x.reshape": lambda x: x.reshape(3, 1),
    "np.reshape": lambda x: np.reshape(x, (3, 1)),
    "x.T": lambda x: x.T,
    "x.ravel": lambda x: x.ravel(),
    "x.real": lambda x: x.real,
    "np.squeeze": np.squeeze,
    "np.flip": np.flip,
    "np.swapaxes": lambda x: np.swapaxes(x, 0, 0),
    "np.split": lambda x: np.split(x, 3)[1],
}


@pytest.mark.parametrize("method", ["reverse_tape", "dual_numbers", "numpy_source"])
@pytest.mark.parametrize("changed", [0, 1], ids=["the view", "the whole"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_change_in_place_that_a_view_would_show_is_refused(view, changed, method):
    """NumPy shows it on both sides; a trace follows values, not memory."""

    def f(x):
        x = 2 * x
        pair = [VIEWS[view](x), x]
        pair[changed] += 1.0
        return np.sum(x * x) + np.sum(pair[0])

    with pytest.raises(TracedValueError, match="change of an array in place"):
        dm.gradient(f, method=method)(np.array([3.0, 1.0, 2.0]))


WRITERS = {
    "y.sort()": lambda y: y.sort(),
    "y.partition(1)": lambda y: y.partition(1),
    "y.resize(2)": lambda y: y.resize(2),
    "y.fill(0)": lambda y: y.fill(0.0),
    "y.put": lambda y: y.put([0], 1.0),
    "np.put": lambda y: np.put(y, [0], 1.0),
    "np.copyto": lambda y: np.copyto(y, 1.0),
    "np.copyto into zeros": lambda y: np.copyto(np.zeros(3), y),
    "y[0] =": lambda y: y.__setitem__(0, 1.0),
}


@pytest.mark.parametrize("method", ["reverse_tape", "dual_numbers", "numpy_source"])
@pytest.mark.parametrize("write", WRITERS)
def test_writing_into_an_array_is_refused(write, method):
    def f(x):
        y = 2 * x
        WRITERS[write](y)
        return np.sum(y * np.arange(3.0))

    with pytest.raises(TracedValueError, match="assignment into an array"):
        dm.gradient(f, method=method)(np.array([3.0, 1.0, 2.0]))


def test_a_flattened_copy_may_change():
    def f(x):
        y = x.flatten()
        y *= 2
        return np.sum(x * y)

    np.testing.assert_array_equal(gradient(f)(np.array([3.0, 1.0])), [12.0, 4.0])


# Memory, time and threads


def peak(run):
    run()
    tracemalloc.start()
    run()
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return used


def test_only_what_a_slope_needs_is_kept():
    x = np.ones(4000)

    def sums(x):
        for _ in range(100):
            x = x + 1.0
        return np.sum(x)

    assert peak(lambda: gradient(sums)(x)) < 8 * x.nbytes


def test_memory_is_freed_as_the_sweep_goes():
    x, held = np.ones(4000), []

    def stretch(x):  # each step's partial derivative is as large as all 50 values
        for _ in range(50):
            x = np.sin(x)
        held.append(tracemalloc.get_traced_memory()[0])
        return np.sum(x)

    used = peak(lambda: gradient(stretch)(x))
    assert used < held[-1] + 8 * x.nbytes


@pytest.mark.parametrize("ufunc", [np.exp, np.sin, np.sqrt, np.log, np.tanh, np.tan])
def test_of_a_function_and_its_operand_only_what_the_slope_looks_at_is_kept(ufunc):
    x = np.linspace(0.1, 1.0, 4000)

    def alone(x):  # the sum in between needs neither
        for _ in range(40):
            x = 0.5 + ufunc(x + 0.5) * 1e-3
        return np.sum(x)

    assert peak(lambda: gradient(alone)(x)) < 50 * x.nbytes


def test_nothing_is_left_for_the_garbage_collector():
    f = lambda x: np.sum(np.sin(x) * x[::-1] @ np.ones((3, 3)))
    gradient(f)(np.ones(3))
    gc.collect()
    gc.disable()
    try:
        gradient(f)(np.ones(3))
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_results_are_never_written_into_again():
    x = np.linspace(0, 1, 20_000)
    value_and_slope = dm.value_and_gradient(
        lambda x: np.sum(x * x), method="reverse_tape"
    )
    kept = [(k, value_and_slope(k * x)[1]) for k in range(1, 40)]
    views = [
        (k, vjp(lambda x: (x + x)[5:])(x, np.full(19_995, k))[7:]) for k in range(9)
    ]
    for k, slope in kept:
        np.testing.assert_array_equal(slope, 2 * (k * x))
    for k, view in views:
        np.testing.assert_array_equal(view, 2.0 * k)


def test_a_loop_of_many_steps():
    def f(x):
        for _ in range(20_000):
            x = x - 1e-5 * x
        return x

    with mp.workdps(30):
        want = float((1 - mp.mpf(1e-5)) ** 20_000)
    np.testing.assert_allclose(derivative(f)(1.0), want, rtol=1e-11)


def test_sixteen_threads_at_once():
    results, start = {}, threading.Barrier(16)

    def work(k):
        x = np.linspace(0.1, 1.0, 20 if k % 2 else 20_000)
        start.wait()
        results[k] = [
            gradient(lambda x: np.sum(np.sin(k * x) * x))(x) for _ in range(20)
        ]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, slopes in results.items():
        x = np.linspace(0.1, 1.0, 20 if k % 2 else 20_000)
        for slope in slopes:
            np.testing.assert_allclose(
                slope, k * np.cos(k * x) * x + np.sin(k * x), rtol=1e-12, atol=1e-13
            )
    assert len(results) == 16


def test_sixteen_threads_share_a_function_and_all_operators():
    a = np.array([[2.0, 0.5, 0.1], [0.5, 3.0, 0.2], [0.1, 0.2, 4.0]])
    f = lambda x: np.linalg.solve(a + np.outer(x, x), np.tanh(x))
    total = lambda x: np.sum(f(x) ** 2)
    operators = [
        (gradient, total),
        (jacobian, f),
        (hessian, total),
        (derivative, lambda x: np.exp(np.sin(x))),
    ]
    alone = {
        (k, place): operator(g)(np.array([0.1, 0.2, 0.3]) * (k + 1))
        for k in range(16)
        for place, (operator, g) in enumerate(operators)
    }
    results, start = {}, threading.Barrier(16)

    def work(k):
        shared = [operator(g) for operator, g in operators]
        start.wait()
        for turn in range(40):
            place = (k + turn) % len(shared)
            slope = shared[place](np.array([0.1, 0.2, 0.3]) * (k + 1))
            results[k, place, turn] = np.array_equal(slope, alone[k, place])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 16 * 40
    assert all(results.values())


# Random programs: two engines, and differences that know no rules

UNARY = [
    np.sin,
    np.tanh,
    np.arctan,
    lambda a: np.exp(-a * a),
    lambda a: np.sqrt(1 + a * a),
    lambda a: np.log1p(a**2),
    lambda a: a**3 / 4,
    lambda a: 2 - a,
    lambda a: a[::-1],
    lambda a: a[[1, 1, 0]],
    lambda a: np.roll(a, 1),
    np.cumsum,
    lambda a: a - np.mean(a),
    lambda a: a / (1 + np.linalg.norm(a)),
    lambda a: np.concatenate([a[1:], a[:1] * 2]),
    lambda a: np.stack([a, -a])[:, 1:].reshape(4)[:3],
    lambda a: np.outer(a, a) @ a,
    lambda a: np.linalg.solve(np.outer(a, a) + 2 * np.eye(3), a),
    lambda a: np.sum(a[:, None] * a[None, :], axis=1) / 3,
    lambda a: np.max(a) * a,
    lambda a: np.prod(a) + a,
    lambda a: np.sort(a),
    lambda a: np.abs(a),
]
BINARY = [
    np.add,
    np.subtract,
    np.multiply,
    np.hypot,
    np.maximum,
    lambda a, b: a / (1 + b * b),
    lambda a, b: np.where(a > b, a, b * b),
    lambda a, b: a if a[0] > b[1] else a * b,
    lambda a, b: np.cross(a, b),
    lambda a, b: (a @ b) * b[0] + a,
    lambda a, b: np.einsum("i,j->ij", a, b)[0],
]
STEPS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))


def program(steps):
    """Each step applies a function to earlier results."""

    def run(x):
        known = [x, x[0] * np.array([0.5, -1.0, 2.0])]
        for choice, first, second in steps:
            a, b = known[-1 - first % len(known)], known[second % len(known)]
            choice %= len(UNARY) + len(BINARY)
            if choice < len(UNARY):
                known.append(UNARY[choice](a))
            else:
                known.append(BINARY[choice - len(UNARY)](a, b))
        return np.sum(known[-1])

    return run


def differences(f, x, step):
    slope = [
        sum(w * (f(x + k * step * e) - f(x - k * step * e)) for k, w in WEIGHTS.items())
        for e in np.eye(3)
    ]
    return np.array(slope) / step


@settings(max_examples=150, deadline=None)
@given(
    st.lists(STEPS, min_size=1, max_size=8),
    st.lists(st.integers(-60, 60), min_size=3, max_size=3),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_programs(steps, at):
    f, x = program(steps), np.array(at) / 32 + 0.01 * np.array([1, 2, 3])
    assume(np.isfinite(f(x)) and abs(f(x)) < 1e6)
    slope = gradient(f)(x)
    scale = 1 + np.max(np.abs(slope))
    np.testing.assert_allclose(slope, dm.gradient(f)(x), rtol=0, atol=1e-11 * scale)
    curved = dm.hvp(f)(x, np.ones(3))
    np.testing.assert_allclose(
        hvp(f)(x, np.ones(3)),
        curved,
        rtol=0,
        atol=1e-9 * (scale + np.max(np.abs(curved))),
    )
    wide, narrow = differences(f, x, STEP), differences(f, x, STEP / 4)
    if np.max(np.abs(wide - narrow)) < 1e-9 * scale:  # no kink is near
        np.testing.assert_allclose(slope, narrow, rtol=0, atol=1e-8 * scale)
