"""Which columns tell the rows of a table apart."""

from __future__ import annotations

from itertools import combinations

import polars as pl

#: Columns of a frame of keys.
KEYS = pl.Schema(
    {
        "columns": pl.List(pl.String()),
        "filled": pl.Int64(),
        "distinct": pl.Int64(),
        "share": pl.Float64(),
        "is_key": pl.Boolean(),
    }
)
#: A column is nearly a key when at least this share of all rows has a value of its own in it.
_NEARLY = 0.95
_MOST_PAIRED = 10


def likely_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns that could be the key of a table.

    Args:
        frame: Any columns; blank = null.

    Returns:
        One row per column that tells at least 95 % of the rows apart, and, where no column by
        itself is a key, per pair of columns without gaps that is one: ``columns``, ``filled``
        (rows that have a value in each), ``distinct`` values, ``share`` = distinct / rows,
        ``is_key`` = each row has a value and no two the same. The best first; none for a table of
        fewer than two rows.
    """
    if frame.height <= 1:
        return KEYS.to_frame()
    distinct = {name: frame[name].drop_nulls().n_unique() for name in frame.columns}
    filled = {name: frame.height - frame[name].null_count() for name in frame.columns}
    rows = [
        _row([name], filled[name], distinct[name], frame.height)
        for name in frame.columns
        if distinct[name] >= _NEARLY * frame.height
    ]
    if not any(is_key for *_, is_key in rows):
        # a pair of whole columns; the more different values, the likelier
        whole = [name for name in frame.columns if filled[name] == frame.height]
        best = sorted(whole, key=lambda name: -distinct[name])[:_MOST_PAIRED]
        for pair in combinations(sorted(best, key=frame.columns.index), 2):
            if distinct[pair[0]] * distinct[pair[1]] < frame.height:
                continue
            if frame.select(pl.struct(pair).n_unique()).item() == frame.height:
                rows.append(_row(list(pair), frame.height, frame.height, frame.height))
    found = pl.DataFrame(rows, schema=KEYS, orient="row")
    return found.sort("is_key", "share", descending=True, maintain_order=True)


def _row(
    columns: list[str], filled: int, distinct: int, records: int
) -> tuple[list[str], int, int, float, bool]:
    return columns, filled, distinct, distinct / records, distinct == filled == records
