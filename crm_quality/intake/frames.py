"""Frames of other libraries → `Table`: values as text, lists as lists of text."""

from __future__ import annotations

from typing import Any

import duckdb
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

from crm_quality.errors import InputError
from crm_quality.intake.table import Table, repaired_headers


def read_frame(data: Any, name: str = "frame") -> Table:  # noqa: ANN401 - any frame there is
    """Take a frame as a table.

    Args:
        data: A Polars frame or lazy frame, a pandas or Modin frame, an Arrow table, record batch
            or reader, a DuckDB relation, or anything with ``__arrow_c_stream__``; also a list of
            dicts.
        name: What to call it.

    Returns:
        The table. Dates and times are ISO 8601, booleans ``true`` and ``false``, nested values
        JSON; lists of plain values stay lists, of text.

    Raises:
        InputError: ``data`` is no frame.
    """
    return as_table(_polars(data), name)


def _polars(data: Any) -> pl.DataFrame:  # noqa: ANN401, PLR0911 - one return per kind of frame
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, pl.DataFrame):
        return data
    if isinstance(data, duckdb.DuckDBPyRelation):
        return _from_arrow(data.to_arrow_table())
    if isinstance(data, (pa.Table, pa.RecordBatch, pa.RecordBatchReader)):
        table = data.read_all() if isinstance(data, pa.RecordBatchReader) else data
        return _from_arrow(table)
    if hasattr(data, "iloc") and hasattr(data, "dtypes"):
        return _from_arrow(_arrow_of_pandas(data))
    if hasattr(data, "__arrow_c_stream__"):
        return _from_arrow(pa.table(data))
    if isinstance(data, list) and all(isinstance(row, dict) for row in data):
        return pl.DataFrame(data, infer_schema_length=None, strict=False)
    raise InputError(
        f"cannot read a {type(data).__name__}; give a path, a Polars, pandas or Arrow frame, "
        "a DuckDB relation or a list of dicts"
    )


def _arrow_of_pandas(data: Any) -> pa.Table:  # noqa: ANN401 - pandas need not be installed
    """A pandas frame as Arrow; columns of mixed objects become text first."""
    if not len(data.columns):
        return pa.table({})
    columns, names = [], []
    for position, name in enumerate(data.columns):
        column = data.iloc[:, position]
        try:
            columns.append(pa.Array.from_pandas(column))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            empty = column.isna()
            texts = [
                None if gone else str(value) for value, gone in zip(column, empty, strict=True)
            ]
            columns.append(pa.array(texts, pa.string()))
        names.append(str(name))
    return pa.Table.from_arrays(columns, names=names)


def _from_arrow(table: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    numbered = [f"c{number}" for number in range(table.num_columns)]
    names, _ = repaired_headers([str(name) for name in table.schema.names])
    arrays = pa.table(table.columns, names=numbered) if numbered else None
    frame = pl.DataFrame(arrays) if arrays is not None else pl.DataFrame()
    return frame.rename(dict(zip(numbered, names, strict=True)))


def as_table(frame: pl.DataFrame, name: str, file_hash: str = "") -> Table:
    """A typed Polars frame as a table of text."""
    names, warnings = repaired_headers(frame.columns)
    texts = frame.select(_as_text(column, kind) for column, kind in frame.schema.items())
    texts = texts.rename(dict(zip(frame.columns, names, strict=True)))
    return Table(texts, name, file_hash, warnings=tuple(warnings))


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:  # noqa: C901, PLR0911 - one case per kind
    column = pl.col(name)
    match kind:
        case pl.String():
            return column
        case pl.Categorical() | pl.Enum() | pl.Date() | pl.Decimal():
            return column.cast(pl.String)
        case pl.Float32() | pl.Float64():
            whole = column.is_finite() & (column == column.round(0)) & (column.abs() < 2**53)
            return (
                pl.when(column.is_nan())
                .then(None)
                .when(whole)
                .then(column.cast(pl.Int64, strict=False).cast(pl.String))
                .otherwise(column.cast(pl.String))
                .alias(name)
            )
        case pl.Datetime(time_zone=zone):
            if zone is None:
                # A day without a time of day comes with midnight from pandas.
                text = _short(column.dt.to_string("%Y-%m-%dT%H:%M:%S%.f"))
                return text.str.strip_suffix("T00:00:00").alias(name)
            utc = column.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.f")
            return (_short(utc) + "Z").alias(name)
        case pl.List(inner=inner) | pl.Array(inner=inner):
            as_list = column if isinstance(kind, pl.List) else column.arr.to_list()
            if isinstance(inner, (pl.Struct, pl.List, pl.Array, pl.Binary, pl.Object)):
                return _json(pl.struct(as_list.alias("v")), '{"v":', "}").alias(name)
            return as_list.cast(pl.List(pl.String)).alias(name)
        case pl.Struct():
            return pl.when(column.is_not_null()).then(column.struct.json_encode()).alias(name)
        case pl.Binary():
            return column.cast(pl.String, strict=False)
        case pl.Null():
            return column.cast(pl.String)
        case pl.Object():
            return column.map_elements(str, return_dtype=pl.String)
        case _:
            return column.cast(pl.String)


def _short(text: pl.Expr) -> pl.Expr:
    """Without a fraction of a second that is nothing."""
    return text.str.replace(r"\.0*$", "")


def _json(struct: pl.Expr, before: str, after: str) -> pl.Expr:
    return struct.struct.json_encode().str.strip_prefix(before).str.strip_suffix(after)
