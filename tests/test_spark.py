"""Spark: the same numbers as on one machine, on a cluster of a master and two workers.

All of it needs ``pytest -m spark``, which starts the cluster. Each function is asked once of
the generated logs, joined into one, and a few functions of each odd log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cases import AS_OF, Case, cases, draw_acts, drawn_cases, joined, real_cases
from cluster import Cluster, wait_for
from conformance import (
    FUNCTIONS,
    INSTANTS,
    KNOWN_AT,
    Function,
    check,
    check_reading,
    compare,
    expected,
    log_of,
)
from distributions import Site
from engines import ENGINES, Engine, from_arrow
from engines_page import check_column
from scrmkit import InteractionLog, InvalidTable, engagement, relationships
from scrmkit.errors import ScrmkitError
from scrmkit.plugins import Number, lift


pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

FUNCTION = {function.title: function for function in FUNCTIONS}
MEASURE, SCORE = FUNCTION["relationships.measure"], FUNCTION["engagement.score"]
SEVERAL = next(each for each in FUNCTIONS if each.title.startswith("engagement.score, several"))
CASE = {case.name: case for case in cases()}
ODD = ("no rows", "one row", "integer ids", "no target", "no ids of acts", "one kind for all")


@pytest.fixture(scope="module")
def engine(spark: Any) -> Engine:
    """Tables of the cluster."""
    from pyspark.sql import DataFrame, functions

    def make(frame: pl.DataFrame) -> DataFrame:
        table = spark.createDataFrame(frame.to_arrow())
        local = [name for name, dtype in frame.schema.items() if dtype == pl.Datetime("us", None)]
        return table.withColumns(
            {name: functions.col(name).cast("timestamp_ntz") for name in local}
        )

    return Engine(
        "Spark",
        "pyspark",
        make,
        lambda table: from_arrow(table.toArrow()),
        lambda table: isinstance(table, DataFrame),
    )


@cache
def drawn() -> Case:
    """The generated logs as one."""
    return joined(drawn_cases())


@pytest.fixture(scope="module")
def log(engine: Engine) -> InteractionLog:
    """The generated logs on the cluster."""
    return log_of(drawn(), engine)


@cache
def outcome(function: Function, engine: Engine, log: InteractionLog) -> str:
    """What the docs say of a function, having compared it."""
    return check(function, drawn(), engine, log)


@cache
def reading(case: str, engine: Engine) -> str:
    """What the docs say of a log, having compared its rows."""
    return check_reading(CASE[case], engine)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.title)
def test_every_function_answers_as_on_one_machine(
    function: Function, engine: Engine, log: InteractionLog
) -> None:
    """What Spark says is what Polars says, and it comes as a table of Spark."""
    assert outcome(function, engine, log) == "yes"


@pytest.mark.parametrize("case", CASE)
def test_logs_are_taken_as_on_one_machine(case: str, engine: Engine) -> None:
    """Times of every zone and unit, ids of every type: the same rows, or a clear refusal."""
    assert reading(case, engine) in ("yes", "no")


@pytest.mark.parametrize("case", ODD)
def test_odd_logs_give_the_same_numbers(case: str, engine: Engine) -> None:
    """No rows, one row, other ids, missing columns: what is counted is the same."""
    log = log_of(CASE[case], engine)
    for function in (MEASURE, SCORE):
        assert check(function, CASE[case], engine, log) == "yes"


def test_real_logs_give_the_same_numbers(engine: Engine, shared_data: Path) -> None:
    """Messages of students and e-mail of an institute, with integer ids and one kind."""
    for case, function in zip(real_cases(shared_data), (MEASURE, SCORE), strict=True):
        assert check(function, case, engine, log_of(case, engine)) == "yes"


MODEL = """
    class Model:
        name, version, weights, half_life, cap_per_day = "acme", "1", None, None, 3

        def value(self, activity, dispersion, exposure):
            share = activity / (activity + dispersion * exposure ** 0.5)
            return 100 * share, 60 * share, 60 * share + 40

    model = Model()
