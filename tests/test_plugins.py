"""Plugins by name: found, loaded, refused, and never acting unasked."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from distributions import Site
from scrmkit import (
    DEFAULT_VOCABULARY,
    Interaction,
    InteractionLog,
    InvalidParameter,
    PluginError,
    Tracker,
    UnreadableFile,
    Vocabulary,
    communities,
    engagement,
    influence,
    plugins,
    relationships,
    report,
)
from scrmkit.__main__ import main


EVERYTHING = """
    from datetime import timedelta
    from pathlib import Path

    import numpy as np
    import polars as pl

    from scrmkit import Kind, UnreadableFile, Vocabulary
    from scrmkit.plugins import Number, Word, lift

    words = Vocabulary(name="acme", version="3", kinds=[
        Kind(name="fix", family="contribution", tie_weight=2, engagement_weight=4, aliases="patch"),
        Kind(name="post", family="contribution", tie_weight=1, engagement_weight=9),
    ])

    def lines(path):
        try:
            text = Path(path).read_text()
        except UnicodeDecodeError:
            raise UnreadableFile("no text") from None
        for number, line in enumerate(text.splitlines()):
            cells = line.split()
            fine = len(cells) == 3
            yield pl.DataFrame({
                "id": [number],
                "time": [cells[0] if fine else None],
                "source": [cells[1] if fine else None],
                "target": [cells[2] if fine else None],
                "kind": ["fix"],
                "rejected": [None if fine else "three words a line"],
            })

    def save(tables, path):
        with path.open("w") as file:
            for table in tables:
                file.writelines(f"{one}\\n" for one in table["source"])

    @lift(version="7", needs=["text"], fields={"mood": Number(low=-1, high=1), "topic": Word()})
    def feel(interaction):
        return {"mood": 0.5, "topic": "thanks"} if "thanks" in interaction.text else {"mood": -0.5}

    class Model:
        name, version, weights, cap_per_day = "acme", "2", {"post": 1.0}, 3
        half_life, parameters = timedelta(days=30), {"scale": 4}
        def value(self, activity, dispersion, exposure):
            score = 100 * activity / (activity + 4)
            return score, score / 2, score / 2 + 50

    model = Model()

    class Degree:
        parameters = {"scale": 2}
        def __call__(self, graph, rng):
            degree = 2.0 * np.diff(graph.indptr)
            return degree - 1, degree, degree + 1

    degree = Degree()

    def halves(graph, rng):
        return np.arange(len(graph)) % 2
