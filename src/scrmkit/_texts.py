"""Columns of text as numbers, truth values and money; what cannot be read is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final


if TYPE_CHECKING:
    import polars as pl

TRUE: Final = ("true", "t", "yes", "y", "1")
FALSE: Final = ("false", "f", "no", "n", "0")
MONEY_DIGITS: Final = 38
MONEY_SCALE: Final = 9
MONEY: Final = rf"^[+-]?\d{{1,{MONEY_DIGITS - MONEY_SCALE}}}(\.\d{{0,{MONEY_SCALE}}})?$"


def parse_numbers(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Numbers, and which texts are none."""
    import polars as pl

    numbers = column.cast(pl.Float64, strict=False)
    if numbers.null_count() > column.null_count():
        numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
    return numbers, numbers.is_null() & column.is_not_null()


def parse_truths(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Truth values (true, t, yes, y, 1 and their opposites, in any case), and which are none."""
    import polars as pl

    words = column.str.strip_chars().str.to_lowercase()
    values = {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}
    truths = words.replace_strict(values, default=None, return_dtype=pl.Boolean)
    return truths, truths.is_null() & column.is_not_null()


def parse_money(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Decimals with a point and at most nine digits after it, and which texts are none."""
    import polars as pl

    texts = column.str.strip_chars()
    valid = texts.str.contains(
        rf"^[+-]?\d{{1,{MONEY_DIGITS - MONEY_SCALE}}}(\.\d{{0,{MONEY_SCALE}}})?$"
    )
    money = pl.select(pl.when(valid).then(texts)).to_series().str.to_decimal(scale=MONEY_SCALE)
    money = money.cast(pl.Decimal(MONEY_DIGITS, MONEY_SCALE), strict=False)
    return money.rename(column.name), money.is_null() & column.is_not_null()
