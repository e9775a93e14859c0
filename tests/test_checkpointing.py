"""Checkpoints change what is remembered, and nothing that is computed."""

import tracemalloc

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.checkpointing import checkpoint
from diffmethods.errors import TracedValueError

STEPS = 10_000
ROOT = 100
X = np.linspace(0.5, 1.5, 100)


def step(x):
    return x + 1e-4 * np.sin(x)


def stretch(x, count=ROOT):
    for _ in range(count):
        x = step(x)
    return x


def plain(x):
    return np.sum(stretch(x, STEPS))


def checkpointed(x):
    block = checkpoint(stretch)
    for _ in range(STEPS // ROOT):
        x = block(x)
    return np.sum(x)


def peak(f, x):
    gradient = dm.gradient(f, method="reverse_tape")
    tracemalloc.start()
    slope = gradient(x)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return slope, used


def test_memory_grows_with_the_square_root_of_the_steps():
    whole, all_steps = peak(plain, X)
    blocks, two_roots = peak(checkpointed, X)
    np.testing.assert_allclose(blocks, whole, rtol=1e-12)
    one_step = all_steps / STEPS
    assert two_roots < 3 * 2 * ROOT * one_step
    assert two_roots < all_steps / 15


def test_a_logarithmic_scheme_nests_checkpoints():
    def halves(x, count):
        if count == 1:
            return step(x)
        half = checkpoint(lambda x: halves(x, count // 2))
        return half(half(x))

    x = np.linspace(0.5, 1.5, 2000)
    slope, used = peak(lambda x: np.sum(halves(x, 1024)), x)
    want, all_steps = peak(lambda x: np.sum(stretch(x, 1024)), x)
    np.testing.assert_allclose(slope, want, rtol=1e-12)
    assert all_steps > 1024 * x.nbytes
    assert used < 4 * 10 * x.nbytes  # two halves at each of 10 depths, and what is live


@pytest.mark.parametrize(
    "method", ["reverse_tape", "dual_numbers", "central_difference"]
)
def test_several_arguments_some_of_them_constant(method):
    weigh = checkpoint(lambda a, k, b: np.sum(k * a * np.sin(b)))
    f = lambda x: weigh(x[:2], np.array([1.0, 2.0]), x[1:]) * x[0]
    x = np.array([0.3, 0.5, 0.7])
    a, b, c = x
    want = [
        2 * a * np.sin(b) + 2 * b * np.sin(c),
        a * a * np.cos(b) + 2 * a * np.sin(c),
        2 * a * b * np.cos(c),
    ]
    rtol = max(1e-14, 100 * dm.get_method(method).rtol)
    np.testing.assert_allclose(dm.gradient(f, method=method)(x), want, rtol=rtol)


def test_second_derivatives_and_jacobians():
    inner = lambda x: np.cumsum(np.sin(x) * x[::-1])
    again = checkpoint(inner)
    x = X[:5]
    want = dm.jacobian(inner, method="dual_numbers")(x)
    got = dm.jacobian(again, method="reverse_tape")(x)
    np.testing.assert_allclose(got, want, rtol=1e-13)
    want = dm.hessian(lambda x: np.sum(step(inner(x) ** 2)), method="dual_numbers")(x)
    total = lambda x: np.sum(step(again(x) ** 2))
    got = dm.hessian(total, method="reverse_tape")(x)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    got = dm.hvp(total, method="reverse_tape")(x, x)
    np.testing.assert_allclose(got, want @ x, rtol=1e-12)


def test_a_result_that_does_not_depend_on_the_argument():
    f = lambda x: np.sum(checkpoint(lambda x: np.ones(2))(x) * x)
    np.testing.assert_array_equal(
        dm.gradient(f, method="reverse_tape")(np.ones(2)), [1, 1]
    )


def test_a_hidden_variable_is_refused():
    f = lambda x: checkpoint(lambda y: np.sum(x * y))(x)
    with pytest.raises(TracedValueError, match="not among its arguments"):
        dm.gradient(f, method="reverse_tape")(X)


def test_a_function_that_gives_another_result_the_second_time_is_refused():
    noise = np.random.default_rng(1)
    noisy = checkpoint(lambda x: np.sum(x * noise.normal(size=len(x))))
    with pytest.raises(TracedValueError, match="another result when"):
        dm.gradient(noisy, method="reverse_tape")(X)

    def with_a_factor_that_changes(x):
        factor = np.ones(len(x))
        y = checkpoint(lambda x: x * factor)(x)
        factor[3] = 2.0
        return np.sum(y)

    with pytest.raises(TracedValueError, match="another result when"):
        dm.gradient(with_a_factor_that_changes, method="reverse_tape")(X)


def test_results_that_are_not_finite_are_the_same_results():
    f = lambda x: checkpoint(lambda x: np.where(x > 0, np.log(np.abs(x)), np.nan))(x)
    with np.errstate(divide="ignore"):
        slope = dm.derivative(f, method="reverse_tape")(np.array([-1.0, 0.0, 2.0]))
    np.testing.assert_array_equal(slope, [0.0, 0.0, 0.5])


def test_without_a_derivative_it_is_the_function():
    np.testing.assert_array_equal(checkpoint(stretch)(X), stretch(X))