"""
POINTS = {
    "vocabularies": {"acme": "words"},
    "readers": {"lines": "lines"},
    "writers": {"save": "save"},
    "enrichers": {"feel": "feel"},
    "models": {"acme": "model"},
    "measures": {"degree": "degree"},
    "detectors": {"halves": "halves"},
}


@pytest.fixture
def acme(site: Site) -> Site:
    """A distribution with a plugin of every kind."""
    site.install("acme-crm", POINTS, EVERYTHING)
    return site


def make_log() -> InteractionLog:
    """A few posts and messages with texts."""
    return InteractionLog.from_records(
        {
            "id": f"m{number}",
            "time": f"2026-03-{number + 1:02}T09:00Z",
            "kind": "post" if number % 3 == 0 else "message",
            "source": "ana" if number % 2 else "ben",
            "target": "ben" if number % 2 else "ana",
            "text": "thanks" if number % 4 == 0 else "no" if number % 4 == 1 else None,
            "valence": 1.0 if number == 1 else None,
        }
        for number in range(12)
    )


# Finding


def test_installed_plugins_are_listed_and_not_imported(acme: Site) -> None:
    """Each with its group, distribution and version, in order; no module of theirs is loaded."""
    found = plugins.installed()
    assert [(entry.group, entry.label, entry.version) for entry in found] == sorted(
        (group, f"acme-crm:{name}", "1.2") for group, names in POINTS.items() for name in names
    )
    assert "acme_crm" not in sys.modules
    assert [entry.label for entry in plugins.installed("models")] == ["acme-crm:acme"]


def test_an_unknown_group_is_refused() -> None:
    """The message lists the groups."""
    with pytest.raises(InvalidParameter, match="vocabularies, readers"):
        plugins.installed("shapes")


@pytest.mark.parametrize("name", ["degree", "acme-crm:degree", "Acme_CRM:degree"])
def test_a_plugin_has_a_short_and_a_full_name(acme: Site, name: str) -> None:
    """The distribution is spelled as pip spells it, in any of its ways."""
    ranking = influence.rank(nx.path_graph(3), method=name)
    assert ranking.parameters["method"] == "acme-crm:degree"
    assert ranking.parameters["method_version"] == "1.2"


def test_two_plugins_of_one_name_must_be_told_apart(acme: Site) -> None:
    """The error says how, and the full name works."""
    acme.install("other", {"measures": {"degree": "degree"}}, "degree = lambda graph, rng: []")
    with pytest.raises(InvalidParameter, match="'acme-crm:degree' or 'other:degree'"):
        influence.rank(nx.path_graph(3), method="degree")
    assert influence.rank(nx.path_graph(3), method="acme-crm:degree")[1] == 4


def test_an_unknown_name_is_refused_with_what_there_is(acme: Site) -> None:
    """Ours and theirs, and what was probably meant."""
    with pytest.raises(InvalidParameter, match=r"Did you mean 'degree'\?.*pagerank.*acme-crm:degr"):
        influence.rank(nx.path_graph(3), method="degre")
    with pytest.raises(InvalidParameter, match=r"no 'degree' among the readers.*acme-crm:lines"):
        InteractionLog.read("log.txt", reader="degree")


def test_names_of_ours_mean_ours(site: Site) -> None:
    """A plugin cannot stand in for a method, a vocabulary or a detector of scrmkit."""
    site.install(
        "thief",
        {
            "measures": {"pagerank": "nothing"},
            "detectors": {"leiden": "nothing"},
            "vocabularies": {"scrmkit": "nothing"},
        },
        "def nothing(*args): raise AssertionError",
    )
    assert influence.rank(nx.path_graph(3), method="pagerank").parameters["method"] == "pagerank"
    assert communities.detect(nx.path_graph(3)).parameters["method"] == "leiden"
    assert Vocabulary.load("scrmkit") is DEFAULT_VOCABULARY


@pytest.mark.parametrize("switch", ["off", " off "])
def test_plugins_can_be_switched_off(
    acme: Site, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    """Then not even a list of them is made; what scrmkit has itself works."""
    monkeypatch.setenv("SCRMKIT_PLUGINS", switch)
    for call in (
        plugins.installed,
        lambda: influence.rank(nx.path_graph(3), method="degree"),
        lambda: Vocabulary.load("acme"),
        lambda: engagement.score(make_log(), model="acme"),
    ):
        with pytest.raises(PluginError, match="SCRMKIT_PLUGINS is 'off'"):
            call()
    assert "acme_crm" not in sys.modules
    assert len(influence.rank(nx.path_graph(3))) == 3
    assert Vocabulary.load("scrmkit") is DEFAULT_VOCABULARY


def test_a_list_allows_some_distributions(acme: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are as if they were not installed."""
    acme.install("other", {"measures": {"degree": "degree"}}, "degree = lambda graph, rng: []")
    monkeypatch.setenv("SCRMKIT_PLUGINS", "Acme.CRM, third")
    assert {entry.distribution for entry in plugins.installed()} == {"acme-crm"}
    assert influence.rank(nx.path_graph(3), method="degree")[1] == 4
    with pytest.raises(InvalidParameter, match="no 'other:degree'"):
        influence.rank(nx.path_graph(3), method="other:degree")


