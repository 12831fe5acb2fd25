"""Every engine gives the same answer, in a table of its own kind; what cannot be is said so.

Some functions and logs are tried on every engine that is installed. ``SCRMKIT_ENGINES=all``
tries all of them, which takes minutes with Ibis and Dask; with ``SCRMKIT_WRITE_ENGINES=1``
besides, it writes the page of the docs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cases import AS_OF, Case, cases, draw_acts, drawn_cases, joined, real_cases
from conformance import (
    FUNCTIONS,
    INSTANTS,
    Function,
    check,
    check_reading,
    compare,
    expected,
    forget,
    log_of,
)
from engines import ENGINES, READ, Engine, find
from engines_page import FUNCTION_ROWS, LOG_ROWS, check_column, read_page
from scrmkit import (
    InteractionLog,
    engagement,
    relationships,
)


pytestmark = [
    # Ibis and Dask use what is going away in DuckDB, pandas and Narwhals
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'future.infer_string' option"),
    pytest.mark.filterwarnings("ignore:Dask support is moving out of Narwhals"),
    pytest.mark.filterwarnings("ignore:the last act of the log"),
]

ALL = os.environ.get("SCRMKIT_ENGINES") == "all"
EAGER = [name for name, engine in ENGINES.items() if not engine.lazy]
LAZY = [name for name, engine in ENGINES.items() if engine.lazy]
ODD = ("Polars lazy", "pandas")

# what is asked in the quick run of engines that have the rows of Polars, or take long
FEW = {
    "pandas": ("frame", "rejected", "measure", "together", "score", "rank", "top"),
    "pandas Arrow": ("frame", "measure", "together", "score"),
    "pyarrow": ("frame", "measure", "rank"),
    "Arrow stream": ("frame", "measure", "rank"),
    "DuckDB": ("frame", "measure", "score"),
    "Ibis": ("measure",),
    "Dask": ("measure",),
}
FEW_LOGS = {
    "pandas Arrow": (
        *("short integer ids", "nanoseconds", "times in Kolkata", "seconds since 1970"),
        *("NaN for no valence", "times that no calendar has"),
    ),
    "pyarrow": ("all columns", "texts for times, truths and numbers"),
    "Arrow stream": ("all columns", "times without a zone, in London"),
    "DuckDB": ("times without a zone, in UTC", "times in Kolkata"),
    "Ibis": (),
    "Dask": (),
}
SHAPES = {
    "no rows": ("measure", "score"),
    "one row": ("measure",),
    "integer ids": ("measure",),
    "no target": ("score",),
    "no ids of acts": ("measure",),
    "one kind for all": ("measure",),
}
MEASURE, SCORE = (
    next(each for each in FUNCTIONS if each.title == name)
    for name in ("relationships.measure", "engagement.score")
)
BY_NAME = {case.name: case for case in cases()}


@cache
def drawn() -> Case:
    """Generated logs as one."""
    return joined(drawn_cases(12 if ALL else 5))


@cache
def drawn_log(engine: Engine) -> InteractionLog:
    """The generated logs as a table of an engine."""
    return log_of(drawn(), engine)


@cache
def outcome(function: Function, engine: Engine) -> str:
    """What the page says of a function, having compared it."""
    return check(function, drawn(), engine, drawn_log(engine))


@cache
def reading(case: str, engine: Engine) -> str:
    """What the page says of a log, having compared it."""
    return check_reading(BY_NAME[case], engine)


def is_asked(function: Function, engine: str) -> bool:
    """Whether a function is asked of an engine in this run."""
    few = FEW.get(engine)
    return ALL or few is None or (function.quick and function.name.rpartition(".")[2] in few)


def is_read(case: str, engine: str) -> bool:
    """Whether a log is made of a case on an engine in this run."""
    few = FEW_LOGS.get(engine)
    return ALL or few is None or case in few


def pairs(rows: Any, wanted: Callable[[Any, str], bool]) -> list[Any]:
    """Each row with each engine, where the two are wanted."""
    return [
        pytest.param(row, name, id=f"{name}-{row if isinstance(row, str) else row.title}")
        for name in ENGINES
        for row in rows
        if wanted(row, name)
    ]


@pytest.fixture(scope="module", autouse=True)
def _tables() -> Iterator[None]:
    """Let go of the tables at the end, and of the connections that hold them."""
    yield
    for made in (drawn_log, outcome, reading):
        made.cache_clear()
    forget()


@pytest.mark.parametrize(("function", "name"), pairs(FUNCTIONS, is_asked))
def test_functions_answer_alike(function: Function, name: str) -> None:
    """An engine gives the numbers and rows of Polars, in a table that the page names."""
    assert outcome(function, find(name)) in ("yes", "as Polars")


@pytest.mark.parametrize(("case", "name"), pairs(BY_NAME, is_read))
def test_logs_are_taken_alike(case: str, name: str) -> None:
    """Times of every zone and unit, ids of every type: the same rows, or a clear refusal."""
    assert reading(case, find(name)) in ("yes", "no")


def is_odd(case: str, engine: str) -> bool:
    """Whether an odd log is counted on an engine in this run."""
    if engine == "DuckDB":
        return ALL or case == "no rows"
    return engine in ODD or (ALL and engine != "Dask")


@pytest.mark.parametrize(("case", "name"), pairs(SHAPES, is_odd))
def test_odd_logs_give_the_same_numbers(case: str, name: str) -> None:
    """No rows, one row, other ids, missing columns: what is counted is the same."""
    engine, odd = find(name), BY_NAME[case]
    log = log_of(odd, engine)
    for function in (MEASURE, SCORE):
        if ALL or function.name.rpartition(".")[2] in SHAPES[case]:
            assert check(function, odd, engine, log) in ("yes", "as Polars")


REAL = ENGINES if ALL else ("Polars lazy", "DuckDB")


@pytest.mark.parametrize("name", REAL)
def test_real_logs_give_the_same_numbers(name: str, shared_data: Path) -> None:
    """Messages of students and e-mail of an institute, with integer ids and one kind."""
    engine = find(name)
    for case, function in zip(real_cases(shared_data), (MEASURE, SCORE), strict=True):
        log = log_of(case, engine)
        for each in (MEASURE, SCORE) if ALL else (function,):
            assert check(each, case, engine, log) in ("yes", "as Polars")


@pytest.mark.parametrize("name", ENGINES)
def test_the_page_says_what_runs_where(name: str) -> None:
    """The tables of the docs are those that this run would write."""
    engine = find(name)
    found: dict[str, str] = {}
    for function in FUNCTIONS:
        if is_asked(function, name):
            cell = outcome(function, engine)
            assert found.setdefault(f"`{function.name}`", cell) == cell
    found |= {case: reading(case, engine) for case in BY_NAME if is_read(case, name)}
    check_column(name, found)


def test_the_page_has_a_cell_for_everything() -> None:
    """No function, log or engine is missing from the page."""
    page = read_page()
    assert tuple(page) == (*FUNCTION_ROWS, *LOG_ROWS)
    assert [row for row, cells in page.items() if "" in cells.values()] == []


def test_joined_logs_are_those_they_are_made_of() -> None:
    """The ties of a log are in the joined one, under ids that begin with its number."""
    log = log_of(drawn(), ENGINES["Polars"])
    together = relationships.measure(log, as_of=AS_OF, half_life=timedelta(days=30)).frame
    for number, case in enumerate(drawn_cases(5)):
        own = together.filter(pl.col("a").str.starts_with(f"{number:02d}:"))
        own = own.with_columns(pl.col("a", "b").str.slice(3))
        compare(expected(MEASURE, case), own, MEASURE, where=case.name)


def test_drawn_logs_have_what_logs_may_have() -> None:
    """Everything that goes wrong in logs occurs in the generated ones."""
    summary = log_of(drawn(), ENGINES["Polars"]).summary()
    assert set(summary.rules) == {
        "currency is no ISO 4217 code",
        "id is missing",
        "kind is missing",
        "source and target are missing",
        "source is empty",
        "the same id with other content",
        "time is missing",
        "valence is out of range",
        "value and currency are not both there",
    }
    assert summary.repeated
    assert summary.unknown_kinds
    frame = log_of(drawn(), ENGINES["Polars"]).frame
    for name in ("automated", "received_at", "retracts", "scope", "value", "valence"):
        assert 0 < frame[name].count() < len(frame)
    assert frame["time"].max() > AS_OF
    assert {*frame["source"].drop_nulls().str.slice(3)} >= {"国", "o'neil", "<b>", " z"}


LAZILY: dict[str, Callable[[InteractionLog], Any]] = {
    "frame": lambda log: log.frame,
    "rejected": lambda log: log.rejected,
    "measure": lambda log: relationships.measure(log).frame,
    "measure by groups": lambda log: relationships.measure(log, group={"ana": "ben"}).frame,
    "together": lambda log: relationships.together(log, on="about").frame,
    "score": lambda log: engagement.score(log).frame,
    "score at instants": lambda log: engagement.score(log, as_of=INSTANTS).frame,
    "top": lambda log: relationships.measure(log, as_of=AS_OF).top(3),
}


@pytest.mark.parametrize("name", LAZY)
def test_lazy_tables_stay_promises(name: str) -> None:
    """No function reads the rows of a lazy table; whoever asks for the result does."""
    engine = find(name)
    assert engine.unreadable is not None
    acts = draw_acts(7).filter(pl.col("id") == "z0")
    log = InteractionLog.from_frame(engine.unreadable(acts))
    for title, ask in LAZILY.items():
        if not ALL and name != "Polars lazy" and title not in ("measure", "score"):
            continue
        table = ask(log)
        assert engine.owns(table), title
        with pytest.raises(Exception, match=READ):
            engine.read(table)
