"""`np.array` of traced items works with every function, not only where NumPy can."""

import functools

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.item_arrays import joining, makes_arrays, stores

EXACT = ["dual_numbers", "taylor_series", "reverse_tape", "numpy_source"]
x = np.array([1.1, 0.7])


def determinant(x):
    return np.linalg.det(np.array([[x[0], x[1]], [x[1], 3 * x[0]]]))


def helper(x):
    return np.mean(np.asarray([x[0], x[1] * x[0]]))


def through_a_helper(x):
    return helper(x) * 2


def made_inside(x):
    def inner(y):
        return np.std(np.array([y[0], y[1] * y[0], 1.0]))

    return inner(x)


class Model:
    def value(self, x):
        return np.linalg.norm(np.linalg.solve(np.array([[x[0], 1], [2, 5.0]]), x))

    def __call__(self, x):
        return self.value(x)


FUNCTIONS = {
    "determinant": (determinant, [6 * x[0], -2 * x[1]]),
    "through a helper": (through_a_helper, [1 + x[1], x[0]]),
    "partial": (functools.partial(lambda a, x: a * determinant(x), 2.0), None),
    "method": (Model().value, None),
    "object": (Model(), None),
    "made inside": (made_inside, None),
    "median": (lambda x: np.median(np.array([x[0], x[1]])), [0.5, 0.5]),
    "matrix of rows": (lambda x: np.linalg.det(np.array([x, x[::-1]])), None),
    "other dtype": (lambda x: np.mean(np.array([x[0], x[1]], dtype=float)), [0.5, 0.5]),
}


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name, method):
    f, want = FUNCTIONS[name]
    if want is None:
        want = dm.gradient(f, method="central_difference")(x)
        np.testing.assert_allclose(dm.gradient(f, method=method)(x), want, rtol=1e-7)
    else:
        np.testing.assert_allclose(dm.gradient(f, method=method)(x), want, rtol=1e-14)


def test_constants_stay_numpys():
    f = joining(lambda x: np.array([1.0, 2.0]))
    assert type(f(x)) is np.ndarray
    assert joining(lambda x: np.asarray(x, int))(x).dtype == int


def test_only_functions_that_make_arrays_change():
    assert joining(np.tanh) is None
    assert joining(lambda x: np.sin(x)) is None
    assert joining(len) is None
    assert makes_arrays(through_a_helper, set())


def test_names_are_looked_up_when_they_are_read():
    names = {"np": np, "scale": 2.0, "__builtins__": __builtins__}
    exec("def f(x):\n    return np.linalg.det(np.array([[x[0]]])) * scale", names)
    new = joining(names["f"])
    assert new(x) == pytest.approx(2.2)
    names["scale"] = 3.0
    assert new(x) == pytest.approx(3.3)
    del names["scale"]
    with pytest.raises(NameError, match="scale"):
        new(x)


def counted():
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return np.mean(np.array([x[0], x[1]])) * count

    return f


def test_a_function_that_writes_to_names_outside_keeps_its_own():
    f = counted()
    assert stores(f.__code__)
    assert joining(f) is None


def test_recursion_in_a_closure():
    def outer():
        def f(x, depth=2):
            return f(x, depth - 1) if depth else np.mean(np.array([x[0], x[1]]))

        return f

    np.testing.assert_allclose(dm.gradient(outer())(x), [0.5, 0.5])


def test_a_name_without_a_value_yet():
    def outer():
        def f(x):
            return np.array([x[0]]) if x is None else later

        new = joining(f)
        later = 1.0
        return new, later

    new, _ = outer()
    with pytest.raises(NameError):
        new(x)
