"""The tables: every method is in them, measured, against a reference that is named."""

import json

import numpy as np
import pytest
from installed import MISSING

import diffmethods as dm
from diffmethods.comparison import errors, shown
from diffmethods.errors import InputError, MissingLibraryError
from diffmethods.problems import PROBLEMS

POLYNOMIAL = PROBLEMS["polynomial"]


def test_every_method_gets_the_polynomial_right():
    table = dm.compare(POLYNOMIAL, 2.0)
    assert [row.method for row in table.rows] == dm.list_methods()
    assert table.exact == 17.0
    assert table.reference == "mpmath, 50 digits"
    for row in table.rows:
        if row.method in MISSING:
            assert row.note == MISSING[row.method]
            continue
        assert abs(row.value - 17) <= row.stated_error * 17, row
        assert row.relative_error <= row.stated_error
        assert row.evaluations is None or row.evaluations >= 1
        assert row.time_ratio > 0


def test_lost_digits_are_told():
    pytest.importorskip("jax")
    table = dm.compare(np.tanh, 20.0, methods=["dual_numbers", "jax"])
    assert "lose digits here: JAX" in table.caption
    assert "Dual" not in table.caption


def test_an_exact_derivative_is_preferred():
    table = dm.compare(np.tanh, 0.5, methods=["dual_numbers"], exact=lambda x: 1.0)
    assert table.reference == "given"
    assert table.rows[0].relative_error == pytest.approx(np.tanh(0.5) ** 2)


def test_without_mpmaths_help_the_problem_knows(monkeypatch):
    import diffmethods.reference

    def refuse(*args):
        raise NotImplementedError

    monkeypatch.setattr(diffmethods.reference, "derivative", refuse)
    table = dm.compare(POLYNOMIAL, 2.0, methods=["dual_numbers"])
    assert table.reference == "the problem's exact derivative"
    assert table.exact == 17.0
    table = dm.compare(POLYNOMIAL.f, 2.0, methods=["complex_step", "dual_numbers"])
    assert table.reference.endswith("the most exact here")
    table = dm.compare(np.fix, 2.5, methods=["complex_step", "central_difference"])
    assert np.isnan(dm.compare(POLYNOMIAL.f, 2.0, methods=["central_difference"]).exact)


def test_arrays_and_orders():
    x = np.array([0.5, 1.0, 2.0])
    table = dm.compare(POLYNOMIAL, x, order=2, methods=["dual_numbers", "complex_step"])
    np.testing.assert_array_equal(table.exact, 6 * x + 4)
    assert table.rows[0].relative_error < 1e-15
    assert table.rows[1].value is None
    assert "to order 1" in table.rows[1].note


def test_calls_are_counted():
    rows = dm.compare(np.exp, 1.0, methods=["central_difference", "dual_numbers"]).rows
    assert rows[1].evaluations == 1
    assert rows[0].evaluations >= 2


def test_the_table_reads_well():
    table = dm.compare(
        POLYNOMIAL, 2.0, methods=["dual_numbers", "complex_step"], order=2
    )
    text, html = str(table), table._repr_html_()
    assert "Dual numbers" in text
    assert "16.0" in text
    assert "complex_step gives derivatives" in text
    assert html.count("<tr>") == 3
    assert '<th scope="row">Dual numbers</th>' in html
    data = json.loads(json.dumps(table.to_dict()))
    assert data["rows"][0]["value"] == 16.0
    assert data["exact"] == 16.0


def test_capabilities():
    table = dm.capabilities()
    assert list(table.table) == dm.list_methods()
    assert table.table["complex_step"]["hessian"] == "no"
    for name, vjp in (("reverse_tape", "native"), ("jax", "native")):
        wanted = "not installed" if name in MISSING else vjp
        assert table.table[name]["vjp"] == wanted
    assert "dual_numbers" in str(table)
    assert "<table>" in table._repr_html_()


def test_progress_sees_every_method():
    seen = []

    def watch(names):
        for name in names:
            seen.append(name)
            yield name

    dm.compare(np.sin, 1.0, methods=["dual_numbers", "complex_step"], progress=watch)
    assert seen == ["dual_numbers", "complex_step"]


def test_errors_in_units_in_the_last_place():
    assert errors(1.0 + 2**-52, 1.0) == (2**-52, 1.0)
    assert errors(0.0, 0.0) == (0.0, 0.0)
    assert errors(1.0, 0.0)[0] == np.inf
    assert errors(np.array([]), np.array([])) == (0.0, 0.0)


def test_numbers_are_shown_in_full_and_arrays_in_short():
    assert shown(None) == ""
    assert shown(np.float64(0.1)) == "0.1"
    assert "..." in shown(np.arange(100.0))


def test_wrong_words():
    with pytest.raises(InputError, match="f must be a function"):
        dm.compare(3.0, 1.0)


def test_a_table_without_rich(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "rich.table", None)
    table = dm.compare(np.sin, 1.0, methods=["dual_numbers"])
    with pytest.raises(MissingLibraryError, match=r'pip install "diffmethods\[cli\]"'):
        str(table)
