"""Colours for the columns of a sparse matrix, so that one product serves many.

Columns of one colour are added up before the derivative is taken along their sum.  What
a colouring must avoid is that two of them meet in an item that is to be read off.  The
best colouring is hard to find [1]_; taking the first colour that is free, column after
column, comes near it.  A set of colours is the bits of one integer.

References
----------
.. [1] Gebremedhin, Manne and Pothen (2005), *What color is your Jacobian?*, SIAM
   Review 47, 629-705.
"""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np


def column_colours(pattern: Any) -> Any:
    """Colour columns so that no two of one colour have an item in the same row.

    Parameters
    ----------
    pattern : scipy.sparse array
        True where an item may be other than 0.

    Returns
    -------
    ndarray of int
        A colour from 0 for each column.
    """
    pattern = pattern.tocsc()
    degrees = np.diff(pattern.indptr)
    return fewer(columns_in_turn, neighbours(pattern), degrees, pattern.shape[0])


def star_colours(pattern: Any) -> Any:
    """Colour a symmetric matrix so that each item can be read in one of two places.

    Any four vertices in a row on the matrix's graph have three colours at least, so
    that what two colours share falls into stars; and neighbours differ.

    Parameters
    ----------
    pattern : scipy.sparse array
        True where an item may be other than 0; symmetric.

    Returns
    -------
    ndarray of int
        A colour from 0 for each column.
    """
    pattern = pattern.tocsr()
    degrees = np.diff(pattern.indptr)
    return fewer(stars_in_turn, neighbours(pattern), degrees, pattern.shape[0])


def neighbours(pattern: Any) -> list[list[int]]:
    """The items of each row of a CSR array, or of each column of a CSC array."""
    ends, indices = pattern.indptr.tolist(), pattern.indices.tolist()
    return [indices[a:b] for a, b in itertools.pairwise(ends)]


def fewer(colour: Any, graph: list[list[int]], degrees: Any, count: int) -> Any:
    """Go as the columns stand, then the fullest first; the fewer colours win."""
    natural, fullest = range(len(graph)), np.argsort(-degrees, kind="stable").tolist()
    return min((colour(graph, order, count) for order in (natural, fullest)), key=most)


def most(colours: Any) -> int:
    """How many colours there are."""
    return int(colours.max(initial=-1)) + 1


def first_free(taken: int) -> int:
    """The lowest bit that is not set."""
    return (~taken & (taken + 1)).bit_length() - 1


def columns_in_turn(graph: list[list[int]], order: Iterable[int], rows: int) -> Any:
    """Each row remembers the colours of the columns that it meets."""
    met, colours = [0] * rows, np.zeros(len(graph), int)
    for column in order:
        taken = 0
        for row in graph[column]:
            taken |= met[row]
        colours[column] = colour = first_free(taken)
        for row in graph[column]:
            met[row] |= 1 << colour
    return colours


def stars_in_turn(graph: list[list[int]], order: Iterable[int], count: int) -> Any:
    """Each vertex remembers what its neighbours' colours forbid.

    A path v-w-x-y in two colours is complete when its last vertex gets one.  If that is
    an end v, then w and y have one colour and x forbids its own to v: `ends` of w.  If
    it is v in the middle of w-v-b-e, then w and b have one colour: it is `twice` beside
    v, and the neighbours of b forbid theirs.
    """
    colours = [-1] * count
    beside = [0] * count  # the colours of a vertex's neighbours
    twice = [0] * count  # those that two of them share
    ends = [0] * count  # the colours that end a path which runs through it
    first: dict[tuple[int, int], int] = {}  # a neighbour of each colour
    for v in order:
        near = [w for w in graph[v] if w != v]
        taken = beside[v]
        for w in near:
            if colours[w] >= 0:
                taken |= ends[w]
                if twice[v] >> colours[w] & 1:
                    taken |= beside[w]
        colours[v] = colour = first_free(taken)
        bit = 1 << colour
        for w in near:
            its = 1 << colours[w] if colours[w] >= 0 else 0
            if beside[w] & bit:
                twice[w] |= bit
                ends[v] |= its
                ends[first[w, colour]] |= its
            else:
                beside[w] |= bit
                first[w, colour] = v
            if twice[v] & its:
                ends[w] |= bit
    return np.array(colours, int)
