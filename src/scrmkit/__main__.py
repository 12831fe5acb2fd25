"""``python -m scrmkit``: a demonstration on real data, a page from a file, and the plugins."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from scrmkit import Family, InvalidParameter, Kind, ScrmkitError, Vocabulary
from scrmkit._checks import Id
from scrmkit.errors import InvalidTable, MissingExtra, ScrmkitWarning, UnreadableFile


_DEMO_PAGE: Final = "scrmkit-demo.html"
_FAILED: Final = 2
_NEEDED: Final = ("polars", "numpy", "scipy", "graspologic_native", "matplotlib", "jinja2")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 2 where something could not be done; why is on standard error.
    """
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("always", ScrmkitWarning)
        warnings.showwarning = _show_warning
        try:
            options.run(options)
        except ScrmkitError as error:
            sys.stderr.write(f"error: {error}\n")
            return _FAILED
        except OSError as error:
            sys.stderr.write(f"error: {error.strerror or error}: {error.filename}\n")
            return _FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scrmkit",
        description="From a log of interactions to a page that one can read.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="show what scrmkit finds in 18 women at 14 social events of the 1930s",
        description="The Southern Women of Davis, Gardner and Gardner (1941): ties, groups and "
        "standing on the terminal, and the whole of it as a page.",
    )
    demo.add_argument("--out", default=_DEMO_PAGE, metavar="PAGE", help="default: %(default)s")
    demo.set_defaults(run=_demo)
    report = commands.add_parser(
        "report",
        help="write a page about a file of interactions",
        description="Write one self-contained HTML page about a file of interactions: CSV with "
        "any separator, NDJSON or Parquet, also compressed with gzip. The columns of a file "
        "without a header are column_1, column_2 and so on. Customers appear by their ids.",
    )
    report.add_argument("file", metavar="FILE")
    report.add_argument(
        "--column", **_pairs("FIELD=COLUMN"), help="the file's column for a field: time=ts"
    )
    report.add_argument(
        "--constant", **_pairs("FIELD=VALUE"), help="the same for every row: kind=message"
    )
    report.add_argument(
        "--kind", **_pairs("WORD=KIND"), help="the kind that a word of the file means: RT=repost"
    )
    report.add_argument(
        "--valence-range",
        nargs=2,
        type=float,
        default=(-1.0, 1.0),
        metavar=("LOW", "HIGH"),
        help="the worst and the best valence in the file; default: -1 1",
    )
    report.add_argument("--timezone", metavar="ZONE", help="of times that have none")
    report.add_argument(
        "--weight",
        **_pairs("KIND=WEIGHT"),
        help="what one such act adds to ties and to engagement: repost=1. Kinds that weigh "
        "nothing by nature (attention, purchases) then count as conversation",
    )
    report.add_argument(
        "--reader", metavar="NAME", help="the plugin that reads FILE, for a format of a vendor's"
    )
    report.add_argument(
        "--vocabulary",
        action="append",
        metavar="NAME",
        help="scrmkit, or a plugin; given several times, the later one wins",
    )
    report.add_argument("--model", metavar="NAME", help="the plugin that says what engagement is")
    report.add_argument("--as-of", metavar="TIME", help="nothing later counts: 2026-03-01T00:00Z")
    report.add_argument(
        "--half-life",
        metavar="DAYS",
        default="90",
        help="after which an act counts half, or none; default: %(default)s",
    )
    report.add_argument(
        "--names", metavar="FILE", help="a CSV file with the columns id and name, to show names"
    )
    report.add_argument("--title", default=None, help="the heading; default: the file's name")
    report.add_argument("--out", default=None, metavar="PAGE", help="default: FILE.html, here")
    report.set_defaults(run=_report)
    plugins = commands.add_parser(
        "plugins",
        help="list what is plugged in",
        description="List the plugins that are installed, import each, and say whether it is "
        "ready. Nothing of it acts unless a caller names it.",
    )
    plugins.set_defaults(run=_plugins)
    return parser


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(" and ".join(missing), extra="report")


def _pairs(metavar: str) -> dict[str, Any]:
    return {"action": "append", "default": [], "metavar": metavar}


def _demo(options: argparse.Namespace) -> None:
    _check_installed()
    from scrmkit import _demo

    _demo.show(Path(options.out), write=sys.stdout.write, progress=_progress())


