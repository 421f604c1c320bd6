"""What is in a table: fill, distinct values, lengths, patterns, distributions, likely keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.validate.distribution import BINS, QUANTILES, bins, quantiles, read_values
from crm_quality.validate.intervals import wilson
from crm_quality.validate.likely_keys import KEYS, likely_keys
from crm_quality.validate.semantic import semantic_type
from crm_quality.validate.values import cluster_values

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Distinct values whose patterns and types are looked at; more are thinned out evenly.
MOST_VALUES = 50_000
#: A column of no more distinct values than this is listed wholly, others with the first `_TOP`.
MOST_LISTED = 50
_TOP = 10
#: Spellings of one thing are looked for in columns of no more distinct texts than this.
_MOST_SPELT = 2_000
#: ... and where each text comes at least so often on the average.
_SPELT_AGAIN = 2

#: Times and sums tell rows apart by chance.
_NO_KEYS = frozenset({FieldType.DATE, FieldType.DATETIME, FieldType.DECIMAL})

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
_SPELLINGS = pl.Schema(
    {
        "column": pl.String(),
        "cluster": pl.Int64(),
        "value": pl.String(),
        "count": pl.Int64(),
        "suggestion": pl.String(),
    }
)


@dataclass(frozen=True)
class Profile:
    """What is in a table.

    Attributes:
        records: Number of rows.
        columns: One row per column; columns as in `COLUMNS`. ``type`` is what the values look
            like, ``type_share`` the share of the filled rows that do; ``fill`` is the share of rows
            with a value, ``fill_low`` and ``fill_high`` its 95 % Wilson interval; lengths are in
            characters, null for columns that are not text; ``least`` and ``greatest`` as text, of
            numbers and days by their size; ``is_key`` = every row has a value and no two have the
            same.
        values: The most frequent values: ``column``, ``value``, ``count``, ``share`` of the
            filled rows. Columns of up to `MOST_LISTED` distinct values have them all.
        patterns: The most frequent shapes of text, in the same columns: ``9`` stands for digits,
            ``A`` for capitals and ``a`` for other letters, runs drawn together
            (``+99 999`` → ``+9 9``).
        quantiles: Of numbers, days and lengths of text: ``column``, ``of`` (``value`` or
            ``length``), ``quantile``, ``value`` as text.
        bins: How numbers and days are spread: ``column``, ``low``, ``high`` (as text; the last
            one includes it), ``count``. From the 1st to the 99th percentile in equal steps, the
            first and last bin take what lies outside.
        keys: Columns, or pairs of them, that tell the rows apart or nearly do, see `likely_keys`.
        spellings: Texts of one column that are probably one thing (of one fingerprint):
            ``column``, ``cluster``, ``value``, ``count``, ``suggestion`` (the most frequent one).
    """

    records: int
    columns: pl.DataFrame
    values: pl.DataFrame
    patterns: pl.DataFrame
    quantiles: pl.DataFrame
    bins: pl.DataFrame
    keys: pl.DataFrame
    spellings: pl.DataFrame


def profile(frame: pl.DataFrame, *, types: Mapping[str, FieldType] | None = None) -> Profile:
    """Profile a table as it came or standardised.

    Blank text counts as missing. Columns of lists are profiled as their texts joined by ``; ``.
    Patterns and types are read from at most `MOST_VALUES` distinct values per column.

    Args:
        frame: Any columns.
        types: Column → what it holds, where that is known; others are told by their looks.

    Returns:
        The profile. It holds values of the table, which may be personal.
    """
    plain = pl.DataFrame([_plain(frame[name]) for name in frame.columns])
    parts: dict[str, list[pl.DataFrame]] = {
        name: [] for name in ("values", "patterns", "quantiles", "bins", "spellings")
    }
    rows, telling = [], []
    for column in plain.get_columns():
        counted = _counted(column)
        kind, share = semantic_type(*_thinned(counted))
        if types is not None and column.name in types:
            kind = types[column.name]
        read = read_values(counted, kind)
        rows.append(_measured(column, counted, read, kind, share))
        if kind not in _NO_KEYS:
            telling.append(column.name)
        filled = int(counted["count"].sum())
        parts["values"].append(_most(counted, column.name, filled))
        if column.dtype == pl.String:
            parts["patterns"].append(_most(_patterns(counted), column.name, filled))
            parts["spellings"].append(_spellings(counted, column.name))
        parts["quantiles"].append(quantiles(read, column.name))
        parts["bins"].append(bins(read, column.name))
    return Profile(
        records=frame.height,
        columns=pl.DataFrame(rows, schema=COLUMNS, orient="row"),
        values=pl.concat([_COUNTED.to_frame(), *parts["values"]]),
        patterns=pl.concat([_COUNTED.to_frame(), *parts["patterns"]]),
        quantiles=pl.concat([QUANTILES.to_frame(), *parts["quantiles"]]),
        bins=pl.concat([BINS.to_frame(), *parts["bins"]]),
        keys=likely_keys(plain.select(telling)) if telling else KEYS.to_frame(),
        spellings=pl.concat([_SPELLINGS.to_frame(), *parts["spellings"]]),
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
    column: pl.Series, counted: pl.DataFrame, read: pl.DataFrame, kind: FieldType, share: float
) -> tuple[object, ...]:
    records, filled = len(column), len(column) - column.null_count()
    low, high = wilson(filled, records)
    is_text = column.dtype == pl.String
    lengths = column.str.len_chars() if is_text else pl.Series([], dtype=pl.UInt32)
    # what a number or day is, where the texts are read as such
    sized = read["value"] if read["of"].first() == "value" else column
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
        _as_text(sized.min()),
        _as_text(sized.max()),
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


def _spellings(counted: pl.DataFrame, name: str) -> pl.DataFrame:
    repeated = counted["count"].sum() >= _SPELT_AGAIN * counted.height
    if counted.height > _MOST_SPELT or not repeated:
        return _SPELLINGS.to_frame()
    found = cluster_values(counted)
    return found.select(pl.lit(name).alias("column"), "cluster", "value", "count", "suggestion")