"""


def test_a_model_of_a_plugin_answers_as_on_one_machine(
    engine: Engine, log: InteractionLog, site: Site
) -> None:
    """Its arithmetic passes through Spark, and the workers need nothing of it."""
    site.install("acme-crm", {"models": {"acme": "model"}}, MODEL)
    function = Function(
        "engagement.score",
        "model of a plugin",
        lambda log, *_: engagement.score(log, as_of=AS_OF, model="acme-crm:acme"),
        scale=("score", "high"),
    )
    assert check(function, drawn(), engine, log) == "yes"


def test_annotations_fill_a_log_on_spark(engine: Engine) -> None:
    """They were made elsewhere: an enricher runs on this machine, and says so."""
    case = CASE["all columns"]
    log, there = log_of(case, ENGINES["Polars"]), log_of(case, engine)
    kind = lift(version="1", needs=["kind"], fields={"length": Number()})(
        lambda interaction: {"length": 1 / len(interaction.kind)}
    )
    with pytest.raises(InvalidTable, match="an enricher runs on this machine"):
        there.annotate(kind)
    notes = log.annotate(kind)
    filled, wanted = (
        engine_log.with_annotations(notes, {"valence": "length"}).frame
        for engine_log in (there, log)
    )
    columns = ["id", "target", "valence"]
    found = engine.read(filled.select(columns))
    assert found.sort(columns).rows() == wanted.select(columns).sort(columns).rows()


def test_the_page_says_what_runs_on_spark(engine: Engine, log: InteractionLog) -> None:
    """The tables of the docs are those that this run would write."""
    found: dict[str, str] = {}
    for function in FUNCTIONS:
        cell = outcome(function, engine, log)
        assert found.setdefault(f"`{function.name}`", cell) == cell
    check_column(engine.name, found | {case: reading(case, engine) for case in CASE})


@pytest.fixture
def setting(spark: Any) -> Iterator[Callable[[str, Any], None]]:
    """Changes a setting of the session until the end of the test."""
    before: dict[str, str | None] = {}

    def change(name: str, value: Any) -> None:
        before.setdefault(name, spark.conf.get(name))
        spark.conf.set(name, value)

    yield change
    for name, value in before.items():
        spark.conf.unset(name) if value is None else spark.conf.set(name, value)


ZONE = "spark.sql.session.timeZone"


@pytest.mark.parametrize("times", ["instants", "local times"])
def test_a_session_that_is_not_in_utc_is_refused(
    times: str, engine: Engine, spark: Any, setting: Callable[[str, Any], None]
) -> None:
    """The error has the line that mends it, and after that line the numbers are right.

    A session that has left UTC again is refused again.
    """
    case = CASE["all columns"]
    if times == "local times":
        case = CASE["times without a zone, in UTC"]
    table = engine.make(case.table)
    for zone in ("Europe/London", "Etc/UTC", "Asia/Kolkata"):
        setting(ZONE, zone)
        with pytest.raises(InvalidTable, match="column 'time'") as refused:
            InteractionLog.from_frame(table, **case.options)
        line = re.search(r"spark\.conf\.set\(.*?\)", str(refused.value))
        assert line is not None
        exec(line[0], {"spark": spark})  # noqa: S102 - it is what a reader would do
        mended = InteractionLog.from_frame(table, **case.options)
    assert check(MEASURE, case, engine, mended) == "yes"


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"columns": {"source": "sauce"}}, r"'sauce'. Did you mean 'source'\? It has: 'id'"),
        ({"time": "time STRING"}, {}, "column 'time' of a lazy table is of type String: make it"),
        ({"source": "source DOUBLE"}, {}, "column 'source' holds ids and is of type Float64"),
        ({"value": "value DOUBLE"}, {}, "column 'value' holds money and is of type Float64"),
        ({"automated": "automated STRING"}, {}, "column 'automated' holds truth values"),
        ({"time": "time TIMESTAMP_NTZ"}, {}, "times of column 'time' have no time zone"),
        ({"source": "source BIGINT"}, {}, "source holds integers and target text"),
    ],
)
def test_errors_name_the_column(
    change: Mapping[str, str], options: Mapping[str, Any], message: str, spark: Any
) -> None:
    """Before anything is computed, and with what the table has or what would do."""
    columns = {
        "id": "id STRING", "time": "time TIMESTAMP", "kind": "kind STRING",
        "source": "source STRING", "target": "target STRING",
    }  # fmt: skip
    empty = spark.createDataFrame([], ", ".join({**columns, **change}.values()))
    with pytest.raises(ScrmkitError, match=message):
        InteractionLog.from_frame(empty, **options)


# What runs where: jobs, and plans.

ROWS_TO_DRIVER = ("collect", "toArrow", "toPandas", "take", "head", "tail", "first")
OTHER_ACTIONS = (
    *("toLocalIterator", "foreach", "foreachPartition", "count", "isEmpty", "show"),
    *("cache", "persist", "checkpoint", "localCheckpoint"),
)


class Watch:
    """What was asked of the cluster.

    Attributes:
        actions: the names of the actions.
        rows: how many rows came to the driver, at most, by one of them.
        jobs: the numbers of the jobs that ran.
    """

    def __init__(self) -> None:
        self.actions: list[str] = []
        self.rows = 0
        self.jobs: list[int] = []

    def note(self, name: str, action: Callable[..., Any]) -> Callable[..., Any]:
        """The same action, which tells of itself."""

        def noted(table: Any, *arguments: Any, **options: Any) -> Any:
            self.actions.append(name)
            found = action(table, *arguments, **options)
            if name in ROWS_TO_DRIVER:
                self.rows = max(self.rows, len(found) if hasattr(found, "__len__") else 1)
            return found

        return noted


@contextmanager
def watch(spark: Any) -> Iterator[Watch]:
    """Note the actions and the jobs of a block."""
    from pyspark.sql.classic.dataframe import DataFrame

    context, watched = spark.sparkContext, Watch()
    group = f"watch {id(watched)}"
    context.setJobGroup(group, group)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in (*ROWS_TO_DRIVER, *OTHER_ACTIONS):
                patch.setattr(DataFrame, name, watched.note(name, getattr(DataFrame, name)))
            yield watched
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)
        context._jsc.sc().listenerBus().waitUntilEmpty()
        watched.jobs = list(context.statusTracker().getJobIdsForGroup(group))


def tables(log: InteractionLog, groups: Mapping[Any, Any]) -> dict[str, Any]:
    """What every function makes of a log, none of it computed."""
    return {
        "frame": log.frame,
        "rejected": log.rejected,
        "measure": relationships.measure(log).frame,
        "measure, known_at": relationships.measure(log, as_of=AS_OF, known_at=KNOWN_AT).frame,
        "measure, groups": relationships.measure(log, as_of=AS_OF, group=groups).frame,
        "together": relationships.together(log).frame,
        "score": engagement.score(log).frame,
        "score, several instants": engagement.score(log, as_of=INSTANTS).frame,
        "top": relationships.measure(log).top(3),
    }


@pytest.fixture(scope="module")
def promised(engine: Engine, spark: Any) -> tuple[Mapping[str, Any], Watch]:
    """The tables of the generated logs, and what was asked of the cluster for them."""
    acts = engine.make(drawn().table)
    with watch(spark) as watched:
        made = tables(InteractionLog.from_frame(acts), drawn().groups)
    return made, watched


def test_nothing_runs_before_it_is_asked_for(promised: tuple[Mapping[str, Any], Watch]) -> None:
    """A log and all that is made of it are promises: no job, no row for the driver."""
    _, watched = promised
    assert (watched.actions, watched.jobs) == ([], [])


def test_what_runs_is_noted(spark: Any) -> None:
    """The watch sees actions, rows and jobs."""
    with watch(spark) as watched:
        spark.range(100).groupBy("id").count().collect()
    assert (watched.actions, watched.rows) == (["collect"], 100)
    assert watched.jobs


def test_questions_about_the_whole_bring_a_few_rows(
    engine: Engine, log: InteractionLog, spark: Any
) -> None:
    """The last instant is one row, a grouping is looked through by two, a summary has counts."""
    with watch(spark) as watched:
        assert relationships.measure(log).parameters["as_of"].tzinfo is not None
    assert watched.rows == 1
    groups = drawn().groups
    parties = pl.DataFrame({"customer": list(groups), "party": list(groups.values())})
    table = engine.make(parties)
    with watch(spark) as watched:
        relationships.measure(log, as_of=AS_OF, group=table)
    assert watched.rows <= 1
    with watch(spark) as watched:
        log.summary()
    assert watched.rows < 25
    with watch(spark) as watched:
        relationships.measure(log, as_of=AS_OF).left_out  # noqa: B018 - it is counted now
    assert watched.rows == 1


def nodes(plan: Any) -> Iterator[Any]:
    """The steps of a plan, the last one first."""
    yield plan
    children = plan.children()
    for number in range(children.size()):
        yield from nodes(children.apply(number))


def name_of(node: Any) -> str:
    """What Spark calls a step."""
    return str(node.getClass().getSimpleName())


def steps_of(table: Any) -> list[Any]:
    """The steps by which Spark would compute a table."""
    plan = table._jdf.queryExecution().executedPlan()
    if name_of(plan) == "AdaptiveSparkPlanExec":
        plan = plan.initialPlan()
    return list(nodes(plan))


def has_one_row(plan: Any) -> bool:
    """Whether a plan is an aggregate without keys, with nothing but columns made of it."""
    while name_of(plan) in {"ProjectExec", "FilterExec"}:
        plan = plan.child()
    return name_of(plan).endswith("AggregateExec") and plan.groupingExpressions().isEmpty()


def faults(table: Any) -> list[str]:
    """The steps that one machine would have to do alone, or that leave the JVM."""
    found = []
    for step in steps_of(table):
        name = name_of(step)
        alone = (
            name == "ShuffleExchangeExec"
            and step.outputPartitioning().toString() == "SinglePartition"
        )
        if (alone or name == "BroadcastExchangeExec") and not has_one_row(step.child()):
            found.append(step.toString())
        if name.startswith("Window") and step.partitionSpec().isEmpty():
            found.append(step.toString())
        if (
            "Python" in name
            or "Pandas" in name
            or "Arrow" in name
            or name == "CartesianProductExec"
        ):
            found.append(step.toString())
    return found


@pytest.fixture
def no_small_tables(setting: Callable[[str, Any], None]) -> None:
    """Spark takes no table of more than a row for small enough to be sent everywhere."""
    setting("spark.sql.autoBroadcastJoinThreshold", 512)


def test_no_step_is_for_one_machine(
    promised: tuple[Mapping[str, Any], Watch], no_small_tables: None
) -> None:
    """No plan gathers, ranks or sends everywhere what grows with the data.

    An exchange to one partition, or to all machines, carries the single row of an aggregate
    without keys; a window has a partition; nothing leaves the JVM.
    """
    made = {name: table for name, table in promised[0].items() if name != "top"}
    assert {name: faults(table) for name, table in made.items()} == {name: [] for name in made}


def test_such_steps_would_be_found(engine: Engine, spark: Any, no_small_tables: None) -> None:
    """A rank over everything, one partition, a forced broadcast and Python code are faults."""
    from pyspark.sql import Window, functions

    acts = engine.make(drawn().table).select("source", "time")
    ranked = functions.row_number().over(Window.orderBy("time"))
    assert faults(acts.select(ranked))
    assert faults(acts.coalesce(9).repartition(1))
    assert faults(acts.join(functions.broadcast(acts), on="source"))
    assert faults(acts.crossJoin(acts.select("source").distinct()))
    assert faults(acts.mapInArrow(lambda batches: batches, acts.schema))
    assert not faults(acts.crossJoin(acts.agg(functions.max("time"))))


def test_plans_do_not_grow_beyond_bounds(log: InteractionLog) -> None:
    """Divisions within divisions are written once: the plan of scores is a few pages."""
    plan = engagement.score(log, as_of=AS_OF).frame._jdf.queryExecution().optimizedPlan()
    assert len(plan.toString()) < 200_000


# A worker is lost.

FILES, FIRST = 12, 4


def executors(spark: Any) -> dict[str, Any]:
    """What Spark knows of its executors, those that it lost among them, by their number."""
    found = spark.sparkContext._jsc.sc().statusStore().executorList(False)
    each = [found.apply(number) for number in range(found.size())]
    return {one.id(): one for one in each if one.id() != "driver"}


def wait_for_executors(spark: Any, count: int = 2) -> None:
    """Go on as soon as so many executors are there."""

    def ready() -> bool:
        return sum(one.isActive() for one in executors(spark).values()) >= count

    wait_for(ready, f"{count} executors")


def hold(table: Any, gate: Path) -> Any:
    """The same table, of which all partitions but the first few wait until a file is there."""
    path, first = str(gate), FIRST

    def wait(batches: Iterator[Any]) -> Iterator[Any]:
        import time
        from pathlib import Path

        from pyspark import TaskContext

        end = time.monotonic() + 300
        while TaskContext.get().partitionId() >= first and not Path(path).exists():
            if time.monotonic() > end:
                raise TimeoutError(path)
            time.sleep(0.02)
        yield from batches

    return table.mapInArrow(wait, table.schema)


def lose_a_worker(spark: Any, cluster: Cluster, gate: Path, table: Any) -> pl.DataFrame:
    """Compute a held table, and kill a worker that has done some of it, with its executor."""
    tracker = spark.sparkContext.statusTracker()
    before = {number: one.completedTasks() for number, one in executors(spark).items()}

    def halfway() -> bool:
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        return any(stage and FIRST <= stage.numCompletedTasks < stage.numTasks for stage in stages)

    def done_by(number: str) -> int:
        return executors(spark)[number].completedTasks() - before.get(number, 0)

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(table.toArrow)
        try:
            wait_for(lambda: job.done() or halfway(), "some of the tasks")
            active = [number for number, one in executors(spark).items() if one.isActive()]
            victim = max(active, key=done_by)
            assert done_by(victim) > 0
            next(worker for worker in cluster.workers if worker.runs_executor(victim)).kill()
            wait_for(lambda: not executors(spark)[victim].isActive(), "the loss of an executor")
            assert not job.done()
        finally:
            gate.touch()
        return from_arrow(job.result(timeout=300))


@pytest.mark.parametrize("function", [MEASURE, SCORE], ids=lambda function: function.title)
def test_a_lost_worker_does_not_change_the_numbers(
    function: Function,
    spark: Any,
    cluster: Cluster,
    tmp_path: Path,
    setting: Callable[[str, Any], None],
) -> None:
    """A worker and its executor are killed amid a shuffle; what they had done is done again."""
    parts = [
        draw_acts(seed, size=80).with_columns(
            (pl.lit(f"{seed:02d}:") + pl.col("id", "retracts")).name.keep()
        )
        for seed in range(FILES)
    ]
    case = Case("a lake", pl.concat(parts))
    lake = tmp_path / "lake"
    lake.mkdir()
    for number, part in enumerate(parts):
        part.write_parquet(lake / f"{number:02d}.parquet")
    cluster.fill_up()
    wait_for_executors(spark)
    setting("spark.sql.files.minPartitionNum", FILES)
    table = hold(spark.read.parquet(str(lake)), tmp_path / "gate")
    log = InteractionLog.from_frame(table)
    made = function.call(log, case, None).frame
    got = lose_a_worker(spark, cluster, tmp_path / "gate", made)
    compare(expected(function, case), got, function, where=function.title)
