"""How the values of a column are spread: quantiles and bins of numbers, days and lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.standardise.fields import STANDARDISERS, Context

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Columns of a frame of quantiles.
QUANTILES = pl.Schema(
    {"column": pl.String(), "of": pl.String(), "quantile": pl.Float64(), "value": pl.String()}
)
#: Columns of a frame of bins.
BINS = pl.Schema(
    {"column": pl.String(), "low": pl.String(), "high": pl.String(), "count": pl.Int64()}
)
_SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_STEPS = 10
_TAIL = 0.01
_SIZED: Mapping[FieldType, type[pl.DataType] | pl.DataType] = {
    FieldType.INTEGER: pl.Int64,
    FieldType.DECIMAL: pl.Float64,
    FieldType.DATE: pl.Date,
    FieldType.DATETIME: pl.Datetime("us", "UTC"),
}


def read_values(counted: pl.DataFrame, kind: FieldType) -> pl.DataFrame:
    """The values of a column as something that has a size.

    Args:
        counted: Distinct ``value``, none null, and ``count``.
        kind: What they are.

    Returns:
        ``value``, ascending; ``count``; and ``of``: ``value`` where they are numbers or days, or
        texts that can be read as such, else ``length``: the number of characters. What cannot be
        read is left out; empty for what has no size.
    """
    values = counted["value"]
    of = "value"
    if values.dtype == pl.String and kind in _SIZED:
        nowhere = pl.repeat(None, len(values), dtype=pl.String, eager=True)
        context = Context(nowhere, None, None, {}, {}, None)
        values = STANDARDISERS[kind](values, context)["value"].cast(_SIZED[kind])
    elif values.dtype == pl.String:
        values, of = values.str.len_chars().cast(pl.Int64), "length"
    elif not (values.dtype.is_numeric() or values.dtype.is_temporal()):
        values = values.clear()
    frame = pl.DataFrame({"value": values, "count": counted["count"].head(len(values))})
    return (
        frame.drop_nulls()
        .group_by("value")
        .agg(pl.col("count").sum())
        .sort("value")
        .with_columns(pl.lit(of).alias("of"))
    )


def quantiles(read: pl.DataFrame, name: str) -> pl.DataFrame:
    """Quantiles of what `read_values` gives, columns as in `QUANTILES`."""
    if read.is_empty():
        return QUANTILES.to_frame()
    places = _places(read, _SHARES)
    return pl.DataFrame(
        {
            "column": [name] * len(_SHARES),
            "of": [read["of"][0]] * len(_SHARES),
            "quantile": list(_SHARES),
            "value": [str(read["value"][place]) for place in places],
        },
        schema=QUANTILES,
    )


def _places(read: pl.DataFrame, shares: tuple[float, ...]) -> list[int]:
    """Rows at which these shares of all records are reached."""
    reached = read["count"].cum_sum()
    last = int(reached[-1]) - 1
    return [int(reached.search_sorted(round(share * last) + 1)) for share in shares]


def bins(read: pl.DataFrame, name: str) -> pl.DataFrame:
    """Bins of the values that `read_values` gives, columns as in `BINS`; none of lengths."""
    if read.is_empty() or read["of"][0] != "value" or read.height == 1:
        return BINS.to_frame()
    values = read["value"]
    size = values.to_physical().cast(pl.Float64)
    low, high = (float(size[place]) for place in _places(read, (_TAIL, 1 - _TAIL)))
    if low == high:
        low, high = float(size[0]), float(size[-1])
    edges = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
    ends = [
        str(values[0]),
        *(_as_value(edge, values.dtype) for edge in edges[1:-1]),
        str(values[-1]),
    ]
    at = ((size - low) / (high - low) * _STEPS).floor().clip(0, _STEPS - 1).cast(pl.Int64)
    counts = dict(pl.DataFrame({"at": at, "count": read["count"]}).group_by("at").sum().iter_rows())
    return pl.DataFrame(
        {
            "column": [name] * _STEPS,
            "low": ends[:-1],
            "high": ends[1:],
            "count": [counts.get(step, 0) for step in range(_STEPS)],
        },
        schema=BINS,
    )


def _as_value(size: float, dtype: pl.DataType) -> str:
    """A size as the value that it stands for."""
    if dtype.is_temporal():
        return str(pl.Series([round(size)], dtype=pl.Int64).cast(dtype)[0])
    return f"{size:.6g}"