def _report(options: argparse.Namespace) -> None:
    _check_installed()
    from scrmkit import InteractionLog, report

    source = Path(options.file)
    say = _progress()
    about: list[str] = []
    vocabulary = Vocabulary.load(*(options.vocabulary or ["scrmkit"]))
    if options.weight:
        weights = {word: _number(value, "--weight") for word, value in _split(options, "weight")}
        vocabulary, about = _weigh(vocabulary, weights)
    say(f"reading {source.name}")
    log = InteractionLog.read(
        source,
        reader=options.reader,
        columns=dict(_split(options, "column")),
        constants={name: _value(name, text) for name, text in _split(options, "constant")},
        kinds=dict(_split(options, "kind")),
        valence_range=tuple(options.valence_range),
        timezone=options.timezone,
        vocabulary=vocabulary,
    )
    page = report.build(
        log,
        title=options.title or source.name,
        about=about,
        as_of=_instant(options.as_of),
        half_life=_half_life(options.half_life),
        model=options.model,
        names=_names(options.names),
        progress=say,
    )
    path = page.write(options.out or f"{source.name.split('.')[0]}.html")
    sys.stdout.write(f"{log.summary()}\n{path.resolve()}\n")


def _plugins(_: argparse.Namespace) -> None:
    from scrmkit import plugins

    rows = [("GROUP", "NAME", "DISTRIBUTION", "VERSION", "PROTOCOL", "STATE")]
    for entry in plugins.installed():
        with redirect_stdout(sys.stderr):
            state = plugins.inspect(entry)
        protocol = "?" if state.protocol is None else str(state.protocol)
        whole = (entry.group, entry.name, entry.distribution, entry.version, protocol)
        rows.append((*whole, " ".join((state.problem or "ready").split())))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{'  '.join(cells).rstrip()}\n")
    if len(rows) == 1:
        sys.stdout.write("none is installed\n")


def _split(options: argparse.Namespace, name: str) -> list[tuple[str, str]]:
    pairs = []
    for pair in getattr(options, name):
        left, sign, right = pair.partition("=")
        if not (left and sign and right):
            raise InvalidParameter(
                f"--{name} takes NAME=VALUE with something on both sides, not {pair!r}"
            )
        pairs.append((left, right))
    return pairs


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidParameter(f"{option} takes a number, not {text!r}") from None


def _value(name: str, text: str) -> Any:
    """A constant as the field holds it."""
    if name in ("public", "automated"):
        return {"true": True, "false": False}.get(text.lower(), text)
    return _number(text, f"--constant {name}") if name == "valence" else text


def _weigh(vocabulary: Vocabulary, weights: Mapping[str, float]) -> tuple[Vocabulary, list[str]]:
    """A vocabulary in which these kinds have these weights, and sentences that say so."""
    kinds, about = [], []
    for word, weight in weights.items():
        known = vocabulary.get(word)
        name = known.name if known is not None else word
        tied = known is not None and known.family not in (Family.ATTENTION, Family.TRANSACTION)
        family = known.family if known is not None and tied else Family.CONVERSATION
        kinds.append(
            Kind(
                name=name,
                family=family,
                tie_weight=weight,
                engagement_weight=weight,
                aliases=known.aliases if known is not None else (),
            )
        )
        usual = (
            "is not known to the vocabulary and weighs nothing"
            if known is None
            else f"is {known.family}, with {known.tie_weight:g} in ties and "
            f"{known.engagement_weight:g} in engagement"
        )
        about.append(
            f"By request, each {name} is counted as {family} and weighs {weight:g} in ties and in "
            f"engagement. Without the request it {usual}."
        )
    changed = ", ".join(f"{word}={weight:g}" for word, weight in weights.items())
    return vocabulary.extend(*kinds, name=f"{vocabulary.name} with {changed}"), about


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidParameter(
            f"--as-of takes an instant such as 2026-03-01T00:00+00:00, not {text!r}"
        ) from None


def _half_life(text: str) -> timedelta | None:
    if text == "none":
        return None
    days = _number(text, "--half-life")
    try:
        return timedelta(days=days)
    except (OverflowError, ValueError):
        raise InvalidParameter("--half-life is out of range: give days, or none") from None


def _names(path: str | None) -> dict[Id, str]:
    """The names in a CSV file, by id; ids that are whole numbers are known as those too."""
    if path is None:
        return {}
    import polars as pl

    if not Path(path).is_file():
        raise UnreadableFile("the file of --names is missing", value=path)
    try:
        table = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError:
        raise UnreadableFile("the file of --names is no CSV table", value=path) from None
    if not {"id", "name"} <= set(table.columns):
        raise InvalidTable("the file of --names needs a header with the columns id and name")
    names: dict[Id, str] = {}
    for one, name in table.select("id", "name").drop_nulls().iter_rows():
        names[one] = name
        if one.removeprefix("-").isdecimal():
            names[int(one)] = name
    return names


def _progress() -> Callable[[str], object]:
    """Says what is being done where somebody looks on, else nothing."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda step: sys.stderr.write(f"... {step}\n")


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    sys.stderr.write(f"note: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
