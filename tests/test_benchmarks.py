"""The benchmarks' own machinery: its clock, its contests and its table."""

import dataclasses
import io
import json
import math

import numpy as np
import pytest

import diffmethods as dm

pytest.importorskip("scipy")

from benchmarks import (
    by_hand,
    contest,
    functions,
    record,
    sweep,
    table,
    threads,
    timing,
)
from benchmarks.accuracy import worst_error
from benchmarks.rows import ROWS
from benchmarks.table import Figure, Outcome, Quantity, Row

BRIEF = dataclasses.replace(table.QUICK, rounds=1, span=1e-4)
ROW = Row(
    99,
    "Trivial",
    (
        Quantity("cost", "× f", at_most=2),
        Quantity("time", "µs"),
        Quantity("share", at_least=0.5),
    ),
    ("dual_numbers",),
    lambda effort, names: [
        Figure("cost", names[0], 3.0),
        Figure("cost", "a peer", 1.0, peer=True),
        Figure("time", names[0], 2e-6),
        Figure("share", names[0], 0.5),
        Figure("share", "an absent peer", "not installed", peer=True),
    ],
)


@pytest.fixture
def outcome():
    return table.measured(ROW, BRIEF)


class Clock:
    """A clock that shows how many seconds of work were done."""

    def __init__(self, monkeypatch):
        self.seconds = 0.0
        for name in ("perf_counter", "process_time"):
            monkeypatch.setattr(timing.time, name, lambda: self.seconds)

    def work(self, seconds):
        def run():
            self.seconds += seconds

        return run


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_a_ratio_is_that_of_the_work(clock):
    candidates = {"triple": clock.work(3.0), "half": clock.work(0.5)}
    timings = timing.side_by_side(clock.work(1.0), candidates, 3, 4.0, 100.0)
    assert timings["triple"] == timing.Timing(3.0, 3.0, 3.0)
    assert timings["half"] == timing.Timing(0.5, 0.5, 0.5)


def test_short_calls_are_repeated_until_they_fill_the_span(clock):
    assert timing.repetitions(clock.work(0.25), span=10.0) == 40
    assert timing.repetitions(clock.work(20.0), span=10.0) == 1


def test_the_garbage_collector_is_given_back_as_it_was():
    import gc

    assert gc.isenabled()
    with timing.without_garbage_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_slow_candidate_is_asked_only_as_long_as_patience_lasts(clock):
    calls = []
    slow = lambda: calls.append(clock.work(2.0)())
    timing.side_by_side(clock.work(1.0), {"slow": slow}, 5, 1.0, patience=3.0)
    assert len(calls) == 3  # once to count how many calls fill the span, then twice


def test_the_first_call_counts_what_happens_once(clock):
    build = lambda: clock.work(1.0)
    assert timing.first_call(build) == 1.0
    assert timing.first_call(lambda: lambda: 1 / 0) == math.inf


def test_a_figure_becomes_a_cell_with_its_unit_and_verdict(outcome):
    cost, spent, share = ROW.quantities
    assert [outcome.now(q) for q in ROW.quantities] == ["3", "2", "0.5"]
    assert [outcome.met(q) for q in (cost, spent, share)] == [False, None, True]
    assert list(table.lines([outcome])) == [
        ("99", "Trivial: cost (× f)", "a peer 1", "at most 2", "3", "no"),
        ("", "time (µs)", "", "", "2", ""),
        ("", "share", "an absent peer not installed", "at least 0.5", "0.5", "yes"),
    ]


def test_a_row_whose_methods_do_not_exist_says_so():
    row = dataclasses.replace(ROW, methods=("yet_to_come",), measure=None)
    assert Outcome(row).now(row.quantities[0]) == table.NO_METHOD


def test_a_row_that_is_measured_elsewhere_says_where():
    row = dataclasses.replace(ROW, measure=None, elsewhere="`nox -s docs`")
    assert table.measured(row, BRIEF).now(row.quantities[0]) == "`nox -s docs`"


def test_the_table_is_printed(outcome):
    from rich.console import Console

    console = Console(file=io.StringIO(), width=120)
    console.print(table.rich_table([outcome], "a caption"))
    assert "at most 2" in console.file.getvalue()


def test_a_run_is_written_as_json(outcome, tmp_path):
    path = tmp_path / "run.json"
    sweeps = {"a task": {"someone": {1: math.inf, 10: 1.23456}}}
    record.write(path, record.to_dict([outcome], sweeps, record.machine()))
    run = json.loads(path.read_text("utf-8"))
    assert run["sweeps"]["a task"]["someone"] == {"1": "inf", "10": 1.235}
    assert run["rows"][0]["quantities"][0]["peers"] == {"a peer": 1.0}
    assert {"date", "machine", "versions"} <= run.keys()


def test_a_contest_keeps_who_fails_with_the_reason():
    def missing():
        raise ModuleNotFoundError("no such library")

    entered = [
        contest.Candidate("able", False, lambda: lambda: 1.0),
        contest.Candidate("absent", True, missing),
        contest.Candidate("unable", True, lambda: lambda: 1 / 0),
    ]
    able, absent, unable = contest.contest(lambda: None, entered, BRIEF)
    assert able.timing is not None
    assert absent.figure("cost").value == "not installed"
    assert unable.figure("cost").value == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("operator", "make"),
    by_hand.BY_HAND,
    ids=lambda part: getattr(part, "__name__", part),
)
def test_what_is_written_by_hand_is_right(operator, make):
    x = functions.start(100)
    if make is functions.perceptron:
        x = functions.start(32 * 32).reshape(32, 32) / 5
    expected = getattr(dm, operator)(make(np))(x)
    found = by_hand.build(operator, make, x)()
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


def test_a_sweep_drops_who_would_take_too_long():
    patient = dataclasses.replace(BRIEF, patience=np.inf)
    task = ("derivative", functions.cubic, functions.point, (1, 10), ["dual_numbers"])
    assert [size for size, _ in sweep.sweep(*task, patient, everyone=False)] == [1, 10]
    assert sweep.foretold((10, 0.5), 100, 2) == pytest.approx(50)
    hasty = dataclasses.replace(BRIEF, patience=0.0)
    *_, (size, results) = sweep.sweep(*task, hasty, everyone=False)
    assert (size, results) == (10, [])


def test_an_error_is_counted_in_units_in_the_last_place():
    assert worst_error([1 + 2**-51, 2.0], [1.0, 2.0]) == 2
    assert worst_error([math.nan], [1.0]) == math.inf


def test_rows_are_numbered_and_name_their_quantities_once():
    assert [row.number for row in ROWS] == list(range(1, 20))
    for row in ROWS:
        names = [quantity.name for quantity in row.quantities]
        assert len(names) == len(set(names))
        assert (row.measure is None) == bool(row.elsewhere)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_a_row_asks_the_registry_which_of_its_methods_exist(row):
    assert set(row.existing()) == set(row.methods) & set(dm.list_methods())


def test_threads_are_pinned_before_numpy_or_not_at_all():
    with pytest.raises(RuntimeError, match="before"):
        threads.pin()
