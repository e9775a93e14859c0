"""Sweeps: many comparisons by one map, whoever's it is, and a bar to watch them."""

import json
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.errors import InputError, OptionError
from diffmethods.problems import PROBLEMS
from diffmethods.workers import mapped, with_bar

METHODS = ["dual_numbers", "central_difference"]
PAIR = [PROBLEMS["tanh"], PROBLEMS["polynomial"]]


def values(sweep):
    """What does not depend on the clock."""
    return [
        (case.function, case.size, case.comparison.order, row.method, row.error_ulp)
        for case in sweep.cases
        for row in case.comparison.rows
    ]


def test_a_sweep_goes_through_everything():
    points = [0.5, np.array([0.5, 1.0, 2.0])]
    found = dm.sweep(PAIR, points, orders=(1, 2), methods=METHODS)
    keys = [(c.function, c.size, c.comparison.order) for c in found.cases]
    assert keys == [
        (name, size, order)
        for name in ("tanh", "polynomial")
        for size in (1, 3)
        for order in (1, 2)
    ]
    for case in found.cases:
        assert [row.method for row in case.comparison.rows] == METHODS
        assert case.comparison.rows[0].relative_error < 1e-14
        assert case.comparison.rows[1].relative_error < 1e-6


def test_a_sweep_reads_well():
    found = dm.sweep({"cube": lambda x: x**3}, [2.0], methods=METHODS)
    text, html = str(found), found._repr_html_()
    assert "cube" in text
    assert "12.0" in text
    assert html.count("<tr>") == 3
    assert '<th scope="col">Points</th>' in html
    data = json.loads(json.dumps(found.to_dict()))
    assert data["cases"][0]["function"] == "cube"
    assert data["cases"][0]["rows"][0]["value"] == 12.0


def test_processes_give_the_rows_of_this_one():
    here = dm.sweep(PAIR, [0.5], methods=METHODS)
    there = dm.sweep(PAIR, [0.5], methods=METHODS, workers=2)
    assert values(there) == values(here)
    here = dm.compare(np.tanh, 0.5, methods=METHODS)
    there = dm.compare(np.tanh, 0.5, methods=METHODS, workers=2)
    assert [r.value for r in there.rows] == [r.value for r in here.rows]


def test_any_map_serves():
    here = values(dm.sweep(PAIR, [0.5, 1.5], methods=METHODS))
    with ThreadPoolExecutor(2) as executor:
        found = dm.sweep(PAIR, [0.5, 1.5], methods=METHODS, workers=executor.map)
    assert values(found) == here
    listed = dm.sweep(
        PAIR, [0.5, 1.5], methods=METHODS, workers=lambda f, jobs: list(map(f, jobs))
    )
    assert values(listed) == here


def test_the_maps_of_dask_serve():
    distributed = pytest.importorskip("distributed")
    functions = {"square": lambda x: x * x}  # it sends lambdas, too
    here = values(dm.sweep(functions, [0.5, 1.5], methods=METHODS))
    with distributed.Client(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as client:
        for map_ in (client.get_executor().map, client.map):
            found = dm.sweep(functions, [0.5, 1.5], methods=METHODS, workers=map_)
            assert values(found) == here


@pytest.mark.parametrize("workers", [0, -2, 1.5, True, "all", None])
def test_wrong_numbers_of_workers(workers):
    with pytest.raises(OptionError, match="workers must be a number of processes"):
        dm.sweep(PAIR, [0.5], workers=workers)


def test_all_processors():
    with mapped(-1) as map_:
        assert list(map_(math.sqrt, [1.0, 4.0])) == [1.0, 2.0]


def test_a_lambda_cannot_go_to_another_process():
    with pytest.raises(InputError, match="not a lambda"):
        dm.sweep({"f": lambda x: x}, [0.5], methods=METHODS, workers=2)


def test_functions_have_names():
    with pytest.raises(InputError, match="needs a name for each function"):
        dm.sweep([np.sin], [0.5])


def test_a_lazy_point_is_computed_for_the_table():
    da = pytest.importorskip("dask.array")
    x = np.linspace(0.1, 0.9, 9)
    row = dm.compare(np.sin, da.from_array(x, chunks=4), methods=METHODS).rows[0]
    assert type(row.value) is np.ndarray
    np.testing.assert_allclose(row.value, np.cos(x), rtol=1e-15)


def test_a_long_array_is_compared_with_the_problems_own_derivative():
    x = np.linspace(0.0, 1.0, 20_000)
    table = dm.compare(PROBLEMS["polynomial"], x, methods=["dual_numbers"])
    assert table.reference == "the problem's exact derivative"


def test_a_problem_of_your_own_goes_by_its_parts():
    import pickle
    from dataclasses import replace

    assert pickle.loads(pickle.dumps(PAIR[0])) is PAIR[0]
    other = replace(PAIR[0], name="other", derivatives=())
    assert pickle.loads(pickle.dumps(other)) == other


def test_the_names_go_by_without_rich(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert list(with_bar(["a", "b"])) == ["a", "b"]
