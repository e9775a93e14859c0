"""Adjoints of steps, where the cotangent has another shape than the value."""

import numpy as np
import pytest

import diffmethods as dm

ORDERED = np.arange(6.0)
CALLS = {
    "reshape": lambda x: np.reshape(x, (2, 3)),
    "reshape by columns": lambda x: np.reshape(x, (2, 3), order="F"),
    "ravel by columns": lambda x: np.ravel(np.reshape(x, (3, 2)), "F"),
    "transpose": lambda x: np.transpose(np.reshape(x, (2, 3))),
    "transpose of three axes": lambda x: np.transpose(x.reshape(1, 2, 3), (2, 0, 1)),
    "squeeze": lambda x: np.squeeze(np.reshape(x, (2, 1, 3))),
    "expand_dims": lambda x: np.expand_dims(x, 0),
}


@pytest.mark.parametrize("method", ["numpy_source", "reverse_tape"])
@pytest.mark.parametrize("name", CALLS)
def test_a_weight_goes_back_to_the_item_that_was_moved(name, method):
    """The slope of a weighted sum of moved items is the weights, moved back."""
    moved = CALLS[name](ORDERED)
    weights = (ORDERED + 1).reshape(moved.shape)
    want = np.empty(6)
    want[moved.ravel().astype(int)] = ORDERED + 1
    slope = dm.gradient(lambda x: np.sum(CALLS[name](x) * weights), method=method)
    np.testing.assert_array_equal(slope(ORDERED), want)
    all_alike = dm.gradient(lambda x: np.sum(CALLS[name](x)), method=method)
    np.testing.assert_array_equal(all_alike(ORDERED), np.ones(6))


SHAPES = [
    *[((3, 3), (3,)), ((3, 3), (1, 3)), ((1, 3), (3, 1)), ((3, 1), (3,))],
    *[((1, 3), (3,)), ((2, 3, 3), (1, 3)), ((1, 1, 3), (3, 3)), ((3,), (2, 3))],
]


@pytest.mark.parametrize("method", ["numpy_source", "reverse_tape"])
@pytest.mark.parametrize(("of_x", "of_c"), SHAPES)
def test_what_broadcasting_copied_is_summed(of_x, of_c, method):
    x = np.linspace(0.5, 1.5, int(np.prod(of_x))).reshape(of_x)
    c = np.linspace(1.0, 2.0, int(np.prod(of_c))).reshape(of_c)
    whole = np.broadcast_shapes(of_x, of_c)
    places = np.broadcast_to(np.arange(x.size).reshape(of_x), whole)
    copies = np.bincount(places.ravel(), np.broadcast_to(c, whole).ravel())
    product = dm.gradient(lambda x: np.sum(x * c), method=method)(x)
    np.testing.assert_allclose(product, copies.reshape(of_x), rtol=1e-15)
    quotient = dm.gradient(lambda x: np.sum(x / (1 / c)), method=method)(x)
    np.testing.assert_allclose(quotient, copies.reshape(of_x), rtol=1e-15)


def test_a_number_out_of_a_complex_einsum():
    """d^2/dx^2 of Re (a . a x)^2, whose weight is a complex number."""
    a = np.array([1 + 2j, 3 - 1j])
    f = lambda x: np.real(np.einsum("i,i->", x * a, a) ** 2)
    x, squares = np.array([0.3, 0.4]), a * a
    want = 2 * np.real(squares * (squares @ x))
    found = dm.hvp(f, method="numpy_source")(x, x)
    np.testing.assert_allclose(found, want, rtol=1e-14)