# Failing


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("1 / 0", "cannot be loaded from 'bad:thing': ZeroDivisionError"),
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("other = 1", "AttributeError"),
        ("def thing(graph, rng): return 1\nthing.protocol = 2", "speaks version 2 .* serves versi"),
        ("def thing(graph, rng): return 1\nthing.protocol = 'x'", "speaks version 'x'"),
        ("thing = 7", "bad:thing is of type int: a function"),
        ("class thing: pass", "bad:thing is the class thing: a function"),
        ("def thing(graph, rng): raise KeyError('ana')", "bad:thing raised KeyError"),
        ("def thing(graph, rng): return 'ab'", "value of bad:thing must be numbers"),
        ("def thing(graph, rng): return [1, 2]", "one number for each of the 3 customers"),
        ("def thing(graph, rng): return [1, 2, float('nan')]", "must be finite"),
        ("def thing(graph, rng): return [1], [2]", "one array, or three"),
        ("def thing(graph, rng): return [2] * 3, [1] * 3, [3] * 3", "low <= value <= high"),
        (
            "def thing(graph, rng): return [1] * 3\nthing.parameters = 3",
            "bad:thing: parameters is no mapping",
        ),
    ],
)
def test_a_plugin_that_fails_is_named_and_nothing_else_fails(
    acme: Site, code: str, problem: str
) -> None:
    """The error names distribution and entry point; other plugins work, and ours."""
    acme.install("bad", {"measures": {"thing": "thing"}}, code)
    with pytest.raises(PluginError, match=problem) as caught:
        influence.rank(nx.path_graph(3), method="thing")
    assert "bad:thing" in str(caught.value)
    assert "ana" not in str(caught.value)
    assert influence.rank(nx.path_graph(3), method="degree")[1] == 4


