"""Telephone numbers: drawn within each country's plan, written as people write them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator.places import load, places

if TYPE_CHECKING:
    from benchmarks.generator.draw import Draw, Ints

STYLES = 9


@cache
def _mobile_prefixes() -> list[list[str]]:
    """Mobile prefixes by country; where mobiles look like landlines, its area codes."""
    plans = load("countries").values()
    return [plan["mobile"] or [city[3] for city in plan["cities"]] for plan in plans]


def _subscriber(draw: Draw, ids: Ints, purpose: str, digits: Ints) -> Ints:
    """A subscriber number whose first and third digits are 2 to 9, valid in every plan."""
    lead = 2 + draw.below(ids, f"{purpose}/lead", 8)
    second = draw.below(ids, f"{purpose}/second", 10)
    third = 2 + draw.below(ids, f"{purpose}/third", 8)
    rest = draw.below(ids, f"{purpose}/rest", 10 ** (digits - 3))
    number: Ints = (lead * 100 + second * 10 + third) * 10 ** (digits - 3) + rest
    return number


def landlines(draw: Draw, ids: Ints, purpose: str, city: Ints) -> pl.DataFrame:
    """Columns `country`, `area`, `number` (text) of a landline in each city."""
    table = places().cities[city]
    digits = table["digits"].to_numpy().astype(np.int64)
    return pl.DataFrame(
        {
            "country": table["country"],
            "area": table["area"],
            "number": pl.Series(_subscriber(draw, ids, purpose, digits)).cast(pl.String),
        },
    )


def mobiles(draw: Draw, ids: Ints, purpose: str, country: Ints) -> pl.DataFrame:
    """Columns `country`, `area` (the prefix), `number` (text) of a mobile in each country."""
    lists = _mobile_prefixes()
    start = np.concatenate([[0], np.cumsum([len(x) for x in lists])[:-1]])
    count = np.array([len(x) for x in lists], dtype=np.int64)
    digits = np.array(
        [plan["mobile_digits"] for plan in load("countries").values()],
        dtype=np.int64,
    )
    flat = pl.Series([prefix for prefixes in lists for prefix in prefixes])
    chosen = start[country] + draw.below(ids, f"{purpose}/prefix", count[country])
    return pl.DataFrame(
        {
            "country": pl.Series(country),
            "area": flat.gather(pl.Series(chosen)),
            "number": pl.Series(_subscriber(draw, ids, purpose, digits[country])).cast(pl.String),
        },
    )


def switchboards(frame: pl.DataFrame, extension: pl.Series | None = None) -> pl.DataFrame:
    """The landline with its last two digits set to the extension, or to 00."""
    end = pl.lit("00") if extension is None else extension.cast(pl.String).str.zfill(2)
    number = pl.concat_str(pl.col("number").str.head(-2), end)
    return frame.with_columns(number.alias("number"))


def written(frame: pl.DataFrame, style: pl.Series) -> pl.Series:
    """The numbers as text; `style` is 0 to 8. Null where `area` is null."""
    plans = load("countries").values()
    codes = pl.Series([plan["calling_code"] for plan in plans])
    trunks = pl.Series([plan["trunk"] for plan in plans])
    frame = frame.with_columns(
        codes.gather(frame["country"].fill_null(0)).alias("code"),
        trunks.gather(frame["country"].fill_null(0)).alias("trunk"),
        style.alias("style"),
    )
    code, trunk, area, number = (pl.col(c) for c in ("code", "trunk", "area", "number"))
    head, tail = number.str.slice(0, 3), number.str.slice(3)
    american = code == "1"
    pairs = pl.concat_str(
        number.str.slice(0, 2),
        number.str.slice(2, 2),
        number.str.slice(4, 2),
        number.str.slice(6),
        separator=" ",
    ).str.strip_chars_end()
    is_style = [pl.col("style") == n for n in range(STYLES)]
    text = (
        pl.when(is_style[0])
        .then(pl.concat_str(pl.lit("+"), code, pl.lit(" "), area, pl.lit(" "), number))
        .when(is_style[1])
        .then(pl.concat_str(pl.lit("+"), code, area, number))
        .when(is_style[2] & american)
        .then(pl.concat_str(pl.lit("("), area, pl.lit(") "), head, pl.lit("-"), tail))
        .when(is_style[2])
        .then(pl.concat_str(pl.lit("00"), code, pl.lit(" "), area, pl.lit(" "), pairs))
        .when(is_style[3] & american)
        .then(pl.concat_str(area, head, tail, separator="-"))
        .when(is_style[3])
        .then(pl.concat_str(trunk, area, pl.lit("/"), number))
        .when(is_style[4] & american)
        .then(pl.concat_str(area, head, tail, separator="."))
        .when(is_style[4])
        .then(pl.concat_str(trunk, area, pl.lit(" "), pairs))
        .when(is_style[5])
        .then(pl.concat_str(trunk, area, number))
        .when(is_style[6] & american)
        .then(pl.concat_str(pl.lit("1-"), area, pl.lit("-"), head, pl.lit("-"), tail))
        .when(is_style[6])
        .then(pl.concat_str(pl.lit("("), trunk, area, pl.lit(") "), number))
        .when(is_style[7] & (trunk == "0"))
        .then(pl.concat_str(pl.lit("+"), code, pl.lit(" (0)"), area, pl.lit(" "), pairs))
        .when(is_style[7])
        .then(pl.concat_str(pl.lit("+"), code, pl.lit("-"), area, pl.lit("-"), number))
        .otherwise(pl.concat_str(trunk, area, pl.lit("-"), number))
    )
    return frame.select(text.alias("phone"))["phone"]
