"""Ties and scores in DuckDB by hand: SQL over a relation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from by_hand.engines import sql


if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


def _form(statement: str) -> Any:
    def form(acts: DuckDBPyRelation) -> DuckDBPyRelation:
        return acts.query("acts", statement)

    return form


TIES = {name: _form(make(sql.DUCKDB)) for name, make in sql.TIES.items()}
SCORES = {name: _form(make(sql.DUCKDB)) for name, make in sql.SCORES.items()}