def test_the_command_lists_what_is_plugged_in(
    acme: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, ready or with what is wrong with it."""
    acme.install(
        "bad",
        {
            "measures": {"late": "late", "lost": "lost"},
            "models": {"sum": "sum"},
            "enrichers": {"plain": "late"},
            "vocabularies": {"words": "late"},
        },
        "sum = object()\ndef late(*args): pass\nlate.protocol = 9",
    )
    assert main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["GROUP", "NAME", "DISTRIBUTION", "VERSION", "PROTOCOL", "STATE"]
    assert len(lines) == 1 + 7 + 5
    shown = {tuple(line.split()[:3]): line for line in lines[1:]}
    assert shown["models", "acme", "acme-crm"].split()[3:] == ["1.2", "1", "ready"]
    assert "lacks name, version" in shown["models", "sum", "bad"]
    assert "?         bad:lost" in shown["measures", "lost", "bad"]
    assert "9         bad:late 1.2 speaks version 9" in shown["measures", "late", "bad"]


def test_the_command_says_that_there_is_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty list is said in words; plugins that are off are an error."""
    monkeypatch.setenv("SCRMKIT_PLUGINS", "nobody")
    assert main(["plugins"]) == 0
    assert "none is installed" in capsys.readouterr().out
    monkeypatch.setenv("SCRMKIT_PLUGINS", "off")
    assert main(["plugins"]) == 2
    assert "plugins are off" in capsys.readouterr().err


NOTHING = "def f(rows): pass\nf.version, f.needs, f.fields = "
RAISING = """
class M:
    name, version, weights, half_life, cap_per_day = "a", "1", {}, None, 1
    def value(self, *_):
        raise RuntimeError("ana")
f = M()
"""


@pytest.mark.parametrize(
    ("group", "code", "problem"),
    [
        (
            "enrichers",
            NOTHING + "'1', None, {}",
            "needs must",
        ),
        (
            "enrichers",
            NOTHING + "1, [], {}",
            "version must",
        ),
        (
            "enrichers",
            NOTHING + "'1', [], {1: 2}",
            "a Word",
        ),
        (
            "models",
            "class M:\n  protocol = property(lambda self: 1 / 0)\nf = M()",
            "raises ZeroDivisionError",
        ),
        (
            "models",
            RAISING,
            "raises RuntimeError",
        ),
        ("models", "class f: pass", "lacks"),
        ("vocabularies", "f = 'words'", "give a Vocabulary"),
        ("measures", "print('hello')\nraise ImportError('a\\nb')", "ImportError: a b"),
    ],
)
def test_one_bad_plugin_does_not_hide_the_others(
    acme: Site, capsys: pytest.CaptureFixture[str], group: str, code: str, problem: str
) -> None:
    """The list has a line for each, whatever one of them does."""
    acme.install("bad", {group: {"f": "f"}}, code)
    assert main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 7 + 1
    (line,) = [line for line in lines if " bad " in line]
    assert problem in line


def test_the_switch_is_named_where_it_hides_a_plugin(
    acme: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where it says nothing, or where a name of ours was misspelled."""
    monkeypatch.setenv("SCRMKIT_PLUGINS", "other")
    with pytest.raises(InvalidParameter, match=r"SCRMKIT_PLUGINS allows other alone"):
        influence.rank(nx.path_graph(3), method="degree")
    monkeypatch.setenv("SCRMKIT_PLUGINS", " , ")
    with pytest.raises(PluginError, match="names no distribution"):
        plugins.installed()
    monkeypatch.setenv("SCRMKIT_PLUGINS", "OFF")
    with pytest.raises(PluginError, match=r"'pagernk' is none of pagerank.*plugins are off"):
        influence.rank(nx.path_graph(3), method="pagernk")


def test_odd_names_can_be_chosen(site: Site) -> None:
    """A name with a colon, and a distribution without a name of its own."""
    site.install("odd", {"measures": {"a:b": "f"}}, "def f(graph, rng): return [7] * len(graph)")
    assert influence.rank(nx.path_graph(2), method="a:b")[0] == 7
    assert influence.rank(nx.path_graph(2), method="odd:a:b")[0] == 7
    site.forget_metadata("odd")
    assert [entry.label for entry in plugins.installed()] == ["unknown:a:b"]


# Acting


def test_installing_changes_no_number(site: Site) -> None:
    """What every existing call gives is what it gave before."""

    def everything() -> list[Any]:
        log = make_log()
        ties = relationships.measure(log)
        found = communities.detect(ties)
        return [
            ties.frame,
            dict(ties.parameters),
            engagement.score(log).frame,
            dict(engagement.score(log).parameters),
            influence.rank(ties).frame,
            dict(influence.rank(ties).parameters),
            found.frame,
            found.modularity,
            log.vocabulary.digest,
            report.build(log).html,
        ]

    before = everything()
    site.install("acme-crm", POINTS, EVERYTHING)
    assert plugins.installed()
    for one, other in zip(before, everything(), strict=True):
        if isinstance(one, pl.DataFrame):
            assert_frame_equal(one, other, rel_tol=1e-12, check_row_order=False)
        else:
            assert one == other
    assert "acme_crm" not in sys.modules


def test_vocabularies_are_put_together(acme: Site) -> None:
    """The later one wins, and name, version and digest say what it is made of."""
    both = Vocabulary.load("scrmkit", "acme")
    assert (both.name, both.version) == ("default + acme", "1 + 3")
    assert both["patch"].name == "fix"
    assert both["post"].engagement_weight == 9
    assert Vocabulary.load("acme", "scrmkit")["post"].engagement_weight == 2
    assert Vocabulary.load("acme").name == "acme"
    assert both["resolve"].aliases == ("resolve",)  # which had the word before
    assert DEFAULT_VOCABULARY.extend(both["fix"], name="x")["fix"].engagement_weight == 4
    with pytest.raises(InvalidParameter, match="at least one name"):
        Vocabulary.load()


def test_kinds_of_a_plugin_are_not_second_class(acme: Site) -> None:
    """They weigh in ties and scores, and stand in explanations with their acts."""
    acts = [
        {"id": f"f{day}", "time": f"2026-03-{day:02}T09:00Z", "kind": "patch", "source": "ana",
         "target": "ben"}
        for day in range(1, 9)
    ]  # fmt: skip
    log = InteractionLog.from_records(acts, vocabulary=Vocabulary.load("scrmkit", "acme"))
    assert relationships.measure(log, half_life=None).frame["strength"].item() == 16
    why = engagement.explain(log, "ana")
    assert [(kind.kind, kind.n) for kind in why.kinds] == [("fix", 8)]


def test_a_model_is_used_by_name_in_every_form(acme: Site) -> None:
    """In batch, live, in explanations and on the page alike."""
    log = make_log()
    scores = engagement.score(log, model="acme")
    assert (scores.parameters["model"], scores.parameters["model_version"]) == ("acme", "2")
    tracker = Tracker(model="acme-crm:acme")
    for act in log.frame.filter(kind="post").iter_rows(named=True):
        tracker.record(
            Interaction(**{name: act[name] for name in ("id", "time", "kind", "source", "target")})
        )
    live = tracker.score("ana", as_of=scores.parameters["as_of"])
    assert tracker.model.name == "acme"
    why = engagement.explain(log, "ana", model="acme")
    row = scores.frame.filter(customer="ana").row(0, named=True)
    for value in (why.score.value, live.value):
        assert value == pytest.approx(row["score"], abs=1e-9)
    assert sum(kind.points for kind in why.kinds) == pytest.approx(row["score"], abs=1e-9)
    page = report.build(log, model="acme").html
    assert "acme, version 2" in page
    assert "halved for every 30 days of its age" in page
    assert "in engagement, of the model 'acme'" in html.unescape(page)
    row = page[page.index(">post</") :]
    assert re.findall(r">([\d.]+)</td>", row)[:3] == ["4", "1", "1"]


def test_the_page_takes_plugins_from_the_command_line(acme: Site, tmp_path: Path) -> None:
    """A reader, a vocabulary and a model, each by its name."""
    source = tmp_path / "log.txt"
    source.write_text("2026-03-01T09:00Z ana ben\n2026-03-02T09:00Z ben ana\nbroken\n")
    out = tmp_path / "page.html"
    options = ["--reader", "lines", "--vocabulary", "scrmkit", "--vocabulary", "acme"]
    assert main(["report", str(source), *options, "--model", "acme", "--out", str(out)]) == 0
    page = out.read_text()
    assert "three words a line" in page
    assert "default + acme" in page
    assert "acme, version 2" in page


def test_a_measure_brings_bounds_and_parameters(acme: Site) -> None:
    """As those of scrmkit do, in order of rank."""
    ranking = influence.rank(nx.star_graph(3), method="degree", seed=5)
    assert ranking.frame.row(0) == (0, 6.0, 1, 5.0, 7.0)
    assert ranking.parameters["method_parameters"]["scale"] == 2
    assert len(ranking.parameters["method_parameters"]["digest"]) == 16
    assert ranking.parameters["seed"] == 5


def test_a_measure_may_be_a_function() -> None:
    """It is called with the graph and a generator made of the seed."""

    def draw(graph: Any, rng: np.random.Generator) -> Any:
        return rng.random(len(graph))

    found = influence.rank(nx.path_graph(4), method=draw, seed=3)
    assert found[0] == np.random.default_rng(3).random(4)[0]
    assert found.parameters["method"].endswith("draw")


@pytest.mark.parametrize("value", [1j, "1", np.datetime64("2026-01-01")])
def test_a_measure_gives_real_numbers(value: Any) -> None:
    """Not what could be read as some."""
    with pytest.raises(PluginError, match="must be numbers"):
        influence.rank(nx.path_graph(3), method=lambda *_: np.array([value] * 3))


def test_what_cannot_be_called_is_no_method() -> None:
    """An array, a class, a method of a type: the error says what is needed."""
    for method in (np.arange(3), dict, 7):
        with pytest.raises(PluginError, match="a function, or an object that can be called"):
            communities.detect(nx.path_graph(3), method=method)
    with pytest.raises(PluginError, match=r"str\.upper raised TypeError"):
        communities.detect(nx.path_graph(3), method=str.upper)


def test_a_detector_divides_and_scrmkit_describes(acme: Site) -> None:
    """Communities by size, their modularity, and the same test as for any graph."""
    network = nx.karate_club_graph()
    found = communities.detect(network, method="halves")
    assert found.parameters["method"] == "acme-crm:halves"
    assert sorted(found.members(0)) == [node for node in network if node % 2 == 0]
    groups = [set(found.members(0)), set(found.members(1))]
    assert found.modularity == pytest.approx(nx.community.modularity(network, groups))
    assert found.significant == communities.detect(network).significant


@pytest.mark.parametrize("labels", [[0.5] * 3, [0, 1], "abc"])
def test_a_detector_must_give_whole_numbers(labels: Any) -> None:
    """One for each customer."""
    with pytest.raises(PluginError, match="one whole number for each of the 3"):
        communities.detect(nx.path_graph(3), method=lambda *_: labels)


def test_a_reader_brings_rows_and_reasons(acme: Site, tmp_path: Path) -> None:
    """Read = accepted + repeated + rejected; each rejected row says why and where it stood."""
    path = tmp_path / "log.txt"
    path.write_text("2026-03-01T09:00Z ana ben\nbroken\nnever ana ben\n2026-03-02T09:00Z b a\n")
    log = InteractionLog.read(path, reader="lines")
    assert log.summary().read == 4
    assert dict(log.summary().rules) == {"three words a line": 1, "time cannot be read": 1}
    assert log.rejected.select("row", "rule").rows() == [
        (1, "three words a line"),
        (2, "time cannot be read"),
    ]
    assert log.frame["id"].to_list() == [0, 3]


def test_columns_of_a_reader_keep_their_names() -> None:
    """Also those that tables of rejected rows have for themselves."""
    table = {"id": [1, 2], "time": [0, None], "kind": ["post"] * 2, "source": ["ana"] * 2,
             "row": [7, 8], "rule": ["x", "y"], "rejected": [None, "no time"]}  # fmt: skip
    log = InteractionLog.read("x", reader=lambda _: table)
    assert log.frame.select("row", "rule").rows() == [(7, "x")]
    found = log.rejected.select("row", "rule", "row_given", "rule_given")
    assert found.rows() == [(1, "no time", 8, "y")]


def test_cells_of_several_types_are_an_error_with_their_column() -> None:
    """One odd cell is found by the message."""
    with pytest.raises(PluginError, match=r"field 'text' has values of several types"):
        InteractionLog.read("x", reader=lambda _: {"text": ["a", 5]})


def test_an_error_of_ours_names_the_plugin_in_a_note() -> None:
    """It stays the error that it is."""

    def read(_: Any) -> Any:
        raise UnreadableFile("it is no export")

    with pytest.raises(UnreadableFile, match="no export") as caught:
        InteractionLog.read("x", reader=read)
    assert "read" in caught.value.__notes__[0]


@pytest.mark.parametrize("brought", [[], iter(()), pl.DataFrame()])
def test_a_reader_may_bring_nothing(brought: Any) -> None:
    """Which is an empty log."""
    if isinstance(brought, pl.DataFrame):
        with pytest.raises(Exception, match="time"):
            InteractionLog.read("x", reader=lambda _: brought)
    else:
        assert len(InteractionLog.read("x", reader=lambda _: brought)) == 0
        named = {"columns": {"time": "at"}, "constants": {"kind": "post"}}
        assert len(InteractionLog.read("x", reader=lambda _: [], **named)) == 0


@pytest.mark.parametrize(
    ("reader", "error", "message"),
    [
        (lambda _: 7, PluginError, "no table"),
        (lambda _: [7], PluginError, "no table"),
        (lambda _: [{"id": [1]}, {"id": ["a"], "rejected": [1]}], PluginError, "must be text"),
        (lambda _: 1 / 0, PluginError, "raised ZeroDivisionError"),
        (lambda path: Path(path).read_text(), UnreadableFile, "No such file"),
    ],
)
def test_a_reader_that_fails(reader: Any, error: type[Exception], message: str) -> None:
    """With an error of ours, which names it."""
    with pytest.raises(error, match=message):
        InteractionLog.read("no such file", reader=reader)


def test_a_writer_writes_logs_and_results(acme: Site, tmp_path: Path) -> None:
    """Where nothing is yet; what fails leaves nothing."""
    log = make_log()
    log.write(tmp_path / "log.txt", writer="save")
    assert (tmp_path / "log.txt").read_text().split() == log.frame["source"].to_list()
    with pytest.raises(InvalidParameter, match=r"something at 'log.txt' already"):
        log.write(tmp_path / "log.txt", writer="save")

    def fail(tables: Any, path: Path) -> None:
        path.write_text("half")
        raise OSError

    with pytest.raises(PluginError, match=r"fail raised OSError"):
        engagement.score(log).write(tmp_path / "scores", writer=fail)
    with pytest.raises(PluginError, match="wrote nothing"):
        engagement.score(log).write(tmp_path / "scores", writer=lambda *_: None)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["log.txt", "site"]


def test_a_writer_gets_lazy_rows_in_portions(tmp_path: Path) -> None:
    """A lazy log is not collected at once."""
    table = pl.LazyFrame({"time": pl.Series(range(250_000)).cast(pl.Datetime("us", "UTC"))})
    log = InteractionLog.from_frame(
        table.with_columns(source=pl.lit("ana")), constants={"kind": "post"}
    )
    sizes = []

    def count(tables: Any, path: Path) -> None:
        sizes.extend(each.height for each in tables)
        path.touch()

    log.write(tmp_path / "x", writer=count)
    assert sum(sizes) == 250_000
    assert max(sizes) <= 100_000


def test_nothing_is_imported_by_importing_scrmkit(acme: Site) -> None:
    """Neither plugins, nor the room of plugins."""
    code = "import scrmkit, sys; print('scrmkit.plugins' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == "False"
