"""Plain arithmetic on columns, for formulas that hold for numbers and for tables alike."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw


class Plain:
    """An expression for ``+ - * / **`` in which a division copies neither side.

    Narwhals divides on Spark by a choice among cases that holds the left side four times
    and the right side three times, so divisions within divisions grow beyond all bounds.
    Here a division is the product with a power.
    """

    def __init__(self, expr: nw.Expr) -> None:
        self.expr = expr

    def __add__(self, other: Any) -> Plain:
        return Plain(self.expr + bare(other))

    def __radd__(self, other: Any) -> Plain:
        return Plain(other + self.expr)

    def __sub__(self, other: Any) -> Plain:
        return Plain(self.expr - bare(other))

    def __rsub__(self, other: Any) -> Plain:
        return Plain(other - self.expr)

    def __mul__(self, other: Any) -> Plain:
        return Plain(self.expr * bare(other))

    def __rmul__(self, other: Any) -> Plain:
        return Plain(other * self.expr)

    def __truediv__(self, other: Any) -> Plain:
        return Plain(self.expr * bare(other) ** -1.0)

    def __rtruediv__(self, other: Any) -> Plain:
        return Plain(other * self.expr**-1.0)

    def __pow__(self, other: Any) -> Plain:
        return Plain(self.expr ** bare(other))

    def __rpow__(self, other: Any) -> Plain:
        return Plain(other**self.expr)

    def __neg__(self) -> Plain:
        return Plain(self.expr * -1.0)

    def __pos__(self) -> Plain:
        return self


def plain(frame: nw.LazyFrame[Any], column: str) -> Any:
    """A column for a function of plain arithmetic; `bare` undoes it."""
    expr = nw.col(column)
    return Plain(expr) if frame.implementation.is_spark_like() else expr


def bare(value: Any) -> Any:
    """What a function of plain arithmetic has made, as an expression or a number."""
    return value.expr if isinstance(value, Plain) else value
