"""What every engine must answer alike: the public functions, and when two answers are equal.

`FUNCTIONS` has each public function that takes a log, with the options that change how it
goes through an engine. `answer` calls one on a log and brings what comes back into one form;
`check` compares it with Polars, to 1e-9 of the strength, and says how it went in the words
of the table in the docs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final

import attrs
import narwhals.stable.v2 as nw
import polars as pl
from attrs import frozen

from cases import AS_OF, Case
from engines import ENGINES, Engine, Stream, duckdb_connection, ibis_connection
from scrmkit import (
    InteractionLog,
    ScrmkitError,
    SocialGraph,
    communities,
    diffusion,
    engagement,
    influence,
    relationships,
    trust,
)


KNOWN_AT: Final = datetime(2026, 6, 20, tzinfo=UTC)
INSTANTS: Final = (datetime(2026, 3, 29, 1, tzinfo=UTC), KNOWN_AT, AS_OF)
HALF_LIFE: Final = timedelta(days=30)
WITHIN: Final = timedelta(days=2)
PRECISION: Final = 1e-9

Call = Callable[[InteractionLog, Case, Engine], Any]


@frozen(eq=False)
class Function:
    """A public function with certain options.

    Args:
        name: the function.
        options: what is special about this call, in words; empty for the plain one.
        call: calls it; what comes back is a table, a result, or plain values.
        scale: the columns of which 1e-9 is the difference that does not matter; all
            columns of numbers where there are none.
        ordered: whether the order of the rows is promised.
        quick: whether it is one of the few that are run on every engine every time.
        wants: what a case must have: ``"acts"``, ``"ties"``, and columns.
    """

    name: str
    options: str
    call: Call
    scale: tuple[str, ...] = ()
    ordered: bool = False
    quick: bool = False
    wants: str = ""

    @property
    def title(self) -> str:
        """The function with its options."""
        return f"{self.name}, {self.options}" if self.options else self.name


def _measure(log: InteractionLog, as_of: datetime | None = AS_OF, **options: Any) -> Any:
    return relationships.measure(log, as_of=as_of, half_life=HALF_LIFE, **options)


@lru_cache
def _ties(log: InteractionLog) -> Any:
    """The ties of a log, measured once for all functions that take ties."""
    return _measure(log)


@lru_cache
def _graph(log: InteractionLog) -> SocialGraph:
    return relationships.graph(_ties(log))


def _groups(case: Case, engine: Engine) -> Any:
    """The parties of a case as a table of the engine."""
    dtype = case.table[case.options.get("columns", {}).get("source", "source")].dtype
    table = pl.DataFrame(
        {"customer": list(case.groups), "party": list(case.groups.values())},
        schema={"customer": dtype, "party": dtype},
    )
    return engine.make(table)


def _parts(graph: SocialGraph) -> Mapping[str, Any]:
    """What a graph consists of, as plain values."""
    names = ("ids", "indptr", "indices", "weights")
    return {name: getattr(graph, name).tolist() for name in names}


def _chart(graph: SocialGraph) -> dict[Any, Any]:
    """An org chart: everybody reports to one of the half before them."""
    ids = graph.ids.tolist()
    return {one: ids[(place - 1) // 2] if place else None for place, one in enumerate(ids)}


def _first(log: InteractionLog) -> Any:
    rows = nw.from_native(log.frame)
    return rows.select(nw.col("source").alias("customer"), "time").to_native()


def _record(log: InteractionLog) -> Any:
    """Every act with a valence as a claim that was right if it was good."""
    rows = nw.from_native(log.frame).filter(~nw.col("valence").is_null())
    right = (nw.col("valence") > 0).alias("right")
    return rows.select(nw.col("source").alias("customer"), right).to_native()


@lru_cache
def _ratings(log: InteractionLog) -> Any:
    return trust.ratings(log, as_of=AS_OF)


@lru_cache
def _detected(log: InteractionLog) -> Any:
    return communities.detect(_graph(log), seed=7, significance=False)


TIES: Final = ("strength",)
SCORES: Final = ("score", "high")

FUNCTIONS: Final = (
    Function("InteractionLog.frame", "", lambda log, *_: log.frame, quick=True),
    Function("InteractionLog.rejected", "", lambda log, *_: log.rejected, quick=True),
    Function("InteractionLog.summary", "", lambda log, *_: attrs.asdict(log.summary())),
    Function("relationships.measure", "", lambda log, *_: _ties(log), scale=TIES),
    Function(
        "relationships.measure",
        "known at an instant, no half-life, groups as a mapping",
        lambda log, case, _: relationships.measure(
            log, as_of=AS_OF, known_at=KNOWN_AT, half_life=None, group=case.groups
        ),
        scale=TIES,
    ),
    Function(
        "relationships.measure",
        "to the last instant, groups as a table",
        lambda log, case, engine: _measure(log, None, group=_groups(case, engine)),
        scale=TIES,
        wants="acts",
        quick=True,
    ),
    Function("Ties.left_out", "", lambda log, *_: dict(_ties(log).left_out)),
    Function(
        "Result.top", "", lambda log, *_: _ties(log).top(5, by="n_ab"), ordered=True, quick=True
    ),
    Function(
        "Result.__arrow_c_stream__",
        "",
        lambda log, *_: Stream(pl.DataFrame(_ties(log))),
        scale=TIES,
    ),
    Function(
        "relationships.together",
        "",
        lambda log, *_: relationships.together(log, as_of=AS_OF, max_size=9),
        scale=TIES,
        wants="thread",
        quick=True,
    ),
    Function(
        "relationships.together",
        "about, to the last instant",
        lambda log, *_: relationships.together(log, on="about", half_life=HALF_LIFE),
        scale=TIES,
        wants="thread acts",
    ),
    Function(
        "SharedTies.incidence",
        "",
        lambda log, *_: relationships.together(log, as_of=AS_OF).incidence,
        wants="thread",
    ),
    Function("relationships.graph", "", lambda log, *_: _parts(_graph(log))),
    Function(
        "engagement.score", "", lambda log, *_: engagement.score(log, as_of=AS_OF), scale=SCORES
    ),
    Function(
        "engagement.score",
        "to the last instant",
        lambda log, *_: engagement.score(log),
        scale=SCORES,
        wants="acts",
    ),
    Function(
        "engagement.score",
        "several instants, known at one",
        lambda log, *_: engagement.score(log, as_of=INSTANTS, known_at=KNOWN_AT),
        scale=SCORES,
        quick=True,
    ),
    Function(
        "engagement.explain",
        "",
        lambda log, case, _: engagement.explain(log, case.customer, as_of=AS_OF).to_dict(),
        wants="acts",
    ),
    Function(
        "influence.rank", "", lambda log, *_: influence.rank(_ties(log)), ordered=True, quick=True
    ),
    Function("influence.brokers", "", lambda log, *_: influence.brokers(_graph(log))),
    Function(
        "influence.roles",
        "communities as groups",
        lambda log, *_: influence.roles(_graph(log), _detected(log)),
    ),
    Function(
        "influence.mediated",
        "",
        lambda log, *_: influence.mediated(_ties(log), _graph(log).ids[:2].tolist()),
    ),
    Function(
        "influence.hidden_leaders",
        "",
        lambda log, *_: influence.hidden_leaders(influence.rank(_ties(log)), _chart(_graph(log))),
        ordered=True,
    ),
    Function(
        "influence.reach_and_accuracy",
        "acts as claims",
        lambda log, *_: influence.reach_and_accuracy(
            influence.rank(_ties(log), method="strength_in"), _record(log)
        ),
        wants="source valence",
    ),
    Function(
        "influence.shuffle_test",
        "acts as times",
        lambda log, *_: influence.shuffle_test(_graph(log), _first(log), shuffles=19).to_dict(),
        wants="source acts",
    ),
    Function(
        "trust.ratings",
        "",
        lambda log, *_: _ratings(log),
        wants="source target valence",
        quick=True,
    ),
    Function(
        "trust.ratings",
        "known at an instant, half-life",
        lambda log, *_: trust.ratings(log, as_of=AS_OF, known_at=KNOWN_AT, half_life=HALF_LIFE),
        wants="source target valence",
    ),
    Function(
        "trust.ratings",
        "to the last instant",
        lambda log, *_: trust.ratings(log, half_life=HALF_LIFE),
        wants="source target valence acts",
    ),
    Function(
        "Ratings.left_out",
        "",
        lambda log, *_: dict(_ratings(log).left_out),
        wants="source target valence",
    ),
    Function(
        "trust.eigentrust",
        "",
        lambda log, *_: trust.eigentrust(_ratings(log)),
        ordered=True,
        wants="source target valence",
    ),
    Function(
        "trust.fairness_goodness",
        "",
        lambda log, *_: trust.fairness_goodness(_ratings(log)),
        ordered=True,
        wants="source target valence",
    ),
    Function(
        "trust.predict",
        "",
        lambda log, *_: trust.predict(_ratings(log), _ratings(log)),
        wants="source target valence",
    ),
    Function(
        "diffusion.cascades",
        "on the target",
        lambda log, *_: diffusion.cascades(log, on="target", as_of=AS_OF, within=WITHIN),
        ordered=True,
        quick=True,
        wants="source target",
    ),
    Function(
        "diffusion.cascades",
        "known at an instant, one kind",
        lambda log, *_: diffusion.cascades(
            log, on="target", as_of=AS_OF, known_at=KNOWN_AT, kinds=["message"]
        ),
        ordered=True,
        wants="source target",
    ),
    Function(
        "Cascades.carriers",
        "",
        lambda log, *_: diffusion.cascades(log, on="target", as_of=AS_OF).carriers,
        ordered=True,
        wants="source target",
    ),
    Function(
        "diffusion.learn_probabilities",
        "on the target",
        lambda log, *_: diffusion.learn_probabilities(log, on="target", within=WITHIN, as_of=AS_OF),
        ordered=True,
        quick=True,
        wants="source target",
    ),
    Function(
        "diffusion.learn_probabilities",
        "about",
        lambda log, *_: diffusion.learn_probabilities(log, on="about", within=WITHIN, as_of=AS_OF),
        ordered=True,
        wants="source target about",
    ),
    Function(
        "diffusion.private_opinion",
        "by kind, known at an instant",
        lambda log, *_: diffusion.private_opinion(
            log,
            as_of=AS_OF,
            known_at=KNOWN_AT,
            up=["thanks", "follow"],
            down=["reply", "purchase"],
        ),
        ordered=True,
    ),
    Function(
        "diffusion.private_opinion",
        "by valence",
        lambda log, *_: diffusion.private_opinion(log),
        ordered=True,
        wants="valence acts",
    ),
    Function(
        "diffusion.spread",
        "weighted cascade",
        lambda log, *_: diffusion.spread(
            _ties(log), _graph(log).ids[:2].tolist(), model="weighted_cascade", runs=50
        ),
        ordered=True,
        wants="ties",
    ),
    Function(
        "diffusion.seeds",
        "weighted cascade",
        lambda log, *_: diffusion.seeds(_ties(log), k=2, model="weighted_cascade", samples=5_000),
        ordered=True,
        wants="ties",
    ),
    Function(
        "diffusion.block",
        "weighted cascade",
        lambda log, *_: diffusion.block(
            _ties(log), _graph(log).ids[:1].tolist(), k=1, model="weighted_cascade", samples=5_000
        ),
        ordered=True,
        wants="ties",
    ),
    Function(
        "diffusion.probabilities",
        "",
        lambda log, *_: _parts(diffusion.probabilities(_graph(log), rate=0.5)),
    ),
    Function("communities.detect", "", lambda log, *_: _detected(log), ordered=True),
    Function(
        "Communities.communities", "", lambda log, *_: _detected(log).communities, ordered=True
    ),
)


def log_of(case: Case, engine: Engine) -> InteractionLog:
    """The log of a case, as a table of an engine."""
    return InteractionLog.from_frame(engine.make(case.table), **case.options)


def applies(function: Function, case: Case) -> bool:
    """Whether a function can be asked of a case."""
    wanted = set(function.wants.split())
    if "acts" in wanted and case.customer is None:
        return False
    if "ties" in wanted and len(_graph(_reference_log(case))) < 2:
        return False
    columns = wanted - {"acts", "ties"}
    return not columns or columns <= set(_reference_log(case).frame.columns)


def answer(function: Function, log: InteractionLog, case: Case, engine: Engine) -> tuple[Any, str]:
    """What a function says, in one form, and the kind of table that it was.

    A table becomes a Polars frame; plain values stay as they are, whatever the engine.
    """
    made = function.call(log, case, engine)
    table = getattr(made, "frame", made) if hasattr(made, "parameters") else made
    if isinstance(table, Stream):
        return pl.DataFrame(table), engine.gives
    if engine.owns(table):
        return engine.read(table), engine.gives
    for other in ENGINES.values():
        if other.owns(table):
            return other.read(table), other.gives
    return made, engine.gives


@cache
def _reference_log(case: Case) -> InteractionLog:
    return log_of(case, ENGINES["Polars"])


@cache
def expected(function: Function, case: Case) -> Any:
    """What Polars says."""
    return answer(function, _reference_log(case), case, ENGINES["Polars"])[0]


def check(function: Function, case: Case, engine: Engine, log: InteractionLog) -> str:
    """Refuse an answer that is not that of Polars; else say what the docs say of it."""
    got, kind = answer(function, log, case, engine)
    where = f"{function.title} on {engine.name}, {case.name}"
    compare(expected(function, case), got, function, where=where)
    return "yes" if kind == engine.gives else f"as {kind}"


def check_reading(case: Case, engine: Engine) -> str:
    """Whether a log can be made of a case; refuse rows that are not those of Polars."""
    try:
        log = log_of(case, engine)
    except ScrmkitError:
        return "no"
    for function in FUNCTIONS[:2]:
        check(function, case, engine, log)
    return "yes"


def compare(wanted: Any, got: Any, function: Function, *, where: str) -> None:
    """Fail where two answers are not equal."""
    if isinstance(wanted, pl.DataFrame):
        _compare_tables(wanted, got, function, where)
    else:
        _compare_values(wanted, got, where)


def _compare_tables(
    wanted: pl.DataFrame, got: pl.DataFrame, function: Function, where: str
) -> None:
    if function.name == "InteractionLog.rejected":
        wanted, got = (each.drop("row", strict=False) for each in (wanted, got))
    assert got.columns == wanted.columns, where
    assert len(got) == len(wanted), f"{where}: {len(got)} rows, not {len(wanted)}"
    wanted, got = _plain(wanted), _plain(got).cast(_plain(wanted).schema)
    if not function.ordered:
        wanted, got = (_in_order(each) for each in (wanted, got))
    numbers = [name for name, dtype in wanted.schema.items() if dtype.is_float()]
    rest = [name for name in wanted.columns if name not in numbers]
    for name in rest:
        assert got[name].to_list() == wanted[name].to_list(), f"{where}: {name}"
    scale = _scale(wanted, [name for name in function.scale if name in wanted.columns])
    for name in numbers:
        one, other = wanted[name], got[name]
        assert one.is_null().to_list() == other.is_null().to_list(), f"{where}: {name}"
        off = (one - other).abs() > PRECISION * pl.select(
            pl.max_horizontal(scale, one.abs())
        ).to_series()
        assert not off.any(), f"{where}: {name}, {one.filter(off)} and {other.filter(off)}"


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    """Times as microseconds, which have no last year, money with as many digits everywhere."""
    return table.with_columns(
        pl.selectors.datetime(time_zone="*").dt.epoch("us"),
        pl.selectors.decimal().cast(pl.Decimal(38, 6)),
    )


def _in_order(table: pl.DataFrame) -> pl.DataFrame:
    """The rows by all columns that are compared exactly, then by the others."""
    exact = [name for name, dtype in table.schema.items() if not dtype.is_float()]
    rest = [name for name in table.columns if name not in exact]
    return table.sort([*exact, *rest], nulls_last=True)


def _scale(table: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """For each row the number of which 1e-9 does not matter."""
    if not names:
        return pl.Series([0.0]).new_from_index(0, len(table))
    return table.select(pl.max_horizontal(pl.col(names).abs())).to_series()


def _compare_values(wanted: Any, got: Any, where: str) -> None:
    if isinstance(wanted, float) and isinstance(got, float):
        close = math.isclose(wanted, got, rel_tol=PRECISION, abs_tol=1e-12)
        assert close, f"{where}: {got}, not {wanted}"
    elif isinstance(wanted, Mapping):
        assert list(got) == list(wanted), where
        for key, value in wanted.items():
            _compare_values(value, got[key], f"{where}: {key}")
    elif isinstance(wanted, list | tuple):
        assert len(got) == len(wanted), where
        for place, (one, other) in enumerate(zip(wanted, got, strict=True)):
            _compare_values(one, other, f"{where}[{place}]")
    else:
        assert got == wanted, f"{where}: {got!r}, not {wanted!r}"


def forget() -> None:
    """Let go of all tables and connections, which some engines want before Python ends."""
    for made in (_ties, _graph, _detected, _ratings, _reference_log, expected):
        made.cache_clear()
    for connection in (duckdb_connection, ibis_connection):
        connection.cache_clear()
