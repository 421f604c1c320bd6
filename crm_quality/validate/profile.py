"""What is in a table: fill, distinct values, lengths, patterns, distributions, likely keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.validate.intervals import wilson
from crm_quality.validate.semantic import semantic_type

if TYPE_CHECKING:
    from crm_quality.definitions import FieldType

#: Distinct values whose patterns and types are looked at; more are thinned out evenly.
MOST_VALUES = 50_000
#: A column of no more distinct values than this is listed wholly, others with the first `_TOP`.
MOST_LISTED = 50
_TOP = 10

#: Columns of `Profile.columns`.
COLUMNS = pl.Schema(
    {
        "column": pl.String(),
        "type": pl.String(),
        "type_share": pl.Float64(),
        "records": pl.Int64(),
        "filled": pl.Int64(),
        "fill": pl.Float64(),
        "fill_low": pl.Float64(),
        "fill_high": pl.Float64(),
        "distinct": pl.Int64(),
        "is_key": pl.Boolean(),
        "shortest": pl.Int64(),
        "longest": pl.Int64(),
        "mean_length": pl.Float64(),
        "least": pl.String(),
        "greatest": pl.String(),
    }
)
_COUNTED = pl.Schema(
    {
        "column": pl.String(),
        "value": pl.String(),
        "count": pl.Int64(),
        "share": pl.Float64(),
    }
)


@dataclass(frozen=True)
class Profile:
    """What is in a table.

    Attributes:
        records: Number of rows.
        columns: One row per column; columns as in `COLUMNS`. ``fill`` is the share of rows with
            a value, ``fill_low`` and ``fill_high`` its 95 % Wilson interval; lengths are in
            characters, null for columns that are not text; ``least`` and ``greatest`` as text;
            ``is_key`` = every row has a value and no two have the same.
        values: The most frequent values: ``column``, ``value``, ``count``, ``share`` of the
            filled rows.
        patterns: The most frequent shapes of text, in the same columns: ``9`` stands for digits,
            ``A`` for capitals and ``a`` for other letters, runs drawn together
            (``+99 999`` → ``+9 9``).
        quantiles: Of numbers, days and lengths of text: ``column``, ``of`` (``value`` or
            ``length``), ``quantile``, ``value`` as text.
    """

    records: int
    columns: pl.DataFrame
    values: pl.DataFrame
    patterns: pl.DataFrame
    quantiles: pl.DataFrame


def profile(frame: pl.DataFrame) -> Profile:
    """Profile a table as it came or standardised.

    Blank text counts as missing. Columns of lists are profiled as their texts joined by ``; ``.
    Patterns and types are read from at most `MOST_VALUES` distinct values per column.

    Args:
        frame: Any columns.

    Returns:
        The profile. It holds values of the table, which may be personal.
    """
    rows, values, patterns, quantiles = [], [], [], []
    for name in frame.columns:
        column = _plain(frame[name])
        counted = _counted(column)
        kind, share = semantic_type(*_thinned(counted))
        rows.append(_measured(column, counted, kind, share))
        filled = int(counted["count"].sum())
        values.append(_most(counted, name, filled))
        if column.dtype == pl.String:
            patterns.append(_most(_patterns(counted), name, filled))
        quantiles.extend(_quantiles(column, name))
    return Profile(
        records=frame.height,
        columns=pl.DataFrame(rows, schema=COLUMNS, orient="row"),
        values=pl.concat([_COUNTED.to_frame(), *values]),
        patterns=pl.concat([_COUNTED.to_frame(), *patterns]),
        quantiles=pl.DataFrame(
            quantiles,
            schema={
                "column": pl.String,
                "of": pl.String,
                "quantile": pl.Float64,
                "value": pl.String,
            },
            orient="row",
        ),
    )


def _plain(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.List):
        column = column.list.eval(pl.element().cast(pl.String)).list.join("; ")
    if column.dtype in (pl.Categorical, pl.Enum, pl.Null) or column.dtype.is_nested():
        column = column.cast(pl.String, strict=False)
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        return text.set(text == "", None)
    return column


def _counted(column: pl.Series) -> pl.DataFrame:
    """``value``, ``count``; the most frequent first."""
    counts = column.drop_nulls().alias("value").value_counts(name="count")
    return counts.sort("count", "value", descending=[True, False]).with_columns(
        pl.col("count").cast(pl.Int64)
    )


def _thinned(counted: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    step = -(-counted.height // MOST_VALUES) or 1
    few = counted.gather_every(step)
    return few["value"], few["count"]


def _measured(
    column: pl.Series, counted: pl.DataFrame, kind: FieldType, share: float
) -> tuple[object, ...]:
    records, filled = len(column), len(column) - column.null_count()
    low, high = wilson(filled, records)
    is_text = column.dtype == pl.String
    lengths = column.str.len_chars() if is_text else pl.Series([], dtype=pl.UInt32)
    return (
        column.name,
        kind.value,
        share,
        records,
        filled,
        filled / records if records else 0.0,
        low,
        high,
        counted.height,
        records > 1 and counted.height == filled == records,
        lengths.min(),
        lengths.max(),
        lengths.mean(),
        _as_text(column.min()),
        _as_text(column.max()),
    )


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _patterns(counted: pl.DataFrame) -> pl.DataFrame:
    values, counts = _thinned(counted)
    shape = (
        pl.col("value")
        .str.replace_all(r"\d+", "9")
        .str.replace_all(r"\p{Lu}+", "A")
        .str.replace_all(r"[\p{L}--\p{Lu}--A]+", "a")
    )
    return (
        pl.DataFrame({"value": values, "count": counts})
        .group_by(shape)
        .agg(pl.col("count").sum())
        .sort("count", "value", descending=[True, False])
    )


def _most(counted: pl.DataFrame, name: str, filled: int) -> pl.DataFrame:
    few = counted.height <= MOST_LISTED
    return counted.head(MOST_LISTED if few else _TOP).select(
        pl.lit(name).alias("column"),
        pl.col("value").cast(pl.String),
        pl.col("count").cast(pl.Int64),
        (pl.col("count") / (filled or 1)).alias("share"),
    )


def _quantiles(column: pl.Series, name: str) -> list[tuple[str, str, float, str]]:
    of = "value"
    if column.dtype == pl.String:
        column, of = column.str.len_chars(), "length"
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        return []
    ordered = column.drop_nulls().sort()
    if ordered.is_empty():
        return []
    last = len(ordered) - 1
    return [
        (name, of, share, str(ordered[round(share * last)]))
        for share in (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    ]
