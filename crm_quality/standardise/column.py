"""What every standardiser shares: the notes it may leave, and working on distinct values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

#: What can be said of one value, in the order of ``Note``:
#:
#: - ``placeholder`` stands for "nothing" and counts as missing
#: - ``invalid`` cannot be read; set aside
#: - ``repaired`` read after a repair that is certain
#: - ``unknown`` not in the vocabulary; set aside
#: - ``ambiguous`` has two readings; set aside
#: - ``synonym`` rewritten to the accepted value it means
#: - ``derived`` filled from another field
#: - ``doubtful`` well formed and kept, though nothing of the kind is known to exist
NOTES = (
    "placeholder",
    "invalid",
    "repaired",
    "unknown",
    "ambiguous",
    "synonym",
    "derived",
    "doubtful",
)

#: Type of every ``<field>__note`` column.
Note = pl.Enum(NOTES)

#: Above this share of distinct values it is cheaper to work on all rows.
_MOSTLY_DISTINCT = 0.5
#: Below this many rows it does not matter.
_FEW = 100


def note(name: str) -> pl.Expr:
    """The literal ``name``, one of `NOTES`."""
    return pl.lit(name, dtype=Note)


NO_NOTE = pl.lit(None, dtype=Note)


def on_distinct(
    frame: pl.DataFrame, standardiser: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """``standardiser(frame)``, computed once per distinct row that has a text.

    Args:
        frame: The columns that the standardiser reads; the last one is the text.
        standardiser: A function that gives one row for each of its rows, in their order, and
            looks at no other row.

    Returns:
        The standardiser's columns, one row per row of ``frame``; null where the text is null.
    """
    filled = frame[frame.columns[-1]].is_not_null()
    if filled.all():
        return _on_distinct_filled(frame, standardiser)
    results = _on_distinct_filled(frame.filter(filled), standardiser)
    place = filled.cum_sum().cast(pl.UInt32) - 1
    place = pl.select(pl.when(filled).then(place)).to_series()
    return results.select(pl.all().gather(place))


def _on_distinct_filled(
    frame: pl.DataFrame, standardiser: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    if frame.height < _FEW:
        return standardiser(frame)
    keys = frame.columns
    about = frame.select(pl.col(keys[-1]).approx_n_unique()).item()
    if about > _MOSTLY_DISTINCT * frame.height:
        return standardiser(frame)
    distinct = frame.unique()
    if distinct.height > _MOSTLY_DISTINCT * frame.height:
        return standardiser(frame)
    results = standardiser(distinct)
    numbered = distinct.with_row_index(" place")
    place = frame.join(numbered, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return results.select(pl.all().gather(place[" place"]))


def on_rows(
    frame: pl.DataFrame, rows: pl.Series, standardiser: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Replace the columns of ``frame`` that ``standardiser`` gives, where ``rows`` is true.

    Args:
        frame: Any frame.
        rows: Boolean, one per row; null counts as false.
        standardiser: See `on_distinct`; it gets all columns of the chosen rows.

    Returns:
        ``frame`` with the chosen rows' results.
    """
    index = rows.fill_null(value=False).arg_true()
    if len(index) == 0:
        return frame
    results = standardiser(frame[index])
    changed = {}
    for name in results.columns:
        # Series.scatter has no kernel for lists and enums: take from the two stacked instead
        both = pl.concat([frame[name], results[name].cast(frame[name].dtype)])
        take = pl.int_range(frame.height, eager=True, dtype=pl.UInt32).scatter(
            index, pl.int_range(frame.height, len(both), eager=True, dtype=pl.UInt32)
        )
        changed[name] = both.gather(take)
    return frame.with_columns(**changed)
