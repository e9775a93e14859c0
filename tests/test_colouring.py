"""Colourings: what they promise, by brute force, and how few colours they take."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffmethods.colouring import column_colours, most, star_colours

sparse = pytest.importorskip("scipy.sparse")


@st.composite
def patterns(draw, symmetric=False):
    rows, columns = draw(st.integers(0, 12)), draw(st.integers(0, 12))
    if symmetric:
        rows = columns
    density = draw(st.floats(0, 1))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pattern = random.random((rows, columns)) < density
    return pattern | pattern.T if symmetric else pattern


@given(patterns())
def test_columns_of_one_colour_share_no_row(pattern):
    colours = column_colours(sparse.csr_array(pattern))
    assert len(colours) == pattern.shape[1]
    for colour in range(most(colours)):
        assert (pattern[:, colours == colour].sum(axis=1) <= 1).all()


@given(patterns(symmetric=True))
def test_star_colours(pattern):
    """Neighbours differ, and no path of four vertices has two colours."""
    colours = star_colours(sparse.csr_array(pattern))
    near = [
        np.flatnonzero(row & ~own)
        for row, own in zip(pattern, np.eye(len(pattern), dtype=bool), strict=True)
    ]
    for v, ws in enumerate(near):
        assert not (colours[ws] == colours[v]).any()
    for w, xs in enumerate(near):
        for x in xs:
            for v, y in itertools.product(near[w], near[x]):
                if v != x and y not in (w, v):
                    assert len(set(colours[[v, w, x, y]])) > 2


def band(n, width):
    places = range(-width, width + 1)
    return sparse.diags_array(
        [np.ones(n - abs(k)) for k in places], offsets=list(places), dtype=bool
    )


def arrow(n):
    full = np.eye(n, dtype=bool)
    full[0] = full[:, 0] = True
    return sparse.csr_array(full)


@pytest.mark.parametrize(
    ("pattern", "columns", "stars"),
    [
        (band(50, 0), 1, 1),
        (band(50, 1), 3, 3),  # no coloring of a tridiagonal matrix has fewer
        (arrow(50), 50, 2),
        (sparse.csr_array(np.ones((9, 9), bool)), 9, 9),
        (sparse.csr_array((9, 9), dtype=bool), 1, 1),
        (sparse.csr_array((0, 0), dtype=bool), 0, 0),
    ],
    ids=["diagonal", "tridiagonal", "arrow", "full", "empty", "nothing"],
)
def test_the_fewest_colours_are_found(pattern, columns, stars):
    assert most(column_colours(pattern)) == columns
    assert most(star_colours(pattern)) == stars


@pytest.mark.parametrize("width", [2, 3, 7])
def test_a_band_needs_as_many_colours_as_it_is_wide(width):
    """Coleman and Moré (1983): the columns in turn are optimal for a band."""
    assert most(column_colours(band(100, width))) == 2 * width + 1
    assert most(star_colours(band(100, width))) <= 2 * width + 1


def test_the_fullest_first_may_be_better():
    """Columns 0 and 1 fit together, and then nothing fits with them."""
    pattern = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]], bool)
    assert most(column_colours(sparse.csr_array(pattern))) == 2
