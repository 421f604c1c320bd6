"""What happens to a value between a person's mouth and a file: typos, case, accents, habits.

Functions take a text column and the rows to change, given as a mask, and give the column back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator.names import transliterated, unaccented

if TYPE_CHECKING:
    from benchmarks.generator.draw import Bools, Draw, Ints

_NEIGHBOURS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "snvfrdhjukilknoiwtdyibecta1234567898",
        strict=True,
    ),
)


def changed(column: pl.Series, rows: Bools, expression: pl.Expr) -> pl.Series:
    """The column with `expression` (over `value`) applied to some rows only."""
    where = np.flatnonzero(rows)
    if not len(where):
        return column
    # only the rows concerned are worked on: most changes are rare
    new = column.gather(pl.Series(where)).alias("value").to_frame().select(expression.alias("new"))
    return column.clone().scatter(pl.Series(where), new["new"])


def typos(column: pl.Series, rows: Bools, draw: Draw, ids: Ints, purpose: str) -> pl.Series:
    """One letter lost, doubled, hit beside or swapped with the next, in texts of three or more."""
    where = np.flatnonzero(rows & (column.str.len_chars().fill_null(0).to_numpy() > 2))
    if not len(where):
        return column
    frame = pl.DataFrame(
        {
            "value": column.gather(pl.Series(where)),
            "kind": draw.pick(ids[where], f"{purpose}/kind", (30, 15, 25, 30)),
            "u": draw.uniform(ids[where], f"{purpose}/place"),
        },
    )
    value = pl.col("value")
    # the first letter is seldom wrong
    place = 1 + (pl.col("u") * (value.str.len_chars() - 2)).cast(pl.Int64)
    before, at = value.str.slice(0, place), value.str.slice(place, 1)
    following, after = value.str.slice(place + 1, 1), value.str.slice(place + 1)
    near = at.replace(_NEIGHBOURS)
    kind = pl.col("kind")
    new = (
        pl.when(kind == 0)
        .then(pl.concat_str(before, after))
        .when(kind == 1)
        .then(pl.concat_str(before, at, at, after))
        .when(kind == 2)
        .then(pl.concat_str(before, near, after))
        .otherwise(pl.concat_str(before, following, at, value.str.slice(place + 2)))
    )
    return column.clone().scatter(pl.Series(where), frame.select(new.alias("new"))["new"])


def without_accents(column: pl.Series, rows: Bools, *, german: bool) -> pl.Series:
    """Accents dropped, or German umlauts spelt out, in some rows."""
    accented = column.str.contains(r"[^\x00-\x7F]").fill_null(value=False).to_numpy()
    where = np.flatnonzero(rows & accented)
    if not len(where):
        return column
    values = column.gather(pl.Series(where))
    unique = values.unique()
    fold = transliterated if german else unaccented
    table = pl.DataFrame({"old": unique, "new": [fold(text) for text in unique]})
    new = values.alias("old").to_frame().join(table, on="old", how="left", maintain_order="left")
    return column.clone().scatter(pl.Series(where), new["new"])


def recased(column: pl.Series, style: Ints) -> pl.Series:
    """1 = UPPER CASE, 2 = lower case, 3 = blanks around; anything else as it was."""
    value = pl.col("value")
    column = changed(column, style == 1, value.str.to_uppercase())
    column = changed(column, style == 2, value.str.to_lowercase())
    return changed(column, style == 3, pl.concat_str(value, pl.lit(" ")))


def replaced(column: pl.Series, rows: Bools, values: pl.Series | str) -> pl.Series:
    """Other values in some rows: one text for all, or a column as long as this one."""
    where = pl.Series(np.flatnonzero(rows))
    if not len(where):
        return column
    new = values if isinstance(values, str) else values.gather(where)
    return column.clone().scatter(where, new)


def blanked(column: pl.Series, rows: Bools) -> pl.Series:
    """Null in some rows."""
    where = pl.Series(np.flatnonzero(rows))
    return column.clone().scatter(where, None) if len(where) else column


def style(draw: Draw, ids: Ints, purpose: str, *weights: float) -> Ints:
    """0 for most, 1, 2, 3 … with the given chances."""
    return draw.pick(ids, purpose, [1 - sum(weights), *weights])


def gathered(column: pl.Series, index: Ints) -> pl.Series:
    """The elements of a column at some row numbers."""
    return column.gather(pl.Series(index))


def any_of(draw: Draw, ids: Ints, purpose: str, values: pl.Series) -> pl.Series:
    """One of `values` for each id."""
    return gathered(values, draw.below(ids, purpose, len(values)))
