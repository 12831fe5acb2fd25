"""The parts of a page that are about the graph: standing, brokers, communities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np

from scrmkit import communities, influence, plots
from scrmkit._page import Exhibit, Section, Table, count, sentence, table
from scrmkit._sections import Subject, rows_of, top
from scrmkit._svg import inline
from scrmkit.communities import Communities
from scrmkit.graph import SocialGraph
from scrmkit.results import Ranking, Result


_SEED: Final = 0
_NAMED: Final = 3


def standing(subject: Subject, graph: SocialGraph) -> Section:
    """Who is central, and who connects."""
    if not graph.number_of_ties:
        return Section(
            "standing", "Standing and brokers", lead=("Without ties nobody stands out.",)
        )
    ranked = influence.rank(graph, method="pagerank")
    rows = top(rows_of(ranked), "value", ["customer"])
    columns: dict[str, Ranking] = {}
    if graph.directed:
        columns["strength received"] = influence.rank(graph, method="strength_in")
        columns["strength given"] = influence.rank(graph, method="strength_out")
    else:
        columns["strength"] = influence.rank(graph, method="strength")
    columns["core"] = influence.rank(graph, method="core")
    looked_up = {
        name: _values(one, [row["customer"] for row in rows]) for name, one in columns.items()
    }
    ways = "from who acts to whom the act is for" if graph.directed else "both ways"
    whole = _whole(graph)
    first = rows[0]
    return Section(
        "standing",
        "Standing and brokers",
        exhibits=(
            Exhibit(
                title="Standing",
                meaning=(
                    f"PageRank: the share of its time that a walk along the ties, {ways}, spends "
                    f"at each customer; core is the largest k such that one is in a group where "
                    f"all have k neighbours in the group."
                ),
                sure=(
                    f"Computed to 1e-10 for {whole}. A place in the graph is no cause: it does "
                    f"not say that anybody moves anybody."
                ),
                tables=(
                    table(
                        f"The {len(rows)} with the highest standing",
                        {
                            "customer": "who",
                            "rank": "number",
                            "PageRank": "number",
                            **dict.fromkeys(columns, "number"),
                        },
                        [
                            (
                                row["customer"],
                                row["rank"],
                                f"{100 * row['value']:.3f} %",
                                *(looked_up[name][row["customer"]] for name in columns),
                            )
                            for row in rows
                        ],
                    ),
                ),
            ),
            _brokers(graph),
        ),
        short=(
            sentence(
                f"The highest standing (PageRank {100 * first['value']:.3g} %) is that of {{}}.",
                subject.names.get(first["customer"], first["customer"]),
            ),
        ),
    )


def _whole(graph: SocialGraph) -> str:
    tie = "directed tie" if graph.directed else "tie"
    return f"{count(len(graph), 'customer')} and {count(graph.number_of_ties, tie)}"


def _values(ranking: Result, customers: Sequence[Any]) -> dict[Any, Any]:
    rows = rows_of(ranking).filter(nw.col("customer").is_in(list(customers)))
    return dict(zip(rows["customer"].to_list(), rows["value"].to_list(), strict=True))


def _brokers(graph: SocialGraph) -> Exhibit:
    rows = top(rows_of(influence.brokers(graph)), "effective_size", ["customer"])
    between = influence.rank(graph, method="betweenness")
    names = [row["customer"] for row in rows]
    frame = rows_of(between).filter(nw.col("customer").is_in(names))
    paths = {row["customer"]: row for row in frame.iter_rows(named=True)}
    if between.parameters["exact"]:
        shown = {one: f"{100 * paths[one]['value']:.3f} %" for one in names}
        error = "betweenness is exact, over all sources"
    else:
        shown = {
            one: f"{100 * paths[one]['value']:.3f} % "
            f"({100 * paths[one]['low']:.2f} to {100 * paths[one]['high']:.2f})"
            for one in names
        }
        error = (
            f"betweenness is sampled from {between.parameters['sources']} sources, and for each "
            f"customer by itself the exact value lies within the bounds with probability "
            f"{between.parameters['confidence']:g}"
        )
    return Exhibit(
        title="Brokers",
        meaning=(
            "Effective size is the number of neighbours less those who are tied to each other "
            "anyway; constraint is low where contacts lead to different people; betweenness is "
            "the share of shortest paths between others that pass here."
        ),
        sure=(f"Effective size and constraint are exact for {_whole(graph)}; {error}."),
        tables=(
            table(
                f"The {len(rows)} with the largest effective size",
                {
                    "customer": "who",
                    "effective size": "number",
                    "constraint": "number",
                    "betweenness": "number",
                },
                [
                    (
                        row["customer"],
                        row["effective_size"],
                        None if row["constraint"] is None else round(row["constraint"], 4),
                        shown[row["customer"]],
                    )
                    for row in rows
                ],
            ),
        ),
    )


def grouped(subject: Subject, graph: SocialGraph) -> Section:
    """Which customers belong together, and whether that is more than chance."""
    if not graph.number_of_ties:
        return Section("communities", "Communities", lead=("Without ties there are no groups.",))
    found = communities.detect(graph, seed=_SEED)
    each = rows_of(found.communities)
    groups = each.filter(nw.col("size") > 1)
    alone = len(each) - len(groups)
    made = found.parameters
    loners = f"{count(alone, 'customer')} without a tie that weighs anything stand alone."
    in_short = (
        f"{count(len(groups), 'community', 'communities')} of two or more; the largest has "
        f"{count(int(each['size'][0]), 'customer')}. {_verdict(found)}"
    )
    drawn, _ = plots.drawn_communities(np.array(list(found.values())))
    small = len(graph) <= plots.MOST_CUSTOMERS
    if small:
        seen = (
            f"Each customer is a mark with the colour and shape of their community; the "
            f"{plots.NEAREST} strongest ties of each are drawn, dashed between communities. Near "
            f"means closely tied; labels that would overlap are left out."
        )
    else:
        seen = (
            f"The {len(drawn)} largest communities, by their number: the area of a circle is the "
            f"number of customers, a line is as wide as the ties between two are strong, and "
            f"near means closely tied."
        )
    picture = inline(
        plots.communities(graph, found, names=subject.names),
        key="communities",
        title="The communities of the graph",
        description=f"{count(len(groups), 'community', 'communities')}. {seen}",
    )
    return Section(
        "communities",
        "Communities",
        made={
            "communities": f"Leiden, resolution {made['resolution']:g}, best of "
            f"{count(made['trials'], 'trial')} of {count(made['iterations'], 'iteration')}, "
            f"seed {made['seed']}"
        },
        exhibits=(
            Exhibit(
                title="Who belongs together",
                meaning=(
                    f"Groups with more and stronger ties inside than chance would give: "
                    f"modularity {found.modularity:.3f}. {seen}"
                ),
                sure=_significance(found),
                picture=picture,
                tables=(_communities(graph, found, groups, small=small),),
                notes=(loners,) if alone else (),
            ),
        ),
        short=(in_short,),
    )


def _communities(
    graph: SocialGraph, found: Communities, groups: nw.DataFrame[Any], *, small: bool
) -> Table:
    ranked = influence.rank(graph, method="strength")
    order = rows_of(ranked)["customer"].to_list()
    shown = [row["community"] for row in groups.head(plots.MOST_COMMUNITIES).iter_rows(named=True)]
    members: dict[int, list[Any]] = {community: [] for community in shown}
    most = len(order) if small else _NAMED
    for customer in order:
        some = members.get(found[customer])
        if some is not None and len(some) < most:
            some.append(customer)
    return table(
        f"The {len(shown)} largest of {count(len(groups), 'community', 'communities')}",
        {
            "community": "number",
            "customers": "number",
            "share": "number",
            "density": "number",
            "conductance": "number",
            ("members, most tied first" if small else "the most tied members"): "people",
        },
        [
            (
                row["community"],
                row["size"],
                f"{100 * row['size'] / len(graph):.1f} %",
                round(row["density"], 4),
                round(row["conductance"], 4),
                members[row["community"]],
            )
            for row in groups.head(plots.MOST_COMMUNITIES).iter_rows(named=True)
        ],
    )


def _verdict(found: Communities) -> str:
    if found.significant is None:
        return "Whether that is more than chance was not tested."
    if found.significant:
        return "The graph is more divided than chance."
    return "That is no more than chance gives."


def _significance(found: Communities) -> str:
    share = (
        "Density is the share of pairs inside that are tied; conductance is the share of the "
        "weight that leaves."
    )
    if found.significant is None:
        return (
            f"{_verdict(found)} {_capital(str(found.reason))} Modularity by itself does not "
            f"tell: the best groups of a random graph reach well above 0 too. {share}"
        )
    return (
        f"{_verdict(found)} {found.parameters['random_graphs']} {found.null}, reach a modularity "
        f"of {found.expected:.3f} (the median) by one quick search; this one reaches "
        f"{found.observed:.3f} by the same: p = {found.p_value:.2g}. The test is about the whole "
        f"graph, not about single members. {share}"
    )


def _capital(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
