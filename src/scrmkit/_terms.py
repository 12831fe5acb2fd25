"""Who may be asked, at what cost, and how many of each group: what a caller says as terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scrmkit._checks import Id, check_range, to_whole
from scrmkit._contagion import places_of
from scrmkit._cover import Terms
from scrmkit._roles import groups_of
from scrmkit._sparse import Floats, Ints, np
from scrmkit.errors import InvalidParameter
from scrmkit.graph import SocialGraph
from scrmkit.results import Lookup, Numbers


def to_terms(
    graph: SocialGraph,
    k: int | None,
    costs: Numbers | None,
    budget: float | None,
    must: Iterable[Id],
    must_not: Iterable[Id],
    groups: Any,
) -> tuple[Terms, dict[str, Any]]:
    """What was asked for as terms, and the columns that show it."""
    n = len(graph)
    if not n:
        raise InvalidParameter("the graph has no customers, so there is nobody to ask")
    if (costs is None) != (budget is None):
        raise InvalidParameter("costs and budget go together: give both, or neither")
    if k is None and budget is None:
        raise InvalidParameter("give k, how many to ask, or costs and a budget")
    if costs is not None and not isinstance(costs, Mapping | Lookup):
        raise InvalidParameter("costs must be a mapping from ids to numbers", value=costs)
    most = n if k is None else min(to_whole(k, name="k", least=1), n)
    required = places_of(graph, must, name="must")
    may = np.ones(n, dtype=bool)
    may[places_of(graph, must_not, name="must_not")] = False
    if not may[required].all():
        raise InvalidParameter("must and must_not have ids in common")
    extra: dict[str, Any] = {}
    prices, limit = np.ones(n), float(most)
    if costs is not None and budget is not None:
        check_range(budget, name="budget", error=InvalidParameter, low=0)
        prices, limit = _for_each(graph, costs, name="costs"), float(budget)
        extra["cost"] = prices
    codes, quotas = np.zeros(n, dtype=np.int64), np.array([most])
    if groups is not None:
        if k is None:
            raise InvalidParameter("groups share k: give k as well")
        labels, _ = groups_of(graph, groups)
        codes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
        quotas = _shares_of(np.bincount(codes), most)
        extra["group"] = labels
    if not len(required) and not (may & (prices <= limit * (1 + 1e-12))).any():
        raise InvalidParameter(
            "nobody may be asked: must_not names everybody, or everybody costs too much"
        )
    taken = np.bincount(codes[required], minlength=len(quotas))
    if (taken > quotas).any() or prices[required].sum() > limit * (1 + 1e-12):
        raise InvalidParameter("those who must be asked are more than k, budget or groups allow")
    return Terms(may, required, prices, limit, codes, quotas), extra


def _for_each(graph: SocialGraph, given: Numbers, *, name: str) -> Floats:
    values = np.zeros(len(graph))
    for customer, value in given.items():
        check_range(value, name=name, error=InvalidParameter, low=0)
        values[graph.position(customer)] = value
    if (values == 0).any():
        raise InvalidParameter(
            f"{name} must be above 0 for every customer: "
            f"{np.count_nonzero(values == 0)} of {len(graph)} have none"
        )
    return values


def _shares_of(sizes: Ints, k: int) -> Ints:
    """How many each group gets of k, by largest remainders; of equals the first."""
    exact = k * sizes / sizes.sum()
    quotas: Ints = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - quotas), kind="stable")
    quotas[order[: k - int(quotas.sum())]] += 1
    return quotas


def guarantee_of(terms: Terms, *, costs: bool = False, groups: bool = False) -> str:
    if costs and groups:
        return "none before sampling: costs and shares of groups together"
    if costs and terms.quotas[0] < len(terms.may):
        return "none before sampling: a budget and a number together"
    if costs:
        return "at least 31.6 % of the best, (1 - 1/e) / 2, before sampling"
    if groups:
        return "at least 50 % of the best, before sampling"
    if len(terms.must):
        return "at least 63.2 % of the best that those who must be asked leave, before sampling"
    return "at least 63.2 % of the best, 1 - 1/e, before sampling"
